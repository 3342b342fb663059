/**
 * An HTTP server for a `fetch` handler, by `node:http` in each runtime: `Deno.serve` has no limits for connections and time, and
 * ends the process when it runs out of file descriptors (Deno 2.9.6). Any client of the network may connect to it, so it is
 * bounded:
 *
 * - A request must have arrived within 30 s, its head of at most 16 KiB within 10 s; a connection on which nothing moves for 30 s
 *   is closed.
 * - Of more connections than allowed, the one that has been without a request for the longest time is closed.
 * - A client that goes away, or sends no HTTP, does not get into the log.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** Handles a request. @param info the address of the client, as `Deno.serve` gives it */
export type FetchHandler = (
  request: Request,
  info: { readonly remoteAddr: { readonly hostname?: string } },
) => Response | Promise<Response>;

/** A server that listens. */
export interface HttpServer {
  /** The port that it listens on. */
  readonly port: number;
  /** Accepts no more requests. @returns a promise that resolves once the last response is sent */
  shutdown(): Promise<void>;
  /** Ends what `shutdown` still waits for. */
  abort(): void;
}

/** The bounds of a server. */
export interface HttpLimits {
  /** Connections at a time, at most. @default 64 */
  readonly maxConnections?: number;
  /** The longest time until the head of a request has arrived, in milliseconds. @default 10000 */
  readonly headTimeoutMs?: number;
  /** The longest time until a whole request has arrived, and in which nothing moves, in milliseconds. @default 30000 */
  readonly requestTimeoutMs?: number;
}

/** The longest head of a request, in bytes. */
const MAX_HEAD_BYTES = 16 * 1024;
/** Between two checks for requests that take too long, in milliseconds. */
const CHECK_MS = 1000;

/**
 * Listens on an address.
 *
 * @throws the error of the runtime if the address is in use, or not allowed
 */
export async function serveHttp(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  handler: FetchHandler,
  { maxConnections = 64, headTimeoutMs = 10_000, requestTimeoutMs = 30_000 }: HttpLimits = {},
): Promise<HttpServer> {
  const { createServer } = await import("node:http");
  const connections = new Connections(maxConnections);
  const options = {
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: Math.min(headTimeoutMs, requestTimeoutMs),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headTimeoutMs),
  };
  const server: Server = createServer(options, (message, output) => {
    connections.use(message.socket, output);
    respond(message, output, handler).catch((error) => {
      // The client went away, or the handler failed.
      if (!output.headersSent) output.statusCode = 500;
      output.end();
      if (!output.destroyed) console.error(error);
    });
  });
  server.setTimeout(requestTimeoutMs);
  server.on("connection", (socket) => connections.add(socket));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    shutdown: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    abort: () => server.closeAllConnections(),
  };
}

/** The open connections of a server: of more than a number of them, one is closed. */
class Connections {
  readonly #max: number;
  /** Those without a request: the one that has been so for the longest time comes first. */
  readonly #idle = new Set<Socket>();
  /** Those with a request, the oldest request first. */
  readonly #busy = new Set<Socket>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Adds a connection that was accepted. */
  add(socket: Socket): void {
    this.#idle.add(socket);
    socket.once("close", () => this.#delete(socket));
    if (this.#idle.size + this.#busy.size <= this.#max) return;
    const [first] = this.#idle.size > 1 ? this.#idle : this.#busy;
    this.#delete(first!);
    first!.destroy();
  }

  /** Notes that a request has arrived on a connection, until its response is sent. */
  use(socket: Socket, output: ServerResponse): void {
    this.#idle.delete(socket);
    this.#busy.add(socket);
    output.once("close", () => {
      if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
    });
  }

  #delete(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }
}

async function respond(message: IncomingMessage, output: ServerResponse, handler: FetchHandler): Promise<void> {
  const request = toRequest(message);
  if (request === null) {
    output.statusCode = 400;
    output.end();
    return;
  }
  const hostname = message.socket.remoteAddress;
  const response = await handler(request, { remoteAddr: hostname === undefined ? {} : { hostname } });
  output.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== "set-cookie") output.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) output.setHeader("set-cookie", cookies);
  for await (const chunk of response.body ?? []) output.write(chunk);
  output.end();
  // The rest of the request is read and dropped, so that the response is not lost to a reset.
  message.resume();
}

/** Makes a request of the web. @returns `null` if its method, its Host or its target is not one */
function toRequest(message: IncomingMessage): Request | null {
  const { method = "GET", headers, url = "/" } = message;
  const { host = "localhost" } = headers;
  const whole = URL.parse(`http://${host}${url}`);
  if (!url.startsWith("/") || host.includes("@") || whole === null) return null;
  const list = Object.entries(headers).flatMap(([name, value = []]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, one])
  );
  const hasBody = method !== "GET" && method !== "HEAD";
  try {
    return new Request(whole, {
      method,
      headers: list,
      ...(hasBody ? { body: bodyOf(message), duplex: "half" } : {}),
    } as RequestInit);
  } catch {
    return null;
  }
}

/** Returns the body of a request. A reader that does not want the rest leaves the connection open. */
function bodyOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = message.iterator({ destroyOnReturn: false });
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => void await chunks.return?.(),
  }, { highWaterMark: 0 });
}
