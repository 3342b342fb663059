/**
 * A TCP server that speaks Kafka's protocol as far as its scripts say: it reads requests, and sends whatever the script of a
 * request returns. It can be silent, slow, cut the connection, split its responses, or say something that is not Kafka's.
 */
import { Buffer } from "node:buffer";
import { Reader } from "../../../src/broker/kafka/wire/reader.ts";
import { waitUntilSettled } from "../../../src/support/deadline.ts";

/** Numbers of the requests that scripts are about. */
export const Api = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  leaveGroup: 13,
  syncGroup: 14,
  describeGroups: 15,
  listGroups: 16,
  saslHandshake: 17,
  apiVersions: 18,
  createTopics: 19,
  initProducerId: 22,
  describeConfigs: 32,
  saslAuthenticate: 36,
} as const;

/** A request as it came. */
export interface ScriptedRequest {
  readonly api: number;
  readonly version: number;
  readonly clientId: string;
  /** Number of the connection, from 0. */
  readonly connection: number;
  /** When it came, on the clock of `performance.now()`. */
  readonly atMs: number;
  readonly body: Buffer;
}

/**
 * The end of a script: the body of the response, nothing at all, or the end of the connection. `cutInFrame`: a response begins,
 * and the connection ends in the middle of it.
 */
export type Answer = Uint8Array | "silence" | "cut" | "cutInFrame";

/** Decides on a request. */
export type Script = (request: ScriptedRequest) => Answer | Promise<Answer>;

/** Versions of the requests that have tagged fields in their headers. */
const FLEXIBLE_FROM: Readonly<Record<number, number>> = { [Api.fetch]: 12, [Api.metadata]: 9 };

const MAX_REQUEST_BYTES = 100 * 1024 * 1024;

/** See the module. */
export class ScriptedBroker implements AsyncDisposable {
  /** Every request, in the order in which they came. */
  readonly requests: ScriptedRequest[] = [];
  /** Decides on a new connection: bytes are sent at once, instead of any response. */
  onConnect: (connection: number) => "accept" | "cut" | Uint8Array = () => "accept";
  /** Responses are written in pieces of so many bytes, each on its own. */
  chunkBytes = Infinity;
  /** The longest wait for scripts at the end, in ms: a test that fails may never release the response that it holds. */
  patienceMs = 3000;
  /** Number of connections so far. */
  connectionCount = 0;
  readonly #scripts = new Map<number, Script>();
  readonly #listener: Deno.Listener;
  readonly #connections = new Set<Deno.Conn>();
  readonly #running = new Set<Promise<void>>();

  /** @param tls key and certificate as PEM, for a port with TLS */
  constructor(tls?: { readonly key: string; readonly cert: string }) {
    const at = { hostname: "127.0.0.1", port: 0 };
    this.#listener = tls === undefined ? Deno.listen(at) : Deno.listenTls({ ...at, ...tls }) as Deno.Listener;
    this.#follow(this.#accept());
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Sets the script of a request. */
  on(api: number, script: Script): void {
    this.#scripts.set(api, script);
  }

  /** Sets scripts for the next requests of a kind, one each; then the present one counts again. */
  next(api: number, ...scripts: readonly Script[]): void {
    const before = this.#scripts.get(api);
    const waiting = [...scripts];
    const script: Script = (request) => (waiting.shift() ?? before ?? (() => "silence"))(request);
    this.#scripts.set(api, script);
  }

  /** The requests of a kind that have come. */
  received(api: number): ScriptedRequest[] {
    return this.requests.filter((request) => request.api === api);
  }

  /** Number of connections that are open. */
  get openConnections(): number {
    return this.#connections.size;
  }

  /** Cuts all connections; new ones are accepted. */
  cutAll(): void {
    for (const connection of this.#connections) this.#close(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cutAll();
    await waitUntilSettled(Promise.all(this.#running), this.patienceMs);
  }

  #follow(running: Promise<void>): void {
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
  }

  async #accept(): Promise<void> {
    while (true) {
      let connection: Deno.Conn;
      try {
        connection = await this.#listener.accept();
      } catch (error) {
        // The listener is closed. A client of TLS that gave up is an error of its own.
        if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
        continue;
      }
      const number = this.connectionCount++;
      const verdict = this.onConnect(number);
      this.#connections.add(connection);
      if (verdict === "cut") this.#close(connection);
      else this.#follow(this.#serve(connection, number, verdict));
    }
  }

  async #serve(connection: Deno.Conn, number: number, greeting: "accept" | Uint8Array): Promise<void> {
    let received = Buffer.alloc(0);
    const chunk = new Uint8Array(65_536);
    try {
      if (greeting !== "accept") await this.#write(connection, greeting);
      for (let count = await connection.read(chunk); count !== null; count = await connection.read(chunk)) {
        received = Buffer.concat([received, chunk.subarray(0, count)]);
        // As Kafka does: something else than a request has come.
        if (received.length >= 4 && received.readUInt32BE(0) > MAX_REQUEST_BYTES) break;
        while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
          const end = 4 + received.readInt32BE(0);
          const frame = Buffer.from(received.subarray(4, end));
          received = received.subarray(end);
          if (greeting === "accept") await this.#answer(connection, number, frame);
        }
      }
    } catch {
      // The client has closed it, or a script did.
    }
    this.#close(connection);
  }

  async #answer(connection: Deno.Conn, number: number, frame: Buffer): Promise<void> {
    const reader = new Reader(frame);
    const [api, version, correlationId] = [reader.int16(), reader.int16(), reader.int32()];
    const clientId = reader.string() ?? "";
    const isFlexible = version >= (FLEXIBLE_FROM[api] ?? Infinity);
    const body = frame.subarray(10 + clientId.length + (isFlexible ? 1 : 0));
    const request = { api, version, clientId, connection: number, atMs: performance.now(), body };
    this.requests.push(request);
    const answer = await this.#scripts.get(api)?.(request) ?? "silence";
    if (answer === "silence") return;
    if (answer === "cut") return this.#close(connection);
    const isCut = answer === "cutInFrame";
    const payload = isCut ? new Uint8Array(100) : answer;
    const response = Buffer.alloc(8 + payload.length);
    response.writeInt32BE(4 + payload.length, 0);
    response.writeInt32BE(correlationId, 4);
    response.set(payload, 8);
    await this.#write(connection, isCut ? response.subarray(0, 50) : response);
    if (isCut) this.#close(connection);
  }

  async #write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await connection.write(bytes.subarray(at, Math.min(bytes.length, at + this.chunkBytes)));
    }
  }

  #close(connection: Deno.Conn): void {
    if (!this.#connections.delete(connection)) return;
    try {
      connection.close();
    } catch {
      // It was closed from the other side.
    }
  }
}
