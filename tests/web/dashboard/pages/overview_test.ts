/** The first page: the verdict, numbers and tables, with and without a worker that is alive. */
import { activeJobTopic, App, type AppOptions, Job } from "@activejob/kafka";
import { dashboard } from "@activejob/kafka/web";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Monitor } from "../../../../src/monitor/monitor.ts";
import { openDashboard } from "../../../support/dashboard.ts";
import { FaultInjectionLog } from "../../../support/fault_injection_log.ts";
import { withoutLeader } from "../../../support/unreadable_partition.ts";
import { until } from "../../../support/until.ts";
import { createReport } from "../../../support/worker_report.ts";

class MailJob extends Job {
  perform(user: number) {
    if (user < 0) throw new TypeError(`User ${user} <b>is not</b> valid`);
  }
}

class BillJob extends Job {
  static override queue = "bills";
  perform() {
    throw new RangeError("Too little");
  }
}

function createApp(
  topics = [activeJobTopic("default", { backoff: { initialMs: 60_000, maxMs: 60_000, jitter: 0 } })],
  broker: AppOptions["broker"] = "memory:",
) {
  return new App({
    name: "shop",
    broker,
    jobs: [MailJob, BillJob],
    topics: [...topics, activeJobTopic("bills", { deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
    logger: false,
  });
}

Deno.test("the first page says that all is well, in its title too", async () => {
  await using app = createApp();
  const { open, api } = openDashboard(app);
  const page = await open("");
  assertMatch(page.html, /<title>All 2 topics OK · shop<\/title>/);
  assertEquals(page.html.match(/<h1>/g)!.length, 1);
  assertStringIncludes(page.text, "Nothing waits for an operator");
  assertStringIncludes(page.text, "No dead letter waits for you");
  const data = await api("");
  assertEquals([data.verdict, data.problems, data.errors], ["All 2 topics OK", [], []]);
  assertEquals(data.status.topics.map(({ queue }: { queue: string }) => queue).toSorted(), ["bills", "default"]);
});

Deno.test("the first page names a record that fails: where, since when, with which error, and what to do", async () => {
  await using app = createApp();
  await MailJob.performLater(-1);
  const stop = new AbortController();
  const failed = Promise.withResolvers<void>();
  app.on("job.failed", () => failed.resolve());
  const worker = app.worker();
  const done = worker.run(stop.signal);
  await failed.promise;
  // A change of its state is reported at once.
  worker.quiet();
  const { open, api, follow } = openDashboard(app);
  await until(
    async () => (await api("")).problems[0]?.failing?.attempts === 1,
    () => "the failure is not reported",
  );
  const page = await open("");
  assertMatch(page.html, /<h1>Topic default: retrying<\/h1>/);
  assertStringIncludes(page.text, "TypeError : User -1 <b>is not</b> valid 1 run failed");
  assertStringIncludes(page.text, "It is tried again by itself");
  assert(!page.html.includes("<b>is not"));
  assertStringIncludes((await follow(page, "Look at the record")).text, "Record default/0@0");
  const topic = await follow(page, "default");
  assertStringIncludes(topic.text, "partition 0, offset 0");
  assertMatch(topic.text, /1 run failed; next try in (?:5\d s|1 min)/);
  const workers = await follow(page, "Workers");
  assertMatch(workers.text, /quiet 0 of 10 .* Deno/);
  const own = await open((/href="\.\/(workers\/[^"]+)"/.exec(workers.html)!)[1]!);
  assertStringIncludes(own.text, "TypeError : User -1 <b>is not</b> valid");
  stop.abort();
  await done;
});

Deno.test("the command that skips a stuck record is that of the dashboard, on the first page and on that of the topic", async () => {
  await using app = createApp([activeJobTopic("default", { backoff: { initialMs: 1, maxMs: 1, jitter: 0 } })]);
  await MailJob.performLater(-1);
  await app.worker().run(undefined, { once: true }).catch(() => {});
  const { fetch } = dashboard(app, { publicRead: true, command: "deno run cli.ts skip --app my/app.ts" });
  for (const path of ["", "topics/default"]) {
    const html = await (await fetch(new Request(`http://jobs.test/${path}`))).text();
    assertStringIncludes(html, "data-copy>deno run cli.ts skip --app my/app.ts default/0@0</code>");
  }
});

Deno.test("the first page has the latest errors of dead letters, which lead to their group", async () => {
  await using app = createApp();
  await BillJob.performLater();
  await app.worker().run(undefined, { once: true });
  const { open, follow, api } = openDashboard(app);
  assertEquals((await api("")).errors.map(({ unhandled }: { unhandled: number }) => unhandled), [1]);
  const page = await open("");
  assertStringIncludes(page.text, "RangeError : Too little");
  assertStringIncludes(page.text, "1 dead letter waits for an operator.");
  assert(!page.text.includes("Nothing waits"));
  assertMatch((await follow(page, "1 ×")).text, /BillJob: RangeError : Too little/);
});

Deno.test("the last hour is that of the declared topics, whatever reports name", async () => {
  const log = new FaultInjectionLog();
  await using app = createApp([activeJobTopic("default")], log.source);
  await app.applyTopics();
  await using client = await log.source.open({ clientId: "test", monitor: new Monitor() });
  await client.append("shop_workers", [createReport(1, ["default", "forged"], 1)]);
  const { api } = openDashboard(app);
  const { total, topics } = (await api("")).hour;
  assertEquals(Object.keys(topics), ["default"]);
  assertEquals(total, topics.default);
});

Deno.test("two hundred topics are listed by pages, and found by name and by state", async () => {
  const topics = Array.from({ length: 199 }, (_, at) => activeJobTopic(`topic_${at}`));
  await using app = createApp(topics);
  const { open, follow, api } = openDashboard(app);
  const rows = (html: string) => (html.match(/<tr id="topic-/g) ?? []).length;
  const page = await open("");
  assertEquals([rows(page.html), (await api("")).status.topics.length], [100, 200]);
  assertStringIncludes(page.text, "1–100 of 200");
  assertStringIncludes((await follow(page, "Next")).text, "101–200 of 200");
  assertEquals(rows((await open("?page=9999")).html), 100);
  assertEquals(rows((await open("?search=topic_19")).html), 10);
  assertStringIncludes((await open("?only=wrong&search=<i>")).text, "No topic matches");
});

Deno.test("a partition of dead letters without a leader costs no time: the letters of the others are shown, and a note names it", async () => {
  const log = new FaultInjectionLog();
  log.createTopic("dead", 2);
  const headers = [["dead-letter-error-class", new TextEncoder().encode("RangeError")]] as const;
  log.append("dead", [0, 1].map((partition) => ({ key: null, value: "{}", headers, partition })));
  await using app = createApp(undefined, withoutLeader(log.source, { topic: "dead", partition: 1 }));
  await app.applyTopics();
  const { api, open: openPage } = openDashboard(app);
  const { errors, notes } = await api("");
  assertEquals(errors.map(({ errorClass, total }: Record<string, unknown>) => [errorClass, total]), [[
    "RangeError",
    1,
  ]]);
  const note = "The dead letters of dead/1 are not known: it has no leader";
  assertEquals(notes.filter((each: string) => each.includes("dead letters")), [`${note}.`]);
  const first = await openPage("");
  assertStringIncludes(first.text, "The number of dead letters is not known.");
  assertStringIncludes(first.text, "New dead letters – ");
  assert(!first.text.includes("Nothing waits"));
  const page = await openPage("dead_letters");
  assertStringIncludes(page.text, note);
  assertStringIncludes(page.text, "RangeError");
});

Deno.test("a dead letter topic that does not exist has no number, and the first page and the status say why", async () => {
  const log = new FaultInjectionLog();
  await using app = createApp(undefined, log.source);
  await app.applyTopics();
  await app.status();
  log.deleteTopic("dead");
  const { topics, notes } = await app.status();
  assertEquals(topics.find(({ queue }) => queue === "bills")!.deadLetters, {
    topic: "dead",
    total: null,
    unhandled: null,
  });
  assertEquals(notes, ['The dead letters of dead are not known: it does not exist: create it with "topics apply".']);
  const { text } = await openDashboard(app).open("");
  assertStringIncludes(text, notes[0]!);
  assertStringIncludes(text, "The number of dead letters is not known.");
  assertStringIncludes(text, "No dead letter could be read.");
});
