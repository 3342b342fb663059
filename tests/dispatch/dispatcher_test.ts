/** Enqueuing a job: its status, its position, the errors, and the events. */
import {
  activeJobTopic,
  App,
  type AppOptions,
  type EventMap,
  Job,
  type KafkaOptions,
  performAllLater,
} from "@activejob/kafka";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { BrokerError, EnqueueError, RecordTooLargeError, SerializationError } from "../../src/errors.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { Tracing } from "../../src/monitor/tracing.ts";
import { Routes } from "../../src/routing/route.ts";
import { SYSTEM_CLOCK } from "../../src/support/clock.ts";
import { codec } from "../support/codec.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";

class AsyncJob extends Job {
  perform(..._args: unknown[]) {}
}
class SyncJob extends AsyncJob {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync", dispatchManyMethod: "produceManySync" };
}
class KeyedJob extends AsyncJob {
  static override kafkaOptions: KafkaOptions<KeyedJob> = { key: (job) => (job.args[0] as () => string)() };
}

/** Makes an App on a log of its own, and collects its events. */
function setUp(options: Partial<AppOptions> = {}) {
  const log = new FaultInjectionLog();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [AsyncJob, SyncJob, KeyedJob],
    topics: [activeJobTopic("default"), activeJobTopic("other", { partitions: 4 })],
    logger: false,
    ...options,
  });
  const failed: EventMap["job.enqueue_failed"][] = [];
  const errors: string[] = [];
  app.on("job.enqueue_failed", (event) => failed.push(event));
  app.on("error.occurred", ({ error }) => errors.push(error.message));
  const stored = (topic: string) =>
    log.topic(topic)!.partitions.flatMap((partition) => partition.read(partition.low, Infinity)?.records ?? []);
  return { log, app, failed, errors, stored };
}

const down = { error: new BrokerError("The broker is down"), written: "unknown" } as const;

Deno.test("produceAsync resolves once buffered, produceSync once acknowledged", async () => {
  const { app, log } = setUp();
  await using _ = app;
  await app.applyTopics();
  log.goOffline();
  const buffered = await AsyncJob.performLater(1);
  assertEquals([buffered.status, buffered.enqueued, buffered.position, app.pending], ["buffered", true, undefined, 1]);
  let acknowledged = false;
  const sync = SyncJob.performLater(2).then((job) => {
    acknowledged = true;
    return job;
  });
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(acknowledged, false);
  log.goOnline();
  const { status, position } = await sync;
  assertEquals([status, position], ["delivered", { topic: "default", partition: 0, offset: 1 }]);
  assertEquals(await buffered.delivered(), { topic: "default", partition: 0, offset: 0 });
  assertEquals([buffered.status, app.pending], ["delivered", 0]);
});

Deno.test("a later failure is an event, the job's status, and a rejection of delivered()", async () => {
  const { app, log, failed, errors } = setUp();
  await using _ = app;
  await app.applyTopics();
  log.failAppends("default", down);
  const job = await AsyncJob.performLater(1);
  const error = await assertRejects(() => job.delivered(), EnqueueError, "Cannot enqueue AsyncJob: The broker is down");
  assertEquals([error.written, error.cause, job.status, job.enqueued], ["unknown", down.error, "unknown", false]);
  assert(job.enqueueError === error);
  assertEquals(failed.map(({ jobId, written }) => [jobId, written]), [[job.jobId, "unknown"]]);
  assertEquals(errors, [error.message]);
  // The caller awaited the job and got its error, so that there is no event.
  await assertRejects(() => SyncJob.performLater(1), EnqueueError, "Cannot enqueue SyncJob");
  assertEquals([failed.length, errors.length], [2, 1]);
});

Deno.test("a job that is refused before it is sent fails, and is certainly not written", async () => {
  const { app, failed, errors } = setUp();
  await using _ = app;
  const refused: [Job, string][] = [
    [AsyncJob.of().set({ queue: "nope" }), 'No topic declares the queue "nope" (declared: "default", "other")'],
    [KeyedJob.of(() => 5), "its key function must return a string or null, but it returned a value of type number"],
    [KeyedJob.of(() => undefined), "its key function must return a string or null, but it returned undefined"],
    [
      KeyedJob.of(() => {
        throw new Error("no key");
      }),
      "its key function threw: no key",
    ],
    [
      KeyedJob.of(() => {
        throw undefined;
      }),
      "its key function threw: undefined",
    ],
    [KeyedJob.of(5), "its key function threw"],
  ];
  for (const [job, message] of refused) {
    const error = await assertRejects(() => app.enqueue(job), EnqueueError, message);
    assertEquals([error.written, job.status, job.enqueueError], ["no", "failed", error]);
  }
  assertEquals([failed.length, errors.length, app.pending, app.undelivered], [6, 0, 0, 0]);
});

/** A job for each kind of refusal that is known at once, and its error. */
function refusedAtOnce(Class: typeof AsyncJob): [Job, new (...args: never[]) => Error, string][] {
  const name = Class.name;
  return [
    [Class.of().set({ queue: "nope" }), EnqueueError, `Cannot enqueue ${name}: No topic declares the queue "nope"`],
    [Class.of("x".repeat(300)), RecordTooLargeError, `Cannot enqueue ${name}: its envelope has `],
    [
      Class.of("\u6f22".repeat(100)),
      RecordTooLargeError,
      ' bytes, but "maxPayloadBytes" of topic "default" allows 500',
    ],
    [
      Class.of({ at: new Date(NaN) }),
      SerializationError,
      `Cannot enqueue ${name}: Cannot serialize arguments[0].at: Act`,
    ],
  ];
}

Deno.test("a refusal that is known at once is the same error in each way to enqueue", async () => {
  const { app, failed, errors } = setUp({ maxPayloadBytes: 500 });
  const ways: [typeof AsyncJob, (job: Job) => Promise<unknown>, boolean][] = [
    [AsyncJob, (job) => app.enqueue(job), true],
    [SyncJob, (job) => app.enqueue(job), true],
    [AsyncJob, (job) => performAllLater([job]), false],
    [SyncJob, (job) => performAllLater([job]), false],
  ];
  let expected = 0;
  for (const [Class, enqueue, rejects] of ways) {
    for (const [job, Kind, message] of refusedAtOnce(Class)) {
      const thrown = await enqueue(job).then(() => undefined, (error) => error);
      const error: Error = job.enqueueError!;
      assert(thrown === (rejects ? error : undefined));
      assert(error instanceof EnqueueError && error.message.includes(message), error.message);
      assert([error, error.cause].some((one) => one instanceof Kind), Kind.name);
      assertEquals([error.written, job.status, app.pending], ["no", "failed", 0]);
      if (!rejects) expected++;
      assertEquals(app.undelivered, expected);
    }
  }
  await AsyncJob.performLater("x".repeat(100));
  assertEquals([failed.length, errors.length, await app.close()], [16, 0, expected]);
});

Deno.test("close() returns the jobs that were refused or lost although no call rejected", async () => {
  const cases: [string, number, (log: FaultInjectionLog) => Promise<unknown>][] = [
    ["nothing", 0, async () => await AsyncJob.performLater(1)],
    ["a missing topic", 1, async () => await AsyncJob.set({ queue: "missing" }).performLater(1)],
    ["a refusal that rejects", 0, async (log) => {
      log.failAppends("default", down);
      await SyncJob.performLater(1).catch(() => {});
    }],
    ["an acknowledgement that is lost", 1, async (log) => {
      log.failAppends("default", down);
      await AsyncJob.performLater(1);
    }],
    ["jobs of performAllLater", 2, async (log) => {
      log.failAppends("default", down);
      await performAllLater([SyncJob.of(1), SyncJob.of(new Date(NaN)), SyncJob.of(2).set({ queue: "other" })]);
    }],
    ["jobs that are still buffered", 3, async (log) => {
      log.goOffline();
      await performAllLater([AsyncJob.of(1), AsyncJob.of(2), AsyncJob.of(3)]);
    }],
  ];
  for (const [name, count, enqueue] of cases) {
    const { app, log } = setUp({ undeclaredQueues: "warn" });
    await app.applyTopics();
    await enqueue(log);
    assertEquals([await app.close(20), await app.close()], [count, count], name);
    log.goOnline();
  }
});

Deno.test("a key with a lone surrogate is refused: in UTF-8 different keys would become one", async () => {
  const { app } = setUp();
  await using _ = app;
  const job = KeyedJob.of(() => "a\ud800");
  await assertRejects(() => app.enqueue(job), EnqueueError, "its key has a lone surrogate");
});

Deno.test("undeclared queues leave nothing behind: their senders end, and few of their names are remembered", async () => {
  const log = new FaultInjectionLog();
  const warned: unknown[] = [];
  const monitor = new Monitor();
  monitor.on("error.occurred", ({ error }) => error.errorClass === "InvalidConfigurationError" && warned.push(error));
  const routes = new Routes([activeJobTopic("default")], {}, { queuePrefix: "", queueDelimiter: "_" }, "shop");
  const broker = log.open();
  const dispatcher = new Dispatcher({
    broker: () => Promise.resolve(broker),
    routes,
    monitor,
    tracing: new Tracing("shop", "memory:", monitor),
    codec,
    buffer: {},
    undeclaredQueues: "warn",
    clock: SYSTEM_CLOCK,
    scheduledTopic: "shop_scheduled_jobs",
    maxDelayMs: 1000,
  });
  for (const topic of ["default", "q0", "q1"]) log.createTopic(topic, 1);
  const jobs = Array.from({ length: 2000 }, (_, n) => AsyncJob.of(n).set({ queue: `q${n % 1500}` }));
  await dispatcher.enqueueAll([AsyncJob.of(), ...jobs]);
  await dispatcher.flush();
  assertEquals([dispatcher.senders, log.topic("q0")!.partitions[0]!.high], [1, 2]);
  // The first 500 names were forgotten, so that they are warned about again.
  assertEquals(warned.length, 2000);
  await dispatcher.enqueueAll([AsyncJob.of().set({ queue: "q499" }), AsyncJob.of().set({ queue: "q1499" })]);
  await dispatcher.flush();
  assertEquals([warned.length, dispatcher.senders], [2000, 1]);
  await broker[Symbol.asyncDispose]();
});

Deno.test("performAllLater() enqueues as many as it can; the outcome of each is on the job", async () => {
  const { app, stored, failed, errors } = setUp();
  await using _ = app;
  const jobs = await performAllLater([
    SyncJob.of(1),
    AsyncJob.of(2).set({ queue: "nope" }),
    AsyncJob.of(() => 3),
    AsyncJob.of(4),
    SyncJob.of(5).set({ queue: "other" }),
  ]);
  assertEquals(jobs.map((job) => job.enqueued), [true, false, false, true, true]);
  assertEquals([jobs[0]!.status, jobs[4]!.status], ["delivered", "delivered"]);
  assert(jobs[1]!.enqueueError!.message.includes('"nope"'));
  assert(jobs[2]!.enqueueError!.cause instanceof SerializationError);
  await app.flush();
  assertEquals([stored("default").length, stored("other").length], [2, 1]);
  assertEquals([failed.length, errors], [2, []]);
  assertEquals(await performAllLater([]), []);
});

Deno.test("a job that is being enqueued is not enqueued a second time, and its first record is delivered", async () => {
  const { app, stored, errors } = setUp();
  await using _ = app;
  const job = AsyncJob.of(1);
  const first = app.enqueue(job);
  await assertRejects(() => app.enqueue(job), EnqueueError, "it is being enqueued already");
  await first;
  await job.delivered();
  const twice = AsyncJob.of(2);
  await performAllLater([twice, twice]);
  assertEquals([await twice.delivered(), twice.enqueueError], [
    { topic: "default", partition: 0, offset: 1 },
    undefined,
  ]);
  assertEquals([stored("default").length, errors], [2, ["Cannot enqueue AsyncJob: it is being enqueued already"]]);
});

Deno.test("a job can be enqueued again once it was delivered or has failed, with a new outcome", async () => {
  const { app, stored } = setUp();
  await using _ = app;
  const job = SyncJob.of(1);
  const delivered = job.delivered();
  await app.enqueue(job);
  assertEquals((await delivered).offset, 0, "a promise from before the job was enqueued");
  await assertRejects(() => app.enqueue(job.set({ queue: "nope" })), EnqueueError, '"nope"');
  assertEquals([job.status, job.position], ["failed", undefined]);
  await app.enqueue(job.set({ queue: "default" }));
  assertEquals([job.status, job.enqueueError, job.position?.offset], ["delivered", undefined, 1]);
  assertEquals(stored("default").length, 2);
});

Deno.test("a full buffer makes callers wait, then fail; buffered jobs are sent when the broker is back", async () => {
  const { app, log, stored, failed } = setUp({ buffer: { maxRecords: 2, maxWaitMs: 5 } });
  await using _ = app;
  await app.applyTopics();
  log.goOffline();
  const jobs = [AsyncJob.of(1), AsyncJob.of(2), AsyncJob.of(3)];
  await performAllLater(jobs);
  assertEquals(jobs.map(({ status }) => status), ["buffered", "buffered", "failed"]);
  await assertRejects(() => AsyncJob.performLater(4), EnqueueError, "The buffer stayed full for 5 ms: 2 jobs");
  assertEquals(failed.map(({ written }) => written), ["no", "no"]);
  log.goOnline();
  await app.flush();
  assertEquals(stored("default").length, 2);
});

Deno.test("performAllLater() waits for space once, not for each of its jobs in turn", async () => {
  const { app, log } = setUp({ buffer: { maxRecords: 1, maxWaitMs: 200 } });
  await using _ = app;
  await app.applyTopics();
  log.goOffline();
  const jobs = [AsyncJob.of(0), ...Array.from({ length: 100 }, (_, n) => SyncJob.of(n))];
  const startMs = performance.now();
  await performAllLater(jobs.slice(0, 1));
  await performAllLater(jobs.slice(1));
  const tookMs = performance.now() - startMs;
  assertEquals(jobs.map(({ status }) => status), ["buffered", ...Array<string>(100).fill("failed")]);
  assert(jobs.at(-1)!.enqueueError!.message.startsWith("Cannot enqueue SyncJob: The buffer stayed full for 200 ms"));
  assert(tookMs < 10_000, `it took ${tookMs} ms, 100 waits take 20,000`);
  log.goOnline();
});

Deno.test("a listener of job.enqueued sees the scope of no request, since jobs of several requests are sent together", async () => {
  const { app } = setUp();
  await using _ = app;
  const request = new AsyncLocalStorage<number>();
  const seen: unknown[] = [];
  app.on("job.enqueued", () => seen.push(request.getStore()));
  await Promise.all([1, 2].map((id) => request.run(id, () => SyncJob.performLater(id))));
  assertEquals(seen, [undefined, undefined]);
});

Deno.test("a job can enqueue another job to its own queueName, which is the full name of the topic", async () => {
  class AgainJob extends Job {
    async perform(again: boolean) {
      if (again) await AgainJob.set({ queue: this.queueName! }).performLater(false);
    }
  }
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [AgainJob],
    topics: [activeJobTopic("default")],
    queuePrefix: "shop",
    logger: false,
  });
  const positions: string[] = [];
  app.on("job.enqueued", ({ queue, offset }) => positions.push(`${queue}@${offset}`));
  await AgainJob.performLater(true);
  await app.worker().run(undefined, { once: true });
  await app.flush();
  assertEquals(positions, ["shop_default@0", "shop_default@1"]);
});

Deno.test('undeclaredQueues: "warn" sends the job, and warns once for each queue', async () => {
  const { app, log, errors, stored } = setUp({ undeclaredQueues: "warn" });
  await using _ = app;
  log.createTopic("loose", 1);
  for (let n = 0; n < 3; n++) await AsyncJob.set({ queue: "loose" }).performLater(n);
  await app.flush();
  assertEquals([stored("loose").length, errors], [3, [
    'No topic declares the queue "loose" (declared: "default", "other")',
  ]]);
});

Deno.test("jobs with the same key go to one partition, and null means without a key", async () => {
  const { app, log } = setUp();
  await using _ = app;
  const keyed = (key: string | null) => KeyedJob.of(() => key).set({ queue: "other" });
  await assertRejects(() => app.enqueue(keyed("a")), SerializationError, "arguments[0]");
  class OrderJob extends AsyncJob {
    static override kafkaOptions: KafkaOptions<OrderJob> = { key: (job) => job.args[0] as string | null };
  }
  for (const id of ["a", "b", "a", null, "a", "b"]) await app.enqueue(OrderJob.of(id).set({ queue: "other" }));
  await app.flush();
  const keys = log.topic("other")!.partitions.map((partition) =>
    (partition.read(0, Infinity)?.records ?? []).map(({ key }) => key)
  );
  const homes = (key: string | null) => keys.filter((partition) => partition.includes(key)).length;
  assertEquals([homes("a"), homes("b"), homes(null)], [1, 1, 1]);
  assertEquals(keys.flat().sort(), ["a", "a", "a", "b", "b", null]);
});

Deno.test("a closed App refuses jobs", async () => {
  const { app } = setUp();
  const job = AsyncJob.of(1);
  await app.close();
  await assertRejects(() => app.enqueue(job), EnqueueError, "its App is closed");
  assertEquals(job.status, "failed");
});

Deno.test("the buffer is bounded in bytes, not in characters", async () => {
  // An envelope has some 300 bytes, and a string of this length 1000 characters or 3000 bytes.
  const { app, log, failed } = setUp({ buffer: { maxBytes: 5000, maxWaitMs: 0 } });
  await using _ = app;
  await app.applyTopics();
  log.goOffline();
  await AsyncJob.performLater("x".repeat(1000));
  await AsyncJob.performLater("\u6f22".repeat(1000));
  await assertRejects(() => AsyncJob.performLater("x".repeat(1000)), EnqueueError, "stayed full");
  assertEquals([app.pending, failed.length], [2, 1]);
  log.goOnline();
});
