/** Requests of the dashboard: access, origins, hosts, headers, methods, and pages that cannot be loaded. */
import type { EventMap } from "@activejob/kafka";
import { dashboard, type DashboardOptions } from "@activejob/kafka/web";
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DashboardHandler } from "../../../src/web/dashboard/dashboard.ts";
import { html } from "../../../src/web/dashboard/html.ts";
import { type Page, PageError } from "../../../src/web/dashboard/page.ts";
import { createPlainApp } from "../../support/dashboard.ts";
import type { App } from "../../../src/app/app.ts";

const SITE = "http://jobs.test";
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/** A page that shows its data, and an action that counts. */
function createPage(counts: { acted: number; loaded: number }): Page<unknown> {
  return {
    path: "things/:thing",
    nav: null,
    title: () => "A thing",
    load(_app, { params: { thing }, access, query, redact }) {
      counts.loaded++;
      if (thing === "silent") return new Promise(() => {});
      if (thing === "broken") throw new Error("secret of the page");
      if (thing === "missing") throw new PageError(404, "There is no such thing");
      return Promise.resolve({ thing, access, more: query.get("more"), data: redact({ password: "hunter2", a: [1] }) });
    },
    render: (data, { url, outcome }) =>
      html`<p>${JSON.stringify(data)}</p><a href="${url("about")}">About</a>${outcome?.message}`,
    actions: [{
      name: "count",
      perform(_app, { form, user }) {
        counts.acted++;
        if (form.get("how") === "throw") throw new Error("no way");
        return Promise.resolve({ outcome: "done", target: "a thing", message: `Counted <once> for ${user}` });
      },
    }],
  };
}

function setUp(options: Partial<DashboardOptions> = {}) {
  const app = createPlainApp();
  const counts = { acted: 0, loaded: 0 };
  const acted: EventMap["operator.acted"][] = [];
  const errors: string[] = [];
  app.on("operator.acted", (event) => acted.push(event));
  app.on("error.occurred", ({ where, error }) => errors.push(`${where}: ${error.message}`));
  const handler = new DashboardHandler(app, {
    authorize(request) {
      const [user, access] = (request.headers.get("x-user") ?? "").split(":");
      return user === "" ? null : { user: user!, access: access === "operate" ? "operate" : "read" };
    },
    ...options,
  }, [createPage(counts)]);
  const request = (path: string, init: RequestInit = {}, info?: unknown) =>
    handler.fetch(new Request(path.startsWith("http") ? path : `${SITE}${path}`, init), info);
  const post = (headers: Record<string, string>, path = "/things/one", body = "action=count") =>
    request(path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", "x-user": "ada:operate", ...headers },
      body,
    });
  return { counts, acted, errors, request, post, handler, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

const READER = { headers: { "x-user": "ben" } };

Deno.test("dashboard() refuses to be made without authorize, and with a wrong option", async () => {
  await using app = createPlainApp();
  assertThrows(() => dashboard(app, {}), Error, 'needs the option "authorize"');
  assertThrows(() => dashboard({} as App, { publicRead: true }), Error, "needs an App, but it is given an object");
  assertThrows(() => dashboard(app, { publicRead: false }), Error, 'needs the option "authorize"');
  for (const wrong of [{ basePath: "jobs" }, { basePath: "/jobs/" }, { hosts: "all" }, { autorize: () => null }]) {
    assertThrows(() => dashboard(app, { publicRead: true, ...wrong } as DashboardOptions), Error, "dashboard()");
  }
});

Deno.test("a request without a user gets 403 at every path, and nothing is loaded", async () => {
  await using the = setUp();
  for (const path of ["/things/one", "/api/things/one", "/assets/style.css", "/nothing"]) {
    assertEquals((await the.request(path)).status, 403, path);
  }
  assertEquals(await (await the.request("/things/one")).text(), "Not allowed\n");
  assertEquals(the.counts, { acted: 0, loaded: 0 });
});

Deno.test("publicRead lets a request without a user read, and not change things", async () => {
  await using the = setUp({ publicRead: true });
  assertEquals((await the.request("/things/one")).status, 200);
  const response = await the.post({ "x-user": "", "sec-fetch-site": "same-origin" });
  assertEquals([response.status, the.counts.acted], [403, 0]);
});

Deno.test("a user who may only read is refused a POST, whatever the path is, and the attempt is an event", async () => {
  await using the = setUp();
  for (const path of ["/things/one", "/nothing"]) {
    const response = await the.post({ "x-user": "ben", "sec-fetch-site": "same-origin" }, path);
    assertEquals(response.status, 403);
    assertMatch(await response.text(), /You may look, but not change things/);
  }
  assertEquals(the.counts, { acted: 0, loaded: 0 });
  assertEquals(the.acted.map(({ user, path, outcome }) => [user, path, outcome]), [
    ["ben", "/things/one", "refused"],
    ["ben", "/nothing", "refused"],
  ]);
});

Deno.test("authorize that throws, or returns anything else, is 500 without details, and logged", async () => {
  for (
    const authorize of [
      () => {
        throw new Error("secret of the session store");
      },
      () => Promise.reject(new Error("secret of the session store")),
      () => ({ user: "ada", access: "root" }) as never,
      () => ({ user: 7, access: "read" }) as never,
      () => true as never,
      () => ({ user: "", access: "read" }) as const,
      () => ({ user: "a".repeat(256), access: "read" }) as const,
      () => new Promise<never>(() => {}),
      () => Response.error(),
    ]
  ) {
    await using the = setUp({ authorize, publicRead: true, loadTimeoutMs: 20 });
    const response = await the.request("/things/one");
    assertEquals(response.status, 500);
    assertEquals(await response.text(), "The request cannot be authorized: the log has the error\n");
    assertEquals([the.errors.length, the.counts.loaded], [1, 0]);
    assertMatch(the.errors[0]!, /^authorize of the dashboard: /);
  }
});

Deno.test("authorize without a result is logged with what it must return", async () => {
  await using the = setUp({ authorize: () => undefined as never });
  assertEquals((await the.request("/things/one")).status, 500);
  assertMatch(the.errors[0]!, /authorize\(\) must return/);
});

Deno.test("a response of authorize is sent as it is, with the headers", async () => {
  const authorize = () => new Response(null, { status: 303, headers: { location: "/sign-in" } });
  await using the = setUp({ authorize });
  const response = await the.request("/things/one");
  assertEquals([response.status, response.headers.get("location")], [303, "/sign-in"]);
  assertEquals(response.headers.get("content-security-policy"), POLICY);
});

Deno.test("a POST is accepted from the same origin only", async () => {
  await using the = setUp();
  const cases: [headers: Record<string, string>, isAccepted: boolean][] = [
    [{ "sec-fetch-site": "same-origin" }, true],
    [{ "sec-fetch-site": "none" }, true],
    [{ "sec-fetch-site": "same-site" }, false],
    [{ "sec-fetch-site": "cross-site" }, false],
    [{ "sec-fetch-site": "cross-site", origin: SITE }, false],
    [{ "sec-fetch-site": "" }, false],
    [{ origin: SITE }, true],
    [{ origin: "http://JOBS.test" }, true],
    [{ origin: "http://evil.test" }, false],
    [{ origin: `${SITE}.evil.test` }, false],
    [{ origin: `${SITE}:8080` }, false],
    [{ origin: "null" }, false],
    [{ origin: "" }, false],
    [{ referer: `${SITE}/things/one` }, false],
    [{}, false],
  ];
  for (const [headers, isAccepted] of cases) {
    const before = the.counts.acted;
    const { status } = await the.post(headers);
    assertEquals([status, the.counts.acted - before], isAccepted ? [303, 1] : [403, 0], JSON.stringify(headers));
  }
});

Deno.test("Origin is compared with the Host, also where the URL has another one", async () => {
  await using the = setUp();
  for (const origin of ["", "null", "proxy.test", "http://"]) {
    assertEquals((await the.post({ host: "not a host", origin })).status, 403);
  }
  const host = { host: "proxy.test:8443" };
  assertEquals((await the.post({ ...host, origin: "https://proxy.test:8443" })).status, 303);
  assertEquals((await the.post({ ...host, origin: SITE })).status, 403);
});

Deno.test("a client on this machine must use a name of this machine, unless hosts says otherwise", async () => {
  const near = { remoteAddr: { hostname: "127.0.0.1" } };
  const status = async (options: Partial<DashboardOptions>, host: string, info: unknown = near) => {
    await using the = setUp({ ...options, publicRead: true });
    return (await the.request("/things/one", { headers: { host } }, info)).status;
  };
  for (const host of ["localhost", "localhost:9091", "127.0.0.1:9091", "[::1]:9091", "a.localhost", "LOCALHOST"]) {
    assertEquals(await status({}, host), 200, host);
  }
  for (
    const host of ["evil.test", "localhost.evil.test", "127.0.0.1.evil.test", "192.168.0.1", "evil.test@localhost"]
  ) {
    assertEquals(await status({}, host), 403, host);
  }
  const infos = [
    { remoteAddr: { hostname: "::1" } },
    { remoteAddr: { hostname: "::ffff:127.0.0.1" } },
    { incoming: { socket: { remoteAddress: "127.0.0.1" } } },
    { requestIP: () => ({ address: "127.0.0.1" }) },
  ];
  for (const info of infos) assertEquals(await status({}, "evil.test", info), 403, JSON.stringify(info));
  assertEquals(await status({}, "jobs.example.com", { remoteAddr: { hostname: "10.0.0.7" } }), 200);
  assertEquals(await status({ hosts: ["jobs.example.com"] }, "Jobs.example.com:8443"), 200);
  assertEquals(await status({ hosts: ["jobs.example.com:8443"] }, "jobs.example.com:8443"), 200);
  assertEquals(await status({ hosts: ["jobs.example.com:8443"] }, "jobs.example.com"), 403);
  assertEquals(await status({ hosts: ["jobs.example.com"] }, "localhost", null), 403);
  assertEquals(await status({ hosts: "any" }, "evil.test"), 200);
});

Deno.test("every response has the headers, and says its length", async () => {
  await using the = setUp();
  for (const path of ["/things/one", "/api/things/one", "/assets/style.css", "/nothing", "/things/broken"]) {
    const response = await the.request(path, READER);
    const { headers } = response;
    assertEquals(headers.get("content-security-policy"), POLICY, path);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(Number(headers.get("content-length")), (await response.bytes()).length);
  }
});

Deno.test("HEAD has the headers of GET and no body; other methods get 405 with those that are allowed", async () => {
  await using the = setUp();
  const get = await the.request("/things/one", READER);
  const head = await the.request("/things/one", { ...READER, method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
  assertEquals(head.headers.get("content-length"), get.headers.get("content-length"));
  await get.body?.cancel();
  const operator = { "x-user": "ada:operate", "sec-fetch-site": "same-origin" };
  const methods = async (path: string, method: string) => {
    const response = await the.request(path, { method, headers: operator });
    await response.body?.cancel();
    return [response.status, response.headers.get("allow")];
  };
  assertEquals(await methods("/things/one", "PUT"), [405, "GET, HEAD, POST"]);
  assertEquals(await methods("/things/one", "DELETE"), [405, "GET, HEAD, POST"]);
  assertEquals(await methods("/api/things/one", "POST"), [405, "GET, HEAD"]);
  assertEquals(await methods("/assets/style.css", "POST"), [405, "GET, HEAD"]);
  assertEquals(the.counts.acted, 0);
});

Deno.test("a path without a page is 404, also one that cannot be decoded", async () => {
  await using the = setUp();
  for (
    const path of ["/nothing", "/things", "/things/", "/things/one/", "//things/one", "/things/%ff", "/api", "/api/x"]
  ) {
    const response = await the.request(path, READER);
    assertEquals(response.status, 404, path);
    await response.body?.cancel();
  }
  assertEquals((await the.request("/things/missing", READER)).status, 404);
});

Deno.test("the data of a page is JSON below /api, without secrets", async () => {
  await using the = setUp();
  const response = await the.request("/api/things/a%2Fb?more=1", READER);
  assertEquals(response.headers.get("content-type"), "application/json; charset=utf-8");
  const data = { password: "[redacted]", a: [1] };
  assertEquals(await response.json(), { thing: "a/b", access: "read", more: "1", data });
});

Deno.test("redact of the options replaces the default", async () => {
  await using the = setUp({ redact: (key, value) => key === "a" ? "hidden" : value });
  const { data } = await (await the.request("/api/things/one", READER)).json();
  assertEquals(data, { password: "hunter2", a: "hidden" });
});

Deno.test("a page whose load does not end says so within the time limit", async () => {
  await using the = setUp({ loadTimeoutMs: 20 });
  const response = await the.request("/things/silent", READER);
  assertEquals(response.status, 503);
  assertMatch(
    await response.text(),
    /The page was not ready within 20 ms: the broker memory: does not respond, or there is too much/,
  );
  assertEquals((await the.request("/api/things/silent", READER)).status, 503);
});

Deno.test("a page that fails is 500 without details, and logged", async () => {
  await using the = setUp();
  const response = await the.request("/things/broken", READER);
  assertEquals(response.status, 500);
  assert(!(await response.text()).includes("secret"));
  assertEquals(the.errors, ["page /things/broken of the dashboard: secret of the page"]);
});

Deno.test("an action is performed once, is an event, and its outcome is shown once, to its user", async () => {
  await using the = setUp();
  const response = await the.post({ "sec-fetch-site": "same-origin" });
  const location = new URL(response.headers.get("location")!, `${SITE}/things/one`);
  assertEquals([response.status, location.pathname], [303, "/things/one"]);
  const cookie = response.headers.get("set-cookie")!.split(";")[0]!;
  const show = async (user: string, headers: HeadersInit = { cookie }) => {
    const page = await the.request(location.href, { headers: { "x-user": user, ...headers } });
    return { text: await page.text(), setCookie: page.headers.get("set-cookie") };
  };
  for (const other of [await show("ben"), await show("ada", {})]) {
    assertEquals([other.text.includes("Counted"), other.setCookie], [false, null], "for its user and browser only");
  }
  const page = await show("ada");
  assertMatch(page.text, /<p role="status" class="outcome done">Counted &lt;once&gt; for ada<\/p>/);
  assertMatch(page.setCookie ?? "", /^activejob_outcome=; Max-Age=0; /, "the browser forgets it");
  assertEquals(the.acted, [{
    user: "ada",
    path: "/things/one",
    action: "count",
    target: "a thing",
    outcome: "done",
    message: "Counted <once> for ada",
  }]);
});

Deno.test("an action that throws has failed: the event and the page say why", async () => {
  await using the = setUp();
  await the.post({ "sec-fetch-site": "same-origin" }, "/things/one", "action=count&how=throw");
  assertEquals(the.acted.map(({ outcome, message }) => [outcome, message]), [["failed", "no way"]]);
});

Deno.test("a POST that is not a form, is too long, or names no action changes nothing", async () => {
  await using the = setUp();
  const origin = { "sec-fetch-site": "same-origin" };
  const status = async (headers: Record<string, string>, body: string) => {
    const response = await the.post({ ...origin, ...headers }, "/things/one", body);
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await status({ "content-type": "application/json" }, "{}"), 415);
  assertEquals(await status({ "content-type": "text/plain" }, "action=count"), 415);
  assertEquals(await status({}, `action=count&x=${"x".repeat(256 * 1024)}`), 413);
  assertEquals(await status({}, "action=other"), 400);
  assertEquals(await status({}, ""), 400);
  assertEquals(the.counts.acted, 0);
});

Deno.test("links are relative to the page, or below basePath, which is stripped if it is there", async () => {
  await using relative = setUp();
  const linkOf = async (the: typeof relative, path: string) =>
    /href="([^"]*about)"/.exec(await (await the.request(path, READER)).text())![1];
  assertEquals(await linkOf(relative, "/things/one"), "../about");
  await using mounted = setUp({ basePath: "/jobs" });
  assertEquals(await linkOf(mounted, "/things/one"), "/jobs/about");
  assertEquals(await linkOf(mounted, "/jobs/things/one"), "/jobs/about");
  assertEquals((await mounted.request("/jobsthings/one", READER)).status, 404);
});

Deno.test("a dashboard that was closed responds 503", async () => {
  await using the = setUp();
  the.handler.close();
  assertEquals((await the.request("/things/one", READER)).status, 503);
});
