/** The server of `web`: its limits of connections, sizes and time, with the clients that run into them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { type FetchHandler, type HttpLimits, serveHttp } from "../../src/cli/http.ts";
import { until } from "../support/until.ts";

const POST = "POST / HTTP/1.1\r\nhost: localhost\r\n";

/** Serves a handler. */
async function serve(handler: FetchHandler, limits: HttpLimits = {}) {
  const server = await serveHttp({ hostname: "127.0.0.1", port: 0 }, handler, limits);
  return {
    port: server.port,
    shutdown: () => server.shutdown(),
    /** Opens a connection, and sends something. */
    async connect(text = "") {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      await connection.write(new TextEncoder().encode(text));
      return connection;
    },
    async [Symbol.asyncDispose]() {
      const ended = server.shutdown();
      server.abort();
      await ended;
    },
  };
}

/** Returns the first line of a response; `""` if the connection is closed without one. */
async function firstLine(connection: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(4096);
  const length = await connection.read(bytes).catch(() => null);
  return new TextDecoder().decode(bytes.subarray(0, length ?? 0)).split("\r\n")[0]!;
}

const respondOk: FetchHandler = () => new Response("ok");
/** Reads the whole body. */
const readBody: FetchHandler = async (request) => new Response(String((await request.arrayBuffer()).byteLength));

Deno.test("a connection without a byte is given up", async () => {
  await using the = await serve(respondOk, { headTimeoutMs: 50 });
  using connection = await the.connect();
  assertMatch(await firstLine(connection), /^(HTTP\/1\.1 408 .*)?$/);
});

for (
  const [part, start] of [["head", "GET / HTTP/1.1\r\nx: "], [
    "body",
    `${POST}content-length: 1000000000\r\n\r\n`,
  ]] as const
) {
  Deno.test(`a ${part} that comes byte by byte is given up after its time limit`, async () => {
    await using the = await serve(readBody, { headTimeoutMs: 50, requestTimeoutMs: 100 });
    using connection = await the.connect(start);
    const isClosed = () => connection.write(new TextEncoder().encode("a")).then(() => false, () => true);
    await until(isClosed, () => `the server still waits for the ${part}`);
  });
}

Deno.test("a client that does not read its response is given up", async () => {
  const sent = Promise.withResolvers<void>();
  await using the = await serve(() => {
    sent.resolve();
    return new Response(new Uint8Array(64 * 1024 * 1024));
  }, { requestTimeoutMs: 100 });
  using _ = await the.connect("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  await sent.promise;
  let hasEnded = false;
  void the.shutdown().then(() => hasEnded = true);
  await until(() => hasEnded, () => "the response is still being sent");
});

Deno.test("of too many connections the one that has been without a request for the longest time is closed", async () => {
  const waiting: PromiseWithResolvers<Response>[] = [];
  await using the = await serve(() => {
    const response = Promise.withResolvers<Response>();
    waiting.push(response);
    return response.promise;
  }, { maxConnections: 3 });
  const request = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
  using busy = await the.connect(request);
  await until(() => waiting.length === 1, () => "no request");
  using first = await the.connect("GET");
  using second = await the.connect("GET");
  using third = await the.connect(request);
  assertEquals(await firstLine(first), "");
  await until(() => waiting.length === 2, () => "no second request");
  for (const response of waiting) response.resolve(new Response("ok"));
  for (const connection of [busy, third]) assertEquals(await firstLine(connection), "HTTP/1.1 200 OK");
  await second.write(new TextEncoder().encode(request.slice(3)));
  await until(() => waiting.length === 3, () => "no third request");
  waiting[2]!.resolve(new Response("ok"));
  assertEquals(await firstLine(second), "HTTP/1.1 200 OK");
});

Deno.test("a request that is not one is 400 or 431, and is not logged", async () => {
  const logged: unknown[] = [];
  const { error } = console;
  console.error = (...line: unknown[]) => void logged.push(line);
  try {
    await using the = await serve(respondOk);
    for (
      const [text, status] of [
        ["nonsense\r\n\r\n", 400],
        ["GET / HTTP/1.1\r\n\r\n", 400],
        ["GET / HTTP/1.1\r\nhost: a b\r\n\r\n", 400],
        ["GET / HTTP/1.1\r\nhost: user@localhost\r\n\r\n", 400],
        ["GET http://evil.test/ HTTP/1.1\r\nhost: localhost\r\n\r\n", 400],
        ["TRACE / HTTP/1.1\r\nhost: localhost\r\n\r\n", 400],
        [`GET / HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(1024 * 1024)}\r\n\r\n`, 431],
        [`GET /${"a".repeat(1024 * 1024)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, 431],
        ["GET / HTTP/1.0\r\n\r\n", 200],
      ] as const
    ) {
      using connection = await the.connect(text);
      assert((await firstLine(connection)).startsWith(`HTTP/1.1 ${status} `), text.slice(0, 60));
    }
    assertEquals(logged, []);
  } finally {
    console.error = error;
  }
});

Deno.test("a body that the handler does not want, or only in part, is dropped, and the response arrives", async () => {
  const handlers: FetchHandler[] = [
    () => new Response(null, { status: 403 }),
    async (request) => {
      const reader = request.body!.getReader();
      await reader.read();
      await reader.cancel();
      return new Response(null, { status: 403 });
    },
  ];
  for (const handler of handlers) {
    await using the = await serve(handler);
    const body = new Uint8Array(20 * 1024 * 1024);
    const response = await fetch(`http://127.0.0.1:${the.port}/`, { method: "POST", body });
    await response.body?.cancel();
    assertEquals(response.status, 403);
  }
});
