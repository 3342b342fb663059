/** The records of a topic on pages: any place of the log, by offset and by time, without a group and without a worker. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Monitor } from "../../../../src/monitor/monitor.ts";
import { openDashboard } from "../../../support/dashboard.ts";
import { FaultInjectionLog } from "../../../support/fault_injection_log.ts";

class MailJob extends Job {
  perform(_user: number, _options: object) {}
}

async function setUp(jobs: number) {
  const log = new FaultInjectionLog();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [MailJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  await app.applyTopics();
  for (let user = 0; user < jobs; user++) await MailJob.performLater(user, { password: "s3cret", plan: "gold" });
  await app.flush();
  const client = await log.source.open({ clientId: "test", monitor: new Monitor() });
  return {
    app,
    append: (value: string | null, headers: [string, string][] = []) =>
      client.append("default", [{
        key: "user-1",
        value,
        headers: headers.map(([name, text]) => [name, new TextEncoder().encode(text)]),
      }]),
    groups: () => client.admin.groups(["default"]),
    async [Symbol.asyncDispose]() {
      await app.close();
      await client[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the records of a topic are listed from any offset, the newest first page by default", async () => {
  await using the = await setUp(120);
  const { api, open, follow } = openDashboard(the.app);
  const newest = await api("topics/default/records");
  assertEquals([newest.low, newest.high, newest.from, newest.records.length], [0, 120, 70, 50]);
  assertEquals([newest.partitions, newest.committed], [1, null]);
  const { records: [first] } = await api("topics/default/records?from=33");
  assertEquals([first.offset, first.kind, first.jobClass, first.hasKey], [33, "job", "MailJob", false]);
  const page = await open("topics/default/records?from=0");
  assertStringIncludes(page.text, "offsets 0–49");
  assertStringIncludes((await follow(page, "Next")).text, "offsets 50–99");
  assertEquals((await api("topics/default/records?from=999")).records, []);
  assertEquals([...(await the.groups()).values()].flat(), []);
});

Deno.test("the records of a topic are listed from a time", async () => {
  await using the = await setUp(3);
  const { api, open } = openDashboard(the.app);
  const at = async (time: string) => (await api(`topics/default/records?time=${time}`)).from;
  assertEquals([await at("2001-01-01T00:00"), await at("2999-01-01T00:00:30")], [0, 3]);
  assertEquals((await open("topics/default/records?time=yesterday")).status, 400);
});

Deno.test("a record is shown with its arguments by click, without secrets, and only to a user who may operate", async () => {
  await using the = await setUp(1);
  const { open, follow } = openDashboard(the.app);
  const page = await open("topics/default/records/0@0");
  assertStringIncludes(page.text, "job_class MailJob");
  assert(!page.text.includes("gold"));
  const shown = await follow(page, "Show the arguments");
  assertStringIncludes(shown.text, '"plan": "gold"');
  assertStringIncludes(shown.text, '"password": "[redacted]"');
  assert(!shown.html.includes("s3cret"));
  const reader = await openDashboard(the.app, "read").open("topics/default/records/0@0?payload=1");
  assertStringIncludes(reader.text, "only a user with the access to operate sees them");
  assert(!reader.text.includes("gold"));
});

Deno.test("headers of the application, and a value that is not an envelope, are shown by click and without secrets", async () => {
  await using the = await setUp(0);
  await the.append('[{"password":"hunter2","plan":"gold"}]', [["x-session", "s3cr3t"], ["released-at", "5"]]);
  const path = "topics/default/records/0@0";
  for (const access of ["read", "operate"] as const) {
    const { api } = openDashboard(the.app, access);
    const [hidden, shown] = [await api(path), await api(`${path}?payload=1`)];
    assertEquals(hidden.headers, [["released-at", "5"]]);
    const isShown = access === "operate";
    assertEquals(shown.headers, isShown ? [["x-session", "s3cr3t"], ["released-at", "5"]] : [["released-at", "5"]]);
    assertEquals(shown.payload?.content, isShown ? [{ password: "[redacted]", plan: "gold" }] : undefined);
  }
});

Deno.test("tombstones, poison, huge values and hostile headers are shown without harm", async () => {
  await using the = await setUp(0);
  await the.append(null);
  await the.append("no JSON <script>alert(1)</script>");
  await the.append(
    JSON.stringify({ job_class: "<b>".repeat(1000), job_id: "\u202e", arguments: ["y".repeat(900_000)] }),
    [
      ["x-auth-token", "s3cret"],
      ["<i>", "\u001b[2J"],
    ],
  );
  const { api, open } = openDashboard(the.app);
  const { records } = await api("topics/default/records");
  assertEquals(records.map(({ kind }: { kind: string }) => kind), ["tombstone", "poison", "job"]);
  for (
    const path of [
      "topics/default/records",
      ...[0, 1, 2].map((offset) => `topics/default/records/0@${offset}?payload=1`),
    ]
  ) {
    const { status, html } = await open(path);
    assertEquals(status, 200);
    assert(!/<script>alert|<i>|<b><b>|[^\P{Cc}\n]|\u202e|s3cret/u.test(html), path);
    assert(html.length < 80_000, `${path} has ${html.length} characters`);
  }
});

Deno.test("a place that is not in the log is a page with the reason", async () => {
  await using the = await setUp(1);
  const { open } = openDashboard(the.app);
  for (
    const [path, status, reason] of [
      ["topics/nope/records", 404, /No topic declares the queue "nope"/],
      ["topics/default/records?partition=7", 404, /has no partition 7: it has 1/],
      ["topics/default/records?from=-1", 400, /The offset must be a number from 0/],
      ["topics/default/records/0@7", 404, /There is no record at default\/0@7/],
      ["topics/default/records/x", 404, /A place looks like 0@41/],
    ] as const
  ) {
    const page = await open(path);
    assertEquals(page.status, status, path);
    assertMatch(page.text, reason);
  }
});

Deno.test("an App of another copy of the library says that a topic is missing as one of this copy does", async () => {
  const { UnknownTopicError } = await import("../../../../src/errors.ts?copy");
  await using the = await setUp(0);
  const refuse = () => Promise.reject(new UnknownTopicError("The topic is missing"));
  Object.assign(the.app, { readLog: refuse, scheduled: refuse, recurring: refuse });
  const { open } = openDashboard(the.app);
  for (const [path, status] of [["topics/default/records", 404], ["delayed", 200], ["recurring", 200]] as const) {
    const page = await open(path);
    assertEquals(page.status, status, path);
    assertStringIncludes(page.text, 'The topic is missing. Create it with "topics apply"');
  }
});
