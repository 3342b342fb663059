/** Delayed jobs on a page: soonest first, pages, and cancelling. No worker is alive. */
import { activeJobTopic, App, Job, performAllLater } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { delayed, MAX_RECORDS } from "../../../../src/web/dashboard/pages/delayed.ts";
import { openDashboard } from "../../../support/dashboard.ts";
import { until } from "../../../support/until.ts";

class RemindJob extends Job {
  perform(_user: number) {}
}

const createApp = () =>
  new App({ name: "shop", broker: "memory:", jobs: [RemindJob], topics: [activeJobTopic("default")], logger: false });

Deno.test("delayed jobs are listed soonest first, by pages", async () => {
  await using app = createApp();
  for (let hours = 60; hours > 0; hours--) await RemindJob.set({ wait: { hours } }).performLater(hours);
  const { api, open, follow } = openDashboard(app);
  const { jobs } = await api("delayed");
  const times = jobs.map(({ scheduledAt }: { scheduledAt: string }) => scheduledAt);
  assertEquals([times.length, times], [50, times.toSorted()]);
  const page = await open("delayed");
  assertMatch(page.text, /in (?:59|60) min 2/);
  const last = await follow(page, "Next");
  assertEquals(last.html.match(/<tr id="job-/g)!.length, 10);
  assertEquals((await follow(last, "Previous")).path, "/delayed");
});

Deno.test("of more delayed jobs than a page can read in time, a part is listed, with a note", async () => {
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [RemindJob],
    topics: [activeJobTopic("default")],
    scheduledTopic: { partitions: 1 },
    logger: false,
  });
  const wait = { hours: 1 };
  await performAllLater(Array.from({ length: MAX_RECORDS }, (_, user) => RemindJob.set({ wait }).of(user)));
  await app.flush();
  const { api, open } = openDashboard(app);
  assertEquals((await api("delayed")).isPartial, false);
  await performAllLater(Array.from({ length: 10_000 }, (_, user) => RemindJob.set({ wait }).of(user)));
  await app.flush();
  const page = await open("delayed");
  assertStringIncludes(page.text, "only a part of them was read");
  assertEquals(page.html.match(/<tr id="job-/g)!.length, 50);
});

Deno.test("a delayed job is cancelled, by a user who may operate", async () => {
  await using app = createApp();
  const job = RemindJob.of(7);
  job.jobId = "remind <b>\u202e7";
  await app.enqueue(job.set({ wait: { hours: 1 } }));
  const reader = await openDashboard(app, "read").open("delayed");
  assert(!reader.html.includes("<form") && !/<b>|\u202e/.test(reader.html));
  const { open, press } = openDashboard(app);
  const outcome = await press(await open("delayed"), "Cancel job");
  assertStringIncludes(outcome.text, "Cancelled job remind <b>\\u202e7");
  assertStringIncludes(outcome.text, "No job waits for its time");
  assertEquals(await app.scheduled(), []);
});

Deno.test("the next tick of a recurring job is not cancelled here: it leads to the recurring jobs", async () => {
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [RemindJob],
    topics: [activeJobTopic("default")],
    recurring: [every({ hours: 1 }, RemindJob.of(1), { id: "hourly" })],
    logger: false,
  });
  const stop = new AbortController();
  const done = app.worker().run(stop.signal);
  const { open } = openDashboard(app);
  await until(async () => (await app.scheduled()).length === 1, () => "the tick is not scheduled");
  const page = await open("delayed");
  assertStringIncludes(page.text, "the next tick of a recurring job");
  assert(!page.html.includes("<form"));
  stop.abort();
  await done;
});

Deno.test("the page stops to read when its time is over", async () => {
  await using app = createApp();
  await RemindJob.set({ wait: { hours: 1 } }).performLater(1);
  const over = new Error("the time is over");
  const request = {
    params: {},
    query: new URLSearchParams(),
    access: "read",
    signal: AbortSignal.abort(over),
    redact: (data: unknown) => data,
  } as const;
  assertEquals(await assertRejects(() => delayed.load(app, request)), over);
});
