/** Delayed jobs on their way into their topic: what is written, what is refused, and what can be listed and cancelled. */
import { activeJobTopic, App, EnqueueError, InvalidConfigurationError, Job, performAllLater } from "../../mod.ts";
import type { AppOptions, EventMap, KafkaOptions } from "../../mod.ts";
import { memory } from "../../src/broker/memory/mod.ts";
import type { BrokerSource } from "../../src/broker/broker.ts";
import { readScheduled } from "../../src/dispatch/schedule.ts";
import type { Clock } from "../../src/support/clock.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

class RemindJob extends Job {
  static override kafkaOptions: KafkaOptions<RemindJob> = { key: (job) => `user ${job.args[0]}` };
  perform(_userId: number) {}
}

const NOW_MS = Date.UTC(2030, 0, 1);
const clock: Clock = { nowMs: () => NOW_MS, callAt: () => () => {} };

function setUp(options: Partial<AppOptions> = {}) {
  const app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [RemindJob],
    topics: [activeJobTopic("default"), activeJobTopic("other")],
    logger: false,
    clock,
    ...options,
  });
  const events: EventMap["job.scheduled"][] = [];
  app.on("job.scheduled", (event) => events.push(event));
  return { app, events };
}

Deno.test("a delayed job waits in the topic of delayed jobs, and is listed soonest first", async () => {
  const { app, events } = setUp({ scheduledTopic: { partitions: 3 } });
  await using _ = app;
  const hour = await RemindJob.set({ wait: { hours: 1 }, queue: "other" }).performLater(1);
  const minute = await RemindJob.set({ waitUntil: new Date(NOW_MS + 60_000) }).performLater(2);
  const now = await RemindJob.set({ wait: { seconds: 0 } }).performLater(3);
  await app.flush();
  assertEquals([hour.position!.topic, now.position!.topic], ["shop_scheduled_jobs", "default"]);
  assertEquals(events.map(({ queue, dueAtMs }) => [queue, dueAtMs - NOW_MS]), [["other", 3_600_000], [
    "default",
    60_000,
  ]]);
  const listed = await app.scheduled();
  assertEquals(listed.map(({ jobId, queue, jobClass, scheduledAt }) => [jobId, queue, jobClass, scheduledAt]), [
    [minute.jobId, "default", "RemindJob", minute.scheduledAt],
    [hour.jobId, "other", "RemindJob", hour.scheduledAt],
  ]);
  assertEquals((await app.scheduled({ limit: 1 })).map(({ jobId }) => jobId), [minute.jobId]);
  assertEquals((await app.scheduled({ after: listed[0]! })).map(({ jobId }) => jobId), [hour.jobId]);
});

Deno.test("a job that is scheduled again is moved, also to now; a cancelled one is gone", async () => {
  const { app } = setUp();
  await using _ = app;
  const job = RemindJob.of(1).set({ wait: { hours: 1 } });
  await app.enqueue(job);
  await app.flush();
  await app.enqueue(job.set({ wait: { hours: 2 } }));
  assertEquals((await app.scheduled()).map(({ scheduledAt }) => scheduledAt.getTime() - NOW_MS), [7_200_000]);
  await app.enqueue(job.set({ wait: { seconds: 0 } }));
  assertEquals((await app.scheduled()).map(({ scheduledAt }) => scheduledAt.getTime() - NOW_MS), [0]);
  assertEquals(job.position!.topic, "shop_scheduled_jobs");
  await app.cancelScheduled(job.jobId);
  assertEquals(await app.scheduled(), []);
  await assertRejects(() => app.cancelScheduled(""), InvalidConfigurationError, "a string that is not empty");
});

Deno.test("performAllLater() sends each job to its place", async () => {
  const { app } = setUp();
  await using _ = app;
  const jobs = await performAllLater([
    RemindJob.of(1),
    RemindJob.of(2).set({ wait: { days: 400 } }),
    RemindJob.of(3).set({ wait: { days: 1 } }),
  ]);
  await app.flush();
  assertEquals(jobs.map(({ status }) => status), ["delivered", "failed", "delivered"]);
  assertEquals(jobs.map(({ position }) => position?.topic), ["default", undefined, "shop_scheduled_jobs"]);
});

Deno.test("a delayed job is refused beyond maxDelayMs, without its topic, and in a topic that loses jobs", async () => {
  const { app } = setUp({ maxDelayMs: 1000 });
  await using _ = app;
  await assertRejects(
    () => RemindJob.set({ wait: { milliseconds: 1001 } }).performLater(1),
    EnqueueError,
    'it would wait for 1001 ms, but "maxDelayMs" of the App is 1000',
  );
  for (
    const [config, ErrorClass, message] of [
      [null, EnqueueError, 'no topic "shop_scheduled_jobs", in which delayed jobs wait; create it with "topics apply"'],
      [{ "cleanup.policy": "compact,delete" }, InvalidConfigurationError, 'its cleanup.policy is "compact,delete"'],
      [{}, InvalidConfigurationError, 'its cleanup.policy is "delete", but must be "compact"'],
    ] as const
  ) {
    const source: BrokerSource = { ...memory(crypto.randomUUID()), embedded: false };
    const broker = await source.open({ clientId: "test", monitor: null! });
    await broker.admin.create([{ name: "default" }]);
    if (config !== null) await broker.admin.create([{ name: "shop_scheduled_jobs", config }]);
    const other = setUp({ broker: source });
    await using _ = other.app;
    const job = RemindJob.of(1).set({ wait: { days: 1 } });
    await assertRejects(() => other.app.enqueue(job), ErrorClass, message);
    assertEquals(job.status, "failed");
    // The next one looks again.
    if (config === null) {
      await other.app.applyTopics();
      assertEquals((await other.app.enqueue(job)).enqueued, true);
    }
    await broker[Symbol.asyncDispose]();
  }
});

Deno.test("the schedule has the job's envelope, key and headers; its random key is another one each time", async () => {
  const source = memory(crypto.randomUUID());
  const { app } = setUp({ broker: source });
  await using _ = app;
  const job = await RemindJob.set({ wait: { hours: 1 } }).performLater(7);
  await app.flush();
  const broker = await source.open({ clientId: "test", monitor: null! });
  await using _broker = broker;
  const { records: [record] } = await broker.admin.read("shop_scheduled_jobs", 0, { from: 0, maxBytes: 1 << 20 });
  const read = readScheduled(record!);
  assert(read.kind === "schedule");
  assertEquals([read.jobId, read.targetTopic, new TextDecoder().decode(read.targetKey!)], [
    job.jobId,
    "default",
    "user 7",
  ]);
  const envelope = JSON.parse(String(record!.value));
  assertEquals([envelope.scheduled_at, envelope.queue_name], ["2030-01-01T01:00:00.000Z", "default"]);
});

Deno.test("a topic of jobs cannot be the topic of delayed jobs", () => {
  assertThrows(
    () => setUp({ scheduledTopic: { name: "other" } }),
    InvalidConfigurationError,
    'cannot be the "scheduledTopic"',
  );
});
