/**
 * A small HTTP/1 server for health checks. Any client in the network may connect to it, so it is bounded: a connection
 * has one request, a head of at most 8 KiB, and 10 seconds from its start to its end; with more connections than
 * allowed the oldest is closed; when the process runs out of file descriptors, fewer are allowed. Nothing that a client
 * sends reaches the log.
 *
 * `Deno.serve` and `node:http` are not used: neither accepts connections again after the process ran out of file
 * descriptors, and `Deno.serve` has no limits for connections and time (measured on Deno 2.9.6).
 *
 * The life of a connection:
 * 1. It is accepted. If there are too many, the oldest connection is closed.
 * 2. Its request's head is read up to the empty line. Headers are ignored but for a malformed Host, and so is a body.
 * 3. The response is written, with `connection: close`.
 * 4. The rest of the request is read and dropped, so that the response is not lost to a reset.
 */
import { runtime } from "./runtime.ts";
import type { TcpConnection, TcpListener } from "./tcp.ts";

/** Handles a request. @param path without the query */
export type RequestHandler = (method: string, path: string) => Response | Promise<Response>;

/** The bounds of a server. */
export interface HealthServerOptions {
  /** Connections at a time, at most. @default 16 */
  readonly maxConnections?: number;
  /** The longest life of a connection, in milliseconds. @default 10000 */
  readonly connectionTimeoutMs?: number;
  /** Called with errors that are not a client's, at most one a minute. */
  readonly onError?: (error: unknown) => void;
}

/** The longest head of a request, in bytes. */
const MAX_HEAD_BYTES = 8192;
/** The wait after a connection could not be accepted, in milliseconds. */
const ACCEPT_RETRY_MS = 100;
/** Connections at a time that are allowed however few file descriptors there are. */
const LEAST_CONNECTIONS = 4;
/** Between two reports of errors, in milliseconds. */
const REPORT_INTERVAL_MS = 60_000;

/** Serves health checks until it is disposed of. It keeps no process alive. */
export class HealthServer implements Disposable {
  readonly #listener: TcpListener;
  readonly #handler: RequestHandler;
  readonly #connectionTimeoutMs: number;
  readonly #onError: (error: unknown) => void;
  /** In the order in which they were accepted. */
  readonly #connections = new Set<TcpConnection>();
  #maxConnections: number;
  #isClosed = false;
  #reportedMs = -Infinity;

  /** @param listener the listener, which it closes at its end */
  constructor(listener: TcpListener, handler: RequestHandler, options: HealthServerOptions = {}) {
    const { maxConnections = 16, connectionTimeoutMs = 10_000, onError = () => {} } = options;
    this.#listener = listener;
    this.#handler = handler;
    this.#maxConnections = maxConnections;
    this.#connectionTimeoutMs = connectionTimeoutMs;
    this.#onError = onError;
    void this.#acceptAll();
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#listener.port;
  }

  /** Listens no longer, and closes all connections. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    for (const connection of this.#connections) this.#close(connection);
  }

  async #acceptAll(): Promise<void> {
    while (!this.#isClosed) {
      try {
        const connection = await this.#listener.accept();
        this.#connections.add(connection);
        void this.#serve(connection);
        // A file descriptor is released only once the read that waits on it has ended.
        if (this.#closeOldest(this.#maxConnections)) await delay(0);
      } catch (error) {
        if (this.#isClosed) return;
        // Out of file descriptors, most likely. The worker needs some as well: from now on fewer are taken here.
        this.#maxConnections = Math.max(LEAST_CONNECTIONS, Math.floor(this.#connections.size / 2));
        this.#closeOldest(this.#maxConnections);
        await delay(ACCEPT_RETRY_MS);
        // Not before: to read a stack without a file descriptor left makes Deno 2.9.6 panic.
        const most = `from now on at most ${this.#maxConnections} are open at a time`;
        this.#report(new Error(`Cannot accept a connection, ${most}; see "ulimit -n"`, { cause: error }));
      }
    }
  }

  async #serve(connection: TcpConnection): Promise<void> {
    const timer = setTimeout(() => this.#close(connection), this.#connectionTimeoutMs);
    runtime.unrefTimer(timer);
    try {
      const response = await this.#respond(await readHead(connection));
      await writeAll(connection, await encodeResponse(response));
      await connection.closeWrite();
      const dropped = new Uint8Array(1024);
      while (await connection.read(dropped) !== null);
    } catch {
      // The client went away, or the connection was closed here.
    } finally {
      clearTimeout(timer);
      this.#close(connection);
    }
  }

  async #respond(head: string): Promise<Response> {
    const request = parseHead(head);
    if (request === null) return new Response("Bad request\n", { status: 400 });
    try {
      return await this.#handler(request.method, request.path);
    } catch (error) {
      this.#report(error);
      return new Response("The status cannot be read\n", { status: 500 });
    }
  }

  #report(error: unknown): void {
    const nowMs = performance.now();
    if (nowMs - this.#reportedMs < REPORT_INTERVAL_MS) return;
    this.#reportedMs = nowMs;
    this.#onError(error);
  }

  /** Closes the oldest connections, so that so many are left. @returns whether there were more */
  #closeOldest(left: number): boolean {
    const excess = this.#connections.size - left;
    for (const oldest of [...this.#connections].slice(0, Math.max(0, excess))) this.#close(oldest);
    return excess > 0;
  }

  #close(connection: TcpConnection): void {
    if (this.#connections.delete(connection)) connection.close();
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => runtime.unrefTimer(setTimeout(resolve, ms)));
}

/** An empty line. */
const END_OF_HEAD = /\n\r?\n/;

/** Reads a request's head, or as much of it as there is: up to the limit, or to the end of what the client sends. */
async function readHead(connection: TcpConnection): Promise<string> {
  const bytes = new Uint8Array(MAX_HEAD_BYTES);
  const decoder = new TextDecoder("latin1");
  let head = "";
  while (head.length < MAX_HEAD_BYTES) {
    const count = await connection.read(bytes.subarray(head.length));
    if (count === null) break;
    const searched = Math.max(0, head.length - 3);
    head += decoder.decode(bytes.subarray(head.length, head.length + count));
    if (END_OF_HEAD.test(head.slice(searched))) break;
  }
  return head;
}

/**
 * Parses a request's head.
 *
 * @returns `null` where that is not a complete request for a path, or has a Host that is not a host
 */
function parseHead(head: string): { readonly method: string; readonly path: string } | null {
  const [, method, target] = /^([A-Z]+) ([\x21-\x7e]+) HTTP\/1\.[01]\r?\n/.exec(head) ?? [];
  if (method === undefined || target === undefined || !END_OF_HEAD.test(head)) return null;
  if (!head.matchAll(/^host:[ \t]*(.*?)[ \t]*\r?$/gim).every(([, host]) => isHost(host!))) return null;
  // A proxy sends the whole URL.
  const path = target.startsWith("/") ? target.replace(/[?#].*/, "") : URL.parse(target)?.pathname;
  return path?.startsWith("/") ? { method, path } : null;
}

/** Returns whether a Host header names a host; it may be empty. */
function isHost(host: string): boolean {
  return host === "" || (/^[^\s/?#@\\]+$/.test(host) && URL.canParse(`http://${host}/`));
}

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

async function encodeResponse(response: Response): Promise<Uint8Array> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  if (!headers.has("content-length")) headers.set("content-length", String(body.byteLength));
  headers.set("connection", "close");
  headers.set("date", new Date().toUTCString());
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = new TextEncoder().encode(
    `HTTP/1.1 ${response.status} ${REASONS[response.status] ?? ""}\r\n${lines}\r\n`,
  );
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

async function writeAll(connection: TcpConnection, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}
