/**
 * An HTTP server for a `fetch` handler: `Deno.serve` in Deno, elsewhere `node:http`. A client that goes away does not end the
 * process.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

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

/**
 * Listens on an address.
 *
 * @throws the error of the runtime if the address is in use, or not allowed
 */
export async function serveHttp(
  address: { readonly hostname: string; readonly port: number },
  handler: FetchHandler,
): Promise<HttpServer> {
  return "Deno" in globalThis ? serveInDeno(address, handler) : await serveInNode(address, handler);
}

function serveInDeno(
  address: { readonly hostname: string; readonly port: number },
  handler: FetchHandler,
): HttpServer {
  const abort = new AbortController();
  const server = Deno.serve(
    { ...address, signal: abort.signal, onListen() {} },
    (request, { remoteAddr }) => handler(request, { remoteAddr }),
  );
  return { port: server.addr.port, shutdown: () => server.shutdown(), abort: () => abort.abort() };
}

async function serveInNode(
  { hostname, port }: { readonly hostname: string; readonly port: number },
  handler: FetchHandler,
): Promise<HttpServer> {
  const { createServer } = await import("node:http");
  const server: Server = createServer((message, output) => {
    respond(message, output, handler).catch((error) => {
      // The client went away, or the handler failed.
      if (!output.headersSent) output.statusCode = 500;
      output.end();
      if (!output.destroyed) console.error(error);
    });
  });
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

async function respond(message: IncomingMessage, output: ServerResponse, handler: FetchHandler): Promise<void> {
  const request = await toRequest(message);
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
}

/** Makes a request of the web. @returns `null` if its Host or its target is not one */
async function toRequest(message: IncomingMessage): Promise<Request | null> {
  const { method = "GET", headers, url = "/" } = message;
  if (!url.startsWith("/")) return null;
  const whole = URL.parse(`http://${headers.host ?? "localhost"}${url}`);
  if (whole === null) return null;
  const list = Object.entries(headers).flatMap(([name, value = []]) =>
    (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, one])
  );
  const hasBody = method !== "GET" && method !== "HEAD";
  const { Readable } = await import("node:stream");
  return new Request(whole, {
    method,
    headers: list,
    ...(hasBody ? { body: Readable.toWeb(message) as unknown as ReadableStream, duplex: "half" } : {}),
  } as RequestInit);
}
