/**
 * One connection to one broker: requests out, responses in, each with a deadline on the monotonic clock.
 *
 *     opening ──▶ versions ──▶ (authenticating) ──▶ ready ◀──▶ authenticating again ──▶ closed
 *
 * 1. Opening connects, asks the broker for its versions, authenticates; all of it within one deadline.
 * 2. `send` writes a request; the broker responds to the requests of a connection in their order, one at a time.
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
import { encodeHeader } from "./request_header.ts";
import { encodedBy, type EncodedRequest, type Request, UnsupportedVersionError } from "./request.ts";
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
const CORRELATION_ID_BYTES = 4;
const KEEP_ALIVE_MS = 60_000;
/** The longest wait of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_CORRELATION_ID = 0x7fffffff;
const API_VERSIONS_VERSION = 2;
const TLS_HINT = ' (the port may not speak TLS: then leave "ssl" out)';

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
  /** Rejects when it is closed. */
  readonly #closed = Promise.withResolvers<never>();
  readonly #onClose: (error: ConnectionError) => void;
  #versions: BrokerVersions | null = null;
  #authentication: Authentication | null = null;
  #correlationId = 0;
  #throttledUntilMs = 0;
  #closedBy: ConnectionError | null = null;
  /** Whether data may be written: with TLS after its handshake. */
  #isConnected = false;
  #isReady = false;

  /**
   * Resolves with the connection once it can be used.
   *
   * Rejects with a {@linkcode ConnectionError} if it cannot be opened within the deadline, or is closed before.
   */
  readonly ready: Promise<Connection>;

  /**
   * Opens a connection.
   *
   * @param address `host:port`
   * @param onClose called once when it is closed, also where it could not be opened
   */
  constructor(address: string, options: ConnectionOptions, onClose: (error: ConnectionError) => void = () => {}) {
    this.address = address;
    this.#clientId = Buffer.from(options.clientId);
    this.#hasTls = options.ssl !== false;
    this.#onClose = onClose;
    this.#connected.promise.catch(() => {});
    this.#closed.promise.catch(() => {});
    this.#socket = openSocket(address, options.ssl, () => {
      this.#isConnected = true;
      this.#connected.resolve();
    });
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error: Error) => {
      const { problem, ...kind } = describeSocketError(error, address, this.#hasTls);
      this.#fail(problem, { cause: error, ...kind });
    });
    this.#socket.on("close", () => this.#fail(this.#closingProblem()));
    this.#socket.on("end", () => this.#fail(this.#closingProblem()));
    this.ready = this.#open(options);
    this.ready.catch(() => {});
  }

  /** The error that closed it; `null` while it is open. */
  get closedBy(): ConnectionError | null {
    return this.#closedBy;
  }

  /** Whether it can be used. */
  get isReady(): boolean {
    return this.#isReady && this.#closedBy === null;
  }

  /** The time for which the broker, for a quota, will not respond on this connection, in milliseconds. */
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
    const encoded = await request.encode(this.#versions!);
    // Between the start of an authentication and its end the broker accepts nothing else: no wait may follow this one.
    while (this.#authentication?.underWay) await this.#authentication.underWay;
    return await this.#write(request.name, encoded, timeoutMs);
  }

  /** Closes it at once; what is pending fails with this error. */
  close(error: ConnectionError): void {
    if (this.#closedBy !== null) return;
    this.#closedBy = error;
    this.#authentication?.stop();
    this.#socket.destroy();
    this.#connected.reject(error);
    this.#closed.reject(error);
    for (const { name, reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(this.#lost(name, error));
    }
    this.#pending.clear();
    this.#onClose(error);
  }

  async #open({ connectionTimeoutMs, sasl }: ConnectionOptions): Promise<Connection> {
    let step = "accept the connection";
    if (this.#hasTls) this.#socket.once("connect", () => step = `finish the TLS handshake${TLS_HINT}`);
    const timer = setTimeout(
      () => this.#fail(`it did not ${step} within ${connectionTimeoutMs} ms`),
      connectionTimeoutMs,
    );
    try {
      await this.#connected.promise;
      step = "answer with its versions (it may not be a Kafka, or hang)";
      this.#versions = await this.#askVersions(connectionTimeoutMs);
      if (sasl !== null) {
        step = "finish the authentication";
        this.#authentication = new Authentication(this.address, sasl, this.#versions, {
          timeoutMs: connectionTimeoutMs,
          send: (request) => this.#write("authentication", request, connectionTimeoutMs),
          failed: (error) => this.close(error),
        });
        // A token that never comes, or a password that is being hashed, does not hold up the end of the connection.
        await Promise.race([this.#authentication.authenticate(), this.#closed.promise]);
      }
      this.#isReady = true;
    } catch (error) {
      this.close(error instanceof ConnectionError ? error : this.#errorOf(error));
    } finally {
      clearTimeout(timer);
    }
    if (this.#closedBy !== null) throw this.#closedBy;
    return this;
  }

  async #askVersions(timeoutMs: number): Promise<BrokerVersions> {
    const codec = definitions.ApiVersions!.protocol({ version: API_VERSIONS_VERSION })({});
    const request = await encodedBy("ApiVersions", codec) as EncodedRequest<
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
      this.#socket.write(Buffer.concat([encodeHeader(request, correlationId, this.#clientId), request.body]));
    });
    const response = await this.#decode(name, request, payload);
    this.#noteThrottle(response);
    return response;
  }

  async #decode<Response>(name: string, request: EncodedRequest<Response>, payload: Buffer): Promise<Response> {
    try {
      return await request.decode(payload);
    } catch (cause) {
      if (cause instanceof UnsupportedVersionError) throw cause;
      const problem = `its answer to ${name} cannot be read: ${(cause as Error).message}`;
      const error = new ConnectionError(this.address, problem, { isSent: true, cause });
      this.close(error);
      throw error;
    }
  }

  #noteThrottle(response: unknown): void {
    const { clientSideThrottleTime = 0 } = (response ?? {}) as { readonly clientSideThrottleTime?: number };
    this.#throttledUntilMs = Math.max(this.#throttledUntilMs, performance.now() + clientSideThrottleTime);
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
      Math.min(timeoutMs, MAX_TIMER_MS),
    );
  }

  #fail(problem: string, failure: ConnectionFailure = {}): void {
    if (this.#closedBy === null) this.close(new ConnectionError(this.address, problem, failure));
  }

  #closingProblem(): string {
    if (this.#versions !== null) return "it closed the connection";
    if (this.#hasTls && !this.#isConnected) return `it closed the connection in the TLS handshake${TLS_HINT}`;
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
