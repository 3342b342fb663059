/**
 * A TCP relay in front of a Kafka. It parses requests and responses, so that a test can lose chosen responses, or cut a
 * connection. A broker names its address in its metadata; the relay replaces the port by its own, so that clients come
 * back to the relay. For a Kafka of one broker on this machine.
 */

/** The numbers of the requests that the tests use. */
export const API = { produce: 0, metadata: 3, offsetCommit: 8, joinGroup: 11, heartbeat: 12 } as const;

/** The treatment of a frame. `cut`: the connection is closed instead. */
export type Verdict = "pass" | "drop" | "cut";

/** A relay. */
export class Relay implements AsyncDisposable {
  /** Decides on a request, by its number, before the broker sees it. */
  onRequest: (api: number) => Verdict = () => "pass";
  /** Decides on a response, by the number of its request. The broker has processed the request by then. */
  onAnswer: (api: number) => Verdict = () => "pass";
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #running: Promise<void>[] = [];
  #isAway = false;
  #isClosed = false;

  /** @param target the broker, as `host:port` */
  constructor(target: string) {
    const [hostname, port] = target.split(":");
    this.#target = { hostname: hostname!, port: Number(port) };
    this.#running.push(this.#accept());
  }

  /** The address for clients, as `host:port`. */
  get broker(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Cuts each connection; new ones are accepted. */
  cutAll(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  /** Cuts each connection, and new ones at once, as for a broker that is offline. */
  leave(): void {
    this.#isAway = true;
    this.cutAll();
  }

  /** Accepts connections again. */
  comeBack(): void {
    this.#isAway = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    this.cutAll();
    await Promise.all(this.#running);
  }

  get #port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async #accept(): Promise<void> {
    for (;;) {
      const client = await this.#listener.accept().catch(() => null);
      if (client === null) return;
      if (this.#isAway) {
        close(client);
        continue;
      }
      const broker = await Deno.connect(this.#target).catch(() => null);
      if (broker === null) {
        close(client);
        continue;
      }
      this.#connections.add(client).add(broker);
      const requests = new Map<number, { readonly api: number; readonly version: number }>();
      this.#running.push(
        this.#forward(client, broker, (frame) => {
          const view = viewOf(frame);
          const api = view.getInt16(0);
          requests.set(view.getInt32(4), { api, version: view.getInt16(2) });
          return this.onRequest(api);
        }),
        this.#forward(broker, client, (frame) => {
          const id = viewOf(frame).getInt32(0);
          const request = requests.get(id);
          requests.delete(id);
          if (request?.api === API.metadata) this.#rename(frame, request.version);
          return request === undefined ? "pass" : this.onAnswer(request.api);
        }),
      );
    }
  }

  /** A frame is a length in four bytes, and that many bytes. */
  async #forward(from: Deno.Conn, to: Deno.Conn, decide: (frame: Uint8Array) => Verdict): Promise<void> {
    let buffer = new Uint8Array();
    try {
      for await (const chunk of from.readable.values({ preventCancel: true })) {
        buffer = concat(buffer, chunk);
        while (buffer.length >= 4) {
          const end = 4 + viewOf(buffer).getInt32(0);
          if (buffer.length < end) break;
          const frame = buffer.slice(0, end);
          buffer = buffer.slice(end);
          const verdict = decide(frame.subarray(4));
          if (verdict === "cut") throw new Error("cut");
          if (verdict === "pass") await writeAll(to, frame);
        }
      }
    } catch {
      // One side is closed: the other one is closed, too.
    }
    for (const connection of [from, to]) {
      close(connection);
      this.#connections.delete(connection);
    }
  }

  /** correlation id, throttle time, then the brokers: node id, host, port, rack. */
  #rename(frame: Uint8Array, version: number): void {
    if (version < 3) throw new Error(`Cannot read metadata of version ${version}`);
    if (version >= FLEXIBLE_METADATA) return this.#renameFlexible(frame);
    const view = viewOf(frame);
    let at = 12;
    for (let left = view.getInt32(8); left > 0; left--) {
      at += 4;
      at += 2 + view.getInt16(at);
      view.setInt32(at, this.#port);
      at += 4;
      at += 2 + Math.max(0, view.getInt16(at));
    }
  }

  /** correlation id, no tagged fields, throttle time, then the brokers: node id, host, port, rack, no tagged fields. */
  #renameFlexible(frame: Uint8Array): void {
    const view = viewOf(frame);
    let at = 10;
    for (let left = view.getUint8(9) - 1; left > 0; left--) {
      at += 4;
      at += view.getUint8(at);
      view.setInt32(at, this.#port);
      at += 4;
      at += Math.max(1, view.getUint8(at)) + 1;
    }
  }
}

/** From this version on, lists and strings have lengths in seven bits a byte, which fit into one byte here. */
const FLEXIBLE_METADATA = 9;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // The other side has closed it.
  }
}
