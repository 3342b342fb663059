/** The health server over real sockets: any request gets a response, and no client can delay it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { HealthServer, type HealthServerOptions } from "../../src/cli/health_server.ts";
import { listenTcp } from "../../src/cli/tcp.ts";
import { until } from "../support/until.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };
const handler = (method: string, path: string) => new Response(method === "HEAD" ? null : `${method} ${path}`);

/** Sends bytes, and returns everything that comes back until the end of the connection. */
async function exchange(port: number, request: string | Uint8Array<ArrayBuffer>): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = typeof request === "string" ? new TextEncoder().encode(request) : request;
  for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
  return await new Response(connection.readable).text();
}

/** Opens a connection that has sent half a request. */
async function openSlow(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode("GET /livez HTTP/1.1\r\nX:"));
  return connection;
}

/** Waits until the server has closed a connection. */
async function isClosed(connection: Deno.TcpConn): Promise<boolean> {
  return await connection.read(new Uint8Array(1)).catch(() => null) === null;
}

const HEAD = "Host: a\r\n\r\n";

Deno.test("HealthServer responds once to a request, with the handler's response and its length", async () => {
  using server = new HealthServer(await listenTcp(LOCAL), handler);
  const [head, body] = (await exchange(server.port, `GET /livez HTTP/1.1\r\n${HEAD}`)).split("\r\n\r\n");
  const [status, ...headers] = head!.split("\r\n");
  assertEquals([status, body], ["HTTP/1.1 200 OK", "GET /livez"]);
  assertEquals(headers.map((line) => line.replace(/^date: .*GMT$/, "date: …")), [
    "connection: close",
    "content-length: 10",
    "content-type: text/plain;charset=UTF-8",
    "date: …",
  ]);
  const twice = await exchange(server.port, `GET /a HTTP/1.1\r\n${HEAD}GET /b HTTP/1.1\r\n${HEAD}`);
  assertEquals(twice.match(/HTTP\/1\.1 \d+|\w+ \/[ab]/g), ["HTTP/1.1 200", "GET /a"]);
  const response = await fetch(`http://127.0.0.1:${server.port}/x?y`, { method: "POST", body: "z".repeat(100_000) });
  assertEquals(await response.text(), "POST /x");
});

Deno.test("HealthServer responds to any request for a path, and refuses everything else", async () => {
  using server = new HealthServer(await listenTcp(LOCAL), handler);
  const ok = { "GET /livez": 200 };
  const cases: Readonly<Record<string, number | object>> = {
    [`GET /livez HTTP/1.1\r\nHost: [::\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nHost: a:99999\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nHost: \u001b[31m%zz@\u0000\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nhost: a@b\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nHost: a\r\nHOST: %zz\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nHost: [::1]:9090 \r\n\r\n`]: ok,
    [`GET /livez HTTP/1.1\r\nHost:\r\nX: \u001b\u0000\r\n\r\n`]: ok,
    [`GET /livez HTTP/1.1\r\n\r\n`]: ok,
    [`GET /livez HTTP/1.0\r\n\r\n`]: ok,
    [`GET /livez HTTP/1.1\n\n`]: ok,
    [`GET /livez?Host:x HTTP/1.1\r\n${HEAD}`]: ok,
    [`GET http://x/livez HTTP/1.1\r\n${HEAD}`]: ok,
    [`GET /livez HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n`]: ok,
    [`GET //x:9999999/livez HTTP/1.1\r\n${HEAD}`]: { "GET //x:9999999/livez": 200 },
    [`HEAD /livez HTTP/1.1\r\n${HEAD}`]: 200,
    [`GET http://[::/livez HTTP/1.1\r\n${HEAD}`]: 400,
    [`OPTIONS * HTTP/1.1\r\n${HEAD}`]: 400,
    [`CONNECT a:1 HTTP/1.1\r\n${HEAD}`]: 400,
    [`GET /\u001b[31m HTTP/1.1\r\n${HEAD}`]: 400,
    [`GET /a b HTTP/1.1\r\n${HEAD}`]: 400,
    [`get /livez HTTP/1.1\r\n${HEAD}`]: 400,
    [`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`]: 400,
    [`GET /livez HTTP/1.1\r\nX: ${"a".repeat(20_000_000)}\r\n${HEAD}`]: 400,
    [`GET /${"a".repeat(8192)} HTTP/1.1\r\n${HEAD}`]: 400,
  };
  for (const [request, expected] of Object.entries(cases)) {
    const [head, body] = (await exchange(server.port, request)).split("\r\n\r\n");
    const status = Number(head!.split(" ")[1]);
    assertEquals(typeof expected === "number" ? status : { [body!]: status }, expected, request.slice(0, 100));
    if (status === 400) assertEquals(body, "Bad request\n");
  }
});

Deno.test("HealthServer survives random bytes", async () => {
  using server = new HealthServer(await listenTcp(LOCAL), handler, { connectionTimeoutMs: 200 });
  await Promise.all(Array.from({ length: 20 }, async (_, n) => {
    const bytes = crypto.getRandomValues(new Uint8Array(1000 * n));
    await exchange(server.port, bytes).catch(() => {});
  }));
  // A connection of a process that stood still for its time limit is closed.
  await until(
    async () => (await exchange(server.port, `GET /livez HTTP/1.1\r\n${HEAD}`).catch(String)).endsWith("GET /livez"),
    () => "the server does not respond",
  );
});

Deno.test("HealthServer closes a connection that sends, or reads, too slowly", async () => {
  const large = () => new Response(new Uint8Array(50_000_000));
  using server = new HealthServer(await listenTcp(LOCAL), large, { connectionTimeoutMs: 100 });
  using silent = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  using slow = await openSlow(server.port);
  assertEquals(await Promise.all([isClosed(silent), isClosed(slow)]), [true, true]);
  using reader = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await reader.write(new TextEncoder().encode(`GET /livez HTTP/1.1\r\n${HEAD}`));
  // This one is accepted later, so it is closed later.
  using later = await openSlow(server.port);
  await isClosed(later);
  let received = 0;
  try {
    for await (const part of reader.readable) received += part.length;
  } catch {
    // The connection may be reset as well.
  }
  assert(received < 50_000_000, `${received} bytes`);
});

Deno.test("HealthServer closes its oldest connections, and responds, while there are too many", async () => {
  // The time limit of a connection closes none of them while the test runs.
  using server = new HealthServer(await listenTcp(LOCAL), handler, { maxConnections: 5, connectionTimeoutMs: 600_000 });
  const slow: Deno.TcpConn[] = [];
  for (let n = 0; n < 50; n++) slow.push(await openSlow(server.port));
  assert((await exchange(server.port, `GET /livez HTTP/1.1\r\n${HEAD}`)).endsWith("GET /livez"));
  assertEquals(await Promise.all(slow.slice(0, 46).map(isClosed)), Array(46).fill(true));
  // The newest ones are still there: they may end their request.
  for (const connection of slow.slice(46)) {
    await connection.write(new TextEncoder().encode("\r\n\r\n"));
    assert((await new Response(connection.readable).text()).endsWith("GET /livez"));
  }
  for (const connection of slow.slice(0, 46)) connection.close();
});

Deno.test("HealthServer responds with 500 where its handler throws, and reports that once a minute", async () => {
  const errors: unknown[] = [];
  const options: HealthServerOptions = { onError: (error) => errors.push(error) };
  const error = new Error("no status");
  using server = new HealthServer(await listenTcp(LOCAL), () => Promise.reject(error), options);
  for (let n = 0; n < 2; n++) {
    assertEquals(
      (await exchange(server.port, `GET / HTTP/1.1\r\n${HEAD}`)).split("\r\n")[0],
      "HTTP/1.1 500 Internal Server Error",
    );
  }
  assertEquals(errors, [error]);
});

Deno.test("HealthServer closes its connections when it is disposed of", async () => {
  const server = new HealthServer(await listenTcp(LOCAL), handler);
  using slow = await openSlow(server.port);
  await exchange(server.port, `GET /livez HTTP/1.1\r\n${HEAD}`);
  server[Symbol.dispose]();
  server[Symbol.dispose]();
  assertEquals(await isClosed(slow), true);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port: server.port }));
});
