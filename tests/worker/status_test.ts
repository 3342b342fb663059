/** The status of a worker, at each point of its life. */
import { activeJobTopic, App, type EventMap, Job, type TopicOptions, type Worker } from "@activejob/kafka";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { RetryingRecord } from "../../src/worker/status.ts";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { until } from "../support/until.ts";
import { heldBroker } from "../support/controlled_broker.ts";

/** Lets the jobs of a test continue. */
let open = Promise.withResolvers<void>();

class SlowJob extends Job {
  static override timeoutMs = 30_000;
  async perform(_n: number) {
    await open.promise;
  }
}

class SadJob extends Job {
  perform() {
    throw new Error("as always");
  }
}

function setUp(topic: TopicOptions = {}, other: TopicOptions = {}) {
  open = Promise.withResolvers<void>();
  const log = new FaultInjectionLog();
  const broker = heldBroker(log);
  const app = new App({
    name: "shop",
    broker,
    jobs: [SlowJob, SadJob],
    topics: [activeJobTopic("default", topic), activeJobTopic("other", { group: "second", ...other })],
    logger: false,
  });
  return { log, broker, app, worker: app.worker() };
}

/** Resolves at the next event of a name. */
function next<N extends keyof EventMap>(app: App, name: N): Promise<EventMap[N]> {
  return new Promise((resolve) => {
    const end = app.on(name, (event) => {
      end();
      resolve(event);
    });
  });
}

/** The state and the groups, without jobs and partitions. */
function outline(worker: Worker) {
  const { state, groups } = worker.status();
  return [
    state,
    ...groups.map(({ group, topics, isJoined, isSessionValid }) => [group, topics.join(), isJoined, isSessionValid]),
  ];
}

/** The only partition of the topic "default". */
function partition(worker: Worker) {
  return worker.status().groups[0]!.partitions[0]!;
}

async function enqueue(app: App, ...jobs: Job[]): Promise<void> {
  for (const job of jobs) await app.enqueue(job);
  await app.flush();
}

Deno.test("status() follows a worker from new to stopped", async () => {
  const { app, worker } = setUp();
  await using _ = app;
  const groups = (isJoined: boolean, isHeld: boolean) => [
    ["shop", "default", isJoined, isHeld],
    ["second", "other", isJoined, isHeld],
  ];
  assertEquals(outline(worker), ["new", ...groups(false, false)]);
  const started = next(app, "worker.started");
  const run = worker.run();
  assertEquals(outline(worker), ["running", ...groups(false, false)]);
  await started;
  assertEquals(outline(worker), ["running", ...groups(true, true)]);
  worker.quiet();
  assertEquals(outline(worker), ["quiet", ...groups(true, true)]);
  const stopped = worker.stop();
  assertEquals(outline(worker)[0], "stopping");
  await stopped;
  await run;
  assertEquals(outline(worker), ["stopped", ...groups(true, false)]);
  assertEquals([worker.status().failure, worker.status().concurrency], [null, 10]);
});

Deno.test("status() has the running job with its limits, and the records that wait behind it", async () => {
  const { app, worker } = setUp({ timeoutGraceMs: 7 });
  await using _ = app;
  await enqueue(app, SlowJob.of(1), SlowJob.of(2));
  const performing = next(app, "job.performing");
  const run = worker.run();
  await performing;
  const [job, ...none] = worker.status().groups[0]!.running;
  assertEquals([job!.jobClass, job!.offset, job!.timeoutMs, job!.timeoutGraceMs, none], ["SlowJob", 0, 30_000, 7, []]);
  assert(job!.runningMs >= 0 && job!.runningMs < 30_000, `${job!.runningMs}`);
  const { oldestAgeMs, running, ...rest } = partition(worker);
  assertEquals(running.map(({ offset, jobId }) => [offset, jobId]), [[0, job!.jobId]]);
  assert(oldestAgeMs !== null && oldestAgeMs >= 0, `${oldestAgeMs}`);
  assertEquals(rest, {
    topic: "default",
    partition: 0,
    position: 0,
    highWatermark: 2,
    lag: 2,
    waiting: 2,
    isExhausted: false,
    pausedBy: null,
    retrying: [],
    stuck: [],
  });
  open.resolve();
  await until(() => partition(worker).lag === 0, () => JSON.stringify(worker.status()));
  assertEquals([partition(worker).position, partition(worker).waiting, partition(worker).oldestAgeMs], [2, 0, 0]);
  assertEquals(worker.status().groups[0]!.running, []);
  await worker.stop();
  await run;
});

Deno.test("refreshLag() reads the end of a log that is not fetched now, and of one that was never fetched", async () => {
  const { app, worker } = setUp({ maxMessages: 1 });
  await using _ = app;
  const performing = next(app, "job.performing");
  const run = worker.run();
  await enqueue(app, SlowJob.of(1));
  await performing;
  await enqueue(app, SlowJob.of(2), SlowJob.of(3));
  const lags = () => worker.status().groups.map(({ partitions: [one] }) => one!.lag);
  assertEquals(lags(), [1, null], "as of the last fetch");
  await worker.refreshLag();
  assertEquals(lags(), [3, 0]);
  open.resolve();
  await worker.stop();
  await worker.refreshLag();
  await run;
});

Deno.test("refreshLag() does not wait for an offline broker longer than its deadline", async () => {
  const { app, log, worker } = setUp();
  await using _ = app;
  const started = next(app, "worker.started");
  const run = worker.run();
  await started;
  log.goOffline();
  await worker.refreshLag(1);
  assertEquals(partition(worker).lag, null);
  log.goOnline();
  await worker.refreshLag();
  assertEquals(partition(worker).lag, 0);
  await worker.stop();
  await run;
});

Deno.test("status() reports an invalid session as soon as it has expired by the clock, and a new one as valid", async () => {
  const { app, log, broker, worker } = setUp();
  await using _ = app;
  const started = next(app, "worker.started");
  const run = worker.run();
  await started;
  // The group that was made last.
  log.block(broker.consumer);
  assertEquals(outline(worker).slice(1), [["shop", "default", true, true], ["second", "other", true, false]]);
  const member = new Promise<void>((resolve) => app.on("membership.changed", ({ isMember }) => isMember && resolve()));
  log.unblock(broker.consumer);
  await member;
  assertEquals(outline(worker)[2], ["second", "other", true, true]);
  await worker.stop();
  await run;
});

Deno.test("status() lists the records that wait for their next try, and those that wait for an operator", async () => {
  const backoff = { initialMs: 60_000, maxMs: 60_000, jitter: 0 };
  const { app, log, worker } = setUp({ backoff }, { backoff });
  await using _ = app;
  await enqueue(app, SadJob.of());
  await using broker = log.open();
  await broker.append("other", [{ value: "no envelope" }]);
  const run = worker.run();
  const paused = () =>
    worker.status().groups.flatMap(({ partitions }) =>
      partitions.filter(({ retrying, stuck }) => retrying.length + stuck.length > 0)
    );
  await until(() => paused().length === 2, () => JSON.stringify(worker.status()));
  const [sad, bad] = paused();
  assertEquals([sad!.running, sad!.stuck, sad!.waiting, sad!.lag], [[], [], 1, 1]);
  const [{ nextTryInMs, error, ...retrying }, ...none] = sad!.retrying as [RetryingRecord];
  assertEquals([retrying, error.message, none], [
    { topic: "default", partition: 0, offset: 0, attempts: 1 },
    "as always",
    [],
  ]);
  assert(nextTryInMs > 30_000 && nextTryInMs <= 60_000, `${nextTryInMs}`);
  assertEquals([bad!.running, bad!.retrying, bad!.waiting, bad!.lag], [[], [], 1, 1]);
  assertEquals(bad!.stuck.map(({ offset, attempts, remedy }) => [offset, attempts, remedy]), [
    [0, 0, "deno run -A jsr:@activejob/kafka/cli skip --app app.ts other/0@0"],
  ]);
  await worker.stop();
  await run;
});

Deno.test("status() has the error with which a worker failed", async () => {
  const { app, log, broker, worker } = setUp();
  await using _ = app;
  const started = next(app, "worker.started");
  const run = worker.run();
  await started;
  log.fail(broker.consumer, new RangeError("gone for good"));
  await assertRejects(() => run, RangeError, "gone for good");
  const { state, failure } = worker.status();
  assertEquals([state, failure?.errorClass, failure?.message], ["stopped", "RangeError", "gone for good"]);
});
