/** `web`, as a real process: addresses, passwords, the Host, signals. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Child, CLI, cli } from "../support/child.ts";

const APP = "tests/cli/apps/hello.ts";

/** A process that serves the dashboard. */
class WebChild extends Child {
  readonly url: Promise<string>;

  constructor(args: readonly string[] = [], env: Record<string, string> = {}) {
    super([CLI, "web", "--app", APP, "--port", "0", ...args], { env });
    this.url = this.line(/^Dashboard on /).then((line) =>
      line.replace("Dashboard on ", "").replace("0.0.0.0", "127.0.0.1")
    );
  }

  async status(headers: Record<string, string> = {}, init: RequestInit = {}): Promise<number> {
    const response = await fetch(`${await this.url}about`, { ...init, headers });
    await response.body?.cancel();
    return response.status;
  }

  /** Returns the response to a request with a Host, which `fetch` does not let set. */
  async responseTo(host: string): Promise<string> {
    const { port } = new URL(await this.url);
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    const request = `GET /about HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    return await new Response(connection.readable).text();
  }
}

const basic = (credentials: string) => ({ authorization: `Basic ${btoa(credentials)}` });

Deno.test("web serves this machine without a worker and a password until TERM, and no page of another name", async () => {
  await using child = new WebChild();
  assertMatch(await child.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assertEquals(await child.status(), 200);
  assertMatch(await child.responseTo("evil.test"), /^HTTP\/1\.1 403 /);
  child.signal("SIGTERM");
  assertEquals((await child.ended()).code, 0);
});

Deno.test("web asks for the user and the password wherever it listens", async () => {
  await using child = new WebChild([
    "--host",
    "0.0.0.0",
    "--user",
    "ada",
    "--password-env",
    "WEB_PASSWORD",
    "--read-only",
  ], {
    WEB_PASSWORD: "h:ö",
  });
  const response = await fetch(`${await child.url}about`);
  assertEquals([response.status, response.headers.get("www-authenticate")], [
    401,
    'Basic realm="jobs", charset="UTF-8"',
  ]);
  await response.body?.cancel();
  const utf8 = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));
  for (const wrong of ["ada:", "ada:h", "ben:h:ö", "ada", ""].map(utf8)) {
    assertEquals(await child.status(basic(wrong)), 401, wrong);
  }
  assertEquals(await child.status({ authorization: "Basic %" }), 401);
  assertEquals(await child.status({ authorization: "Bearer abc" }), 401);
  const right = basic(utf8("ada:h:ö"));
  assertEquals(await child.status(right), 200);
  assertEquals(
    await child.status({ ...right, "sec-fetch-site": "same-origin" }, { method: "POST" }),
    403,
    "--read-only",
  );
  child.signal("SIGINT");
  assertEquals((await child.ended()).code, 0);
});

Deno.test("web refuses another address without a password, and a password that is not there", async () => {
  const run = async (...args: string[]) => {
    const { code, stderr } = await cli(["web", "--app", APP, ...args]);
    return [code, stderr[0]];
  };
  assertEquals(await run("--host", "0.0.0.0"), [
    64,
    'error: On "0.0.0.0" every machine of the network can reach the dashboard: add --user and --password-env, or --insecure',
  ]);
  assertEquals(await run("--user", "ada"), [64, 'error: Options "--user" and "--password-env" need each other']);
  assertEquals(await run("--user", "ada", "--password-env", "WEB_NO_PASSWORD"), [
    1,
    'error: There is no password: the environment variable "WEB_NO_PASSWORD" is not set',
  ]);
  assertEquals(await run("--port", "70000"), [
    64,
    'error: Option "--port" must be a port from 0 to 65535, but it is "70000"',
  ]);
});

Deno.test("web says that the address is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { code, stderr } = await cli(["web", "--app", APP, "--port", String(listener.addr.port)]);
  assertEquals(code, 1);
  assertMatch(
    stderr.join("\n"),
    new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${listener.addr.port} for the dashboard`),
  );
});

Deno.test("web --insecure serves other machines without a password", async () => {
  await using child = new WebChild(["--host", "0.0.0.0", "--insecure", "--public-host", "127.0.0.1"]);
  assertEquals(await child.status(), 200);
});

Deno.test("web --insecure needs the name by which browsers reach it, and refuses another one", async () => {
  const { code, stderr } = await cli(["web", "--app", APP, "--host", "0.0.0.0", "--insecure"]);
  assertEquals(code, 64);
  assertStringIncludes(stderr[0]!, "add --public-host with the name by which browsers reach it");
  for (const args of [["--insecure"], ["--host", "0.0.0.0", "--insecure", "--public-host", "jobs.example.com"]]) {
    await using child = new WebChild(args);
    assertMatch(await child.responseTo("evil.test"), /^HTTP\/1\.1 403 /, args.join(" "));
  }
});
