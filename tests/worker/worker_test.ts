/** A worker's life: what it refuses, and how it stops. */
import { activeJobTopic, App, type EventMap, InvalidConfigurationError } from "@activejob/kafka";
import { assertEquals, assertRejects } from "@std/assert";
import { until } from "../support/until.ts";
import { nthEvent, setUpWorker, turns } from "../support/worker.ts";

Deno.test("run() refuses a signal or an option that is not one, before anything starts", async () => {
  const { app, worker } = setUpWorker();
  for (const signal of [{ once: true }, null] as unknown as AbortSignal[]) {
    await assertRejects(() => worker.run(signal), InvalidConfigurationError, "must be an AbortSignal");
  }
  await assertRejects(() => worker.run(undefined, { onec: true } as object), Error, 'did you mean "once"?');
  assertEquals(await worker.run(undefined, { once: true }), { unfinished: [], stuck: [] });
  await app.close();
});

Deno.test("a worker stops within its deadlines though the log is offline and a commit is in flight", async () => {
  const { app, log, worker, steps, enqueue } = setUpWorker({}, { sessionTimeoutMs: 60_000, shutdownTimeoutMs: 1000 });
  const performed = nthEvent(app, "job.performed");
  steps.perform = () => log.goOffline();
  const run = worker.run();
  await enqueue(1);
  await performed;
  await turns(2);
  const stopped = worker.stop();
  assertEquals(await stopped, { unfinished: [], stuck: [] });
  await run;
  log.goOnline();
  await app.close();
});

Deno.test("a job that ends because the worker stops has not failed: it keeps its attempts and is not dead-lettered", async () => {
  const { app, log, worker, errors, committed, steps, enqueue } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 0 },
  }, {
    shutdownTimeoutMs: 50,
    // The mark of job 1 is not committed before job 2 has ended, and keeps the ownership alive.
    commitIntervalMs: 60_000,
  });
  await using _ = app;
  const failed: EventMap["job.failed"][] = [];
  app.on("job.failed", (event) => failed.push(event));
  const ended = Promise.withResolvers<void>();
  steps.perform = async (n, job) => {
    if (n === 1) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    job.signal.addEventListener("abort", () => resolve());
    await promise;
    ended.resolve();
    throw job.signal.reason;
  };
  const running = nthEvent(app, "job.performing", 2);
  const run = worker.run();
  await enqueue(1, 2);
  await running;
  const { unfinished } = await worker.stop();
  await Promise.all([ended.promise, run]);
  assertEquals(unfinished.map(({ offset }) => offset), [1]);
  assertEquals([failed, log.topic("dead")!.partitions[0]!.high, committed()], [[], 0, { offset: 1, metadata: "" }]);
  assertEquals(errors, []);
});

Deno.test("a worker that is quieted before its run is quiet from the start: it takes records and performs none", async () => {
  const { app, worker, runs, enqueue } = setUpWorker();
  await using _ = app;
  await enqueue(1);
  worker.quiet();
  const run = worker.run();
  const waiting = () => worker.status().groups[0]!.partitions[0]?.waiting;
  await until(() => waiting() === 1, () => `${waiting()} records wait`);
  assertEquals([worker.status().state, runs], ["quiet", []]);
  await worker.stop();
  await run;
  assertEquals(runs, []);
});

Deno.test("a stop names the job of a lost partition that still runs", async () => {
  const { app, log, worker, steps, enqueue } = setUpWorker({}, { shutdownTimeoutMs: 50 });
  await using _ = app;
  const release = Promise.withResolvers<void>();
  steps.perform = () => release.promise;
  const running = nthEvent(app, "job.performing");
  const lost = nthEvent(app, "partition.lost");
  const run = worker.run();
  await enqueue(1);
  await running;
  worker.quiet();
  log.revoke("shop", { topic: "default", partition: 0 });
  await lost;
  assertEquals(worker.running().map(({ offset }) => offset), [0]);
  const { unfinished } = await worker.stop();
  assertEquals(unfinished.map(({ offset }) => offset), [0]);
  release.resolve();
  await run;
  await turns(2);
  assertEquals(worker.running(), []);
});

Deno.test("a job that has ended is not named as running while its outcome waits for a log that is offline", async () => {
  const { app, log, worker, steps, enqueue } = setUpWorker({}, { sessionTimeoutMs: 20, shutdownTimeoutMs: 50 });
  const ended = Promise.withResolvers<void>();
  steps.perform = async () => {
    log.goOffline();
    await nthEvent(app, "membership.changed");
    ended.resolve();
  };
  const run = worker.run();
  await enqueue(1);
  await ended.promise;
  await turns(2);
  assertEquals(await worker.stop(), { unfinished: [], stuck: [] });
  await run;
  log.goOnline();
  await app.close();
});

Deno.test("run() with an aborted signal does not open the broker", async () => {
  const { broker } = setUpWorker();
  let opened = 0;
  const source = { ...broker, name: broker.name, open: () => (opened++, Promise.reject(new Error("opened"))) };
  await using app = new App({
    name: "shop",
    broker: source,
    jobs: [],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  const worker = app.worker({ createTopics: true });
  assertEquals(await worker.run(AbortSignal.abort()), { unfinished: [], stuck: [] });
  assertEquals([opened, worker.status().state], [0, "stopped"]);
});

Deno.test("a job that does not end at a stop is reported as unfinished, and keeps no timer", async () => {
  // A timer that is left fails the test: it would keep the process alive after the stop.
  const { app, worker, steps, enqueue } = setUpWorker({ timeoutMs: 60_000 }, { shutdownTimeoutMs: 5 });
  await using _ = app;
  const orphaned: EventMap["job.orphaned"][] = [];
  app.on("job.orphaned", (event) => orphaned.push(event));
  const running = nthEvent(app, "job.performing");
  steps.perform = () => new Promise(() => {});
  const run = worker.run();
  await enqueue(1);
  await running;
  const { unfinished } = await worker.stop();
  await run;
  assertEquals([unfinished.map(({ offset }) => offset), orphaned], [[0], []]);
});

Deno.test("a stop waits for a dead letter that is being written, and commits its record", async () => {
  const { app, broker, worker, committed, steps, enqueue } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 0 },
  });
  await using _ = app;
  steps.perform = () => {
    throw new Error("no");
  };
  const hold = broker.hold("dead");
  const run = worker.run();
  await enqueue(1);
  await hold.held;
  const stopped = worker.stop();
  await turns(2);
  hold.release();
  await Promise.all([stopped, run]);
  assertEquals(committed()?.offset, 1);
});
