/**
 * One connection to one broker: requests out, responses in, each with a deadline on the monotonic clock.
 *
 *     opening ──▶ versions ──▶ (authenticating) ──▶ ready ◀──▶ authenticating again ──▶ closed
 *
 * 1. `open` connects, asks the broker for its versions, authenticates; all of it within one deadline.
 * 2. `send` writes a request; the broker answers the requests of a connection in their order, one at a time.
 * 3. A request that is not answered in time closes the connection: what comes later must not be taken for another answer.
 * 4. Closed, it fails everything that is pending, and is never used again.
 *
 * While nothing is pending, an open connection does not keep the process alive.
 */
import { Buffer } from "node:buffer";
import type net from "node:net";
import type { KafkaSaslOptions, KafkaTlsOptions } from "../options.ts";
import { Authentication } from "./authentication.ts";
import { ConnectionError, type ConnectionFailure } from "./errors.ts";
import { FrameError, FrameReader } from "./frame_reader.ts";
import { type BrokerVersions, definitions } from "./kafkajs.ts";
import { encodedBy, type EncodedRequest, type Request } from "./request.ts";
import { describeForeignBytes, describeSocketError, openSocket } from "./socket.ts";

/** Options of all connections of a client. Times are milliseconds. */
export interface ConnectionOptions {
  readonly clientId: string;
  readonly ssl: boolean | KafkaTlsOptions;
  readonly sasl: KafkaSaslOptions | null;
  /** Deadline of connecting, TLS, versions and authentication together. */
  readonly connectionTimeoutMs: number;
}

interface PendingRequest {
  readonly name: string;
  readonly timeoutMs: number;
  resolve(payload: Buffer): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The longest response that is accepted, in bytes: a fetch brings at most its limits and one batch. */
const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;
/** Bytes before the body of a request: length, number, version, correlation id, length of the client id. */
const HEADER_BYTES = 14;
const CORRELATION_ID_BYTES = 4;
const KEEP_ALIVE_MS = 60_000;
const MAX_CORRELATION_ID = 0x7fffffff;
const API_VERSIONS_VERSION = 2;

/** See the module. */
export class Connection {
  /** `host:port`. */
  readonly address: string;
  readonly #socket: net.Socket;
  readonly #clientId: Buffer;
  readonly #hasTls: boolean;
  readonly #frames = new FrameReader(MAX_RESPONSE_BYTES);
  readonly #pending = new Map<number, PendingRequest>();
  readonly #connected = Promise.withResolvers<void>();
  readonly #onClose: (error: ConnectionError) => void;
  #versions: BrokerVersions | null = null;
  #authentication: Authentication | null = null;
  #correlationId = 0;
  #throttledUntilMs = 0;
  #closedBy: ConnectionError | null = null;

  /**
   * Opens a connection.
   *
   * @param address `host:port`
   * @param onClose called once when it is closed, also where it could not be opened
   * @throws {ConnectionError} if it cannot be opened within the deadline
   */
  static async open(
    address: string,
    options: ConnectionOptions,
    onClose: (error: ConnectionError) => void = () => {},
  ): Promise<Connection> {
    const { connectionTimeoutMs, sasl } = options;
    const connection = new Connection(address, options, onClose);
    let step = "accept the connection";
    const timer = setTimeout(() => {
      connection.#fail(`it did not ${step} within ${connectionTimeoutMs} ms`);
    }, connectionTimeoutMs);
    try {
      await connection.#connected.promise;
      step = "answer with its versions (it may not be a Kafka, or hang)";
      connection.#versions = await connection.#askVersions(connectionTimeoutMs);
      if (sasl !== null) {
        step = "finish the authentication";
        connection.#authentication = new Authentication(address, sasl, connection.#versions, {
          send: (request) => connection.#write("authentication", request, connectionTimeoutMs),
          failed: (error) => connection.close(error),
        });
        await connection.#authentication.authenticate();
      }
      return connection;
    } catch (error) {
      connection.close(error instanceof ConnectionError ? error : connection.#errorOf(error));
      throw connection.#closedBy ?? error;
    } finally {
      clearTimeout(timer);
    }
  }

  private constructor(address: string, options: ConnectionOptions, onClose: (error: ConnectionError) => void) {
    this.address = address;
    this.#clientId = Buffer.from(options.clientId);
    this.#hasTls = options.ssl !== false;
    this.#onClose = onClose;
    this.#connected.promise.catch(() => {});
    this.#socket = openSocket(address, options.ssl, () => this.#connected.resolve());
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error: Error) => {
      const { problem, ...kind } = describeSocketError(error, address, this.#hasTls);
      this.#fail(problem, { cause: error, ...kind });
    });
    this.#socket.on("close", () => this.#fail(this.#closingProblem()));
    this.#socket.on("end", () => this.#fail(this.#closingProblem()));
  }

  /** The error that closed it; `null` while it is open. */
  get closedBy(): ConnectionError | null {
    return this.#closedBy;
  }

  /** How long the broker, for a quota, will not answer on this connection, in milliseconds. */
  get throttledMs(): number {
    return Math.max(0, this.#throttledUntilMs - performance.now());
  }

  /**
   * Sends a request and waits for its response.
   *
   * @param timeoutMs deadline of the response; the time for which the broker throttles the connection comes on top
   * @throws {ConnectionError} if the connection is closed before the response has come
   * @throws {UnsupportedVersionError} if the broker does not understand the request
   */
  async send<Response>(request: Request<Response>, timeoutMs: number): Promise<Response> {
    // Between the start of an authentication and its end the broker accepts nothing else.
    while (this.#authentication?.underWay) await this.#authentication.underWay;
    if (this.#closedBy !== null) throw this.#notSent(request.name);
    return await this.#write(request.name, await request.encode(this.#versions!), timeoutMs);
  }

  /** Closes it at once; what is pending fails with this error. */
  close(error: ConnectionError): void {
    if (this.#closedBy !== null) return;
    this.#closedBy = error;
    this.#authentication?.stop();
    this.#socket.destroy();
    this.#connected.reject(error);
    for (const { name, reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(this.#lost(name, error));
    }
    this.#pending.clear();
    this.#onClose(error);
  }

  async #askVersions(timeoutMs: number): Promise<BrokerVersions> {
    const codec = definitions.ApiVersions!.protocol({ version: API_VERSIONS_VERSION })({});
    const request = await encodedBy(codec) as EncodedRequest<
      { readonly apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[] }
    >;
    const { apiVersions } = await this.#write("ApiVersions", request, timeoutMs);
    return Object.fromEntries(apiVersions.map((range) => [range.apiKey, range]));
  }

  async #write<Response>(name: string, request: EncodedRequest<Response>, timeoutMs: number): Promise<Response> {
    if (this.#closedBy !== null) throw this.#notSent(name);
    const correlationId = this.#correlationId = this.#correlationId % MAX_CORRELATION_ID + 1;
    const payload = await new Promise<Buffer>((resolve, reject) => {
      const pending: PendingRequest = { name, timeoutMs, resolve, reject, timer: undefined };
      if (this.#pending.size === 0) this.#socket.ref();
      this.#pending.set(correlationId, pending);
      this.#armTimer(pending, timeoutMs + this.throttledMs);
      // One write: of two that follow each other on a TLS socket Deno 2.9 loses the second.
      this.#socket.write(Buffer.concat([this.#headerOf(request, correlationId), request.body]));
    });
    const response = await request.decode(payload);
    this.#noteThrottle(response);
    return response;
  }

  #headerOf({ apiKey, version, isFlexible = false, body }: EncodedRequest<unknown>, correlationId: number): Buffer {
    const header = Buffer.alloc(HEADER_BYTES + this.#clientId.length + (isFlexible ? 1 : 0));
    header.writeInt32BE(header.length - 4 + body.length, 0);
    header.writeInt16BE(apiKey, 4);
    header.writeInt16BE(version, 6);
    header.writeInt32BE(correlationId, 8);
    header.writeInt16BE(this.#clientId.length, 12);
    this.#clientId.copy(header, HEADER_BYTES);
    // A flexible header ends with its tagged fields: none, which the zero of the last byte says.
    return header;
  }

  #noteThrottle(response: unknown): void {
    const { clientSideThrottleTime = 0 } = (response ?? {}) as { readonly clientSideThrottleTime?: number };
    if (clientSideThrottleTime > 0) this.#throttledUntilMs = performance.now() + clientSideThrottleTime;
  }

  #receive(chunk: Buffer): void {
    try {
      this.#frames.push(chunk, (payload) => {
        this.#answer(payload);
        return this.#closedBy === null;
      });
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      return this.#fail(describeForeignBytes(error.bytes));
    }
    // A long response that is arriving is not silence.
    if (this.#frames.isInFrame) {
      for (const pending of this.#pending.values()) this.#armTimer(pending, pending.timeoutMs);
    }
  }

  #answer(payload: Buffer): void {
    const correlationId = payload.readInt32BE(0);
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return this.#fail(`it answered a request that was not sent (number ${correlationId})`);
    this.#pending.delete(correlationId);
    clearTimeout(pending.timer);
    if (this.#pending.size === 0) this.#socket.unref();
    pending.resolve(payload.subarray(CORRELATION_ID_BYTES));
  }

  #armTimer(pending: PendingRequest, timeoutMs: number): void {
    clearTimeout(pending.timer);
    pending.timer = setTimeout(
      () => this.#fail(`it did not answer ${pending.name} within ${Math.round(timeoutMs)} ms`),
      timeoutMs,
    );
  }

  #fail(problem: string, failure: ConnectionFailure = {}): void {
    if (this.#closedBy === null) this.close(new ConnectionError(this.address, problem, failure));
  }

  #closingProblem(): string {
    if (this.#versions !== null) return "it closed the connection";
    const guess = this.#hasTls ? "" : ', which a port for TLS does: then set "ssl"';
    return `it closed the connection before it answered with its versions${guess}`;
  }

  #errorOf(error: unknown): ConnectionError {
    return new ConnectionError(this.address, error instanceof Error ? error.message : String(error), { cause: error });
  }

  /** The error of a request that was handed to the socket: the broker may have carried it out. */
  #lost(name: string, error: ConnectionError): ConnectionError {
    return this.#closingError(error, `${name} was under way`, true);
  }

  #notSent(name: string): ConnectionError {
    return this.#closingError(this.#closedBy!, `${name} was not sent`, false);
  }

  #closingError(
    { message, isFinal, isPermission, cause }: ConnectionError,
    what: string,
    isSent: boolean,
  ): ConnectionError {
    const problem = `${message.slice(this.address.length + 2)} (${what})`;
    return new ConnectionError(this.address, problem, { isSent, isFinal, isPermission, cause });
  }
}
