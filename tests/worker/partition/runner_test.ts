/**
 * The runner on the memory broker: nothing starts, is marked or dead-lettered unless the partition is certainly owned.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { until } from "../../support/until.ts";
import { nthEvent, setUpWorker, stepEnvelope, turns } from "../../support/worker.ts";

Deno.test("a job that ends after the session may have expired is not marked, and no other starts meanwhile", async () => {
  const { app, log, broker, worker, errors, committed, steps, runs, enqueue } = setUpWorker();
  await using _ = app;
  const ended = Promise.withResolvers<void>();
  steps.perform = () => runs.length === 1 ? ended.promise : undefined;
  const running = nthEvent(app, "job.performing");
  const revoked = nthEvent(app, "job.revoked");
  const performed = nthEvent(app, "job.performed", 2);
  const run = worker.run();
  await enqueue(1, 2);
  await running;
  log.block(broker.consumer);
  ended.resolve();
  await turns(5);
  assertEquals([runs, committed()], [[1], null], "the worker knows it only from the clock");
  log.unblock(broker.consumer);
  const { offset, outcome, sessionTimeoutMs } = await revoked;
  assertEquals([offset, outcome, sessionTimeoutMs], [0, "passed", app.options.sessionTimeoutMs ?? 15_000]);
  await performed;
  await worker.stop();
  await run;
  assertEquals([runs, committed()?.offset, errors], [[1, 1, 2], 2, []]);
});

Deno.test("a job's failure after its partition was lost is neither counted nor dead-lettered", async () => {
  const { app, log, worker, errors, steps, runs, enqueue } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 0 },
  });
  await using _ = app;
  const aborted = Promise.withResolvers<void>();
  steps.perform = async (_n, job) => {
    if (runs.length > 1) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    job.signal.addEventListener("abort", () => resolve());
    await promise;
    aborted.resolve();
    throw job.signal.reason;
  };
  const running = nthEvent(app, "job.performing");
  const performed = nthEvent(app, "job.performed");
  const run = worker.run();
  await enqueue(1);
  await running;
  log.revoke("shop", { topic: "default", partition: 0 });
  await aborted.promise;
  const { attempt } = await performed;
  await worker.stop();
  await run;
  assertEquals([runs, attempt, log.topic("dead")!.partitions[0]!.high, errors], [[1, 1], 1, 0, []]);
});

Deno.test("a dead letter is acknowledged before its job is marked", async () => {
  const { app, broker, worker, errors, committed, log, steps, runs, enqueue } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 0 },
  });
  await using _ = app;
  steps.perform = (n) => {
    if (n === 1) throw new Error("no");
  };
  const hold = broker.hold("dead");
  const performed = nthEvent(app, "job.performed");
  const run = worker.run();
  await enqueue(1, 2);
  await hold.held;
  await turns(5);
  assertEquals([runs, committed()?.offset ?? 0], [[1], 0]);
  assertEquals(committed()?.metadata, "v1;a=0:1;s=1;d=0", "the failure and the decision are committed already");
  hold.release();
  await performed;
  await worker.stop();
  await run;
  assertEquals([runs, committed()?.offset, log.topic("dead")!.partitions[0]!.high, errors], [[1, 2], 2, 1, []]);
});

Deno.test("a record whose dead letter an earlier owner decided is dead-lettered without a further run", async () => {
  const { app, worker, log, errors, runs, enqueue } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 2 },
  });
  await using _ = app;
  await enqueue(1, 2);
  await log.commitAs("shop", { topic: "default", partition: 0, offset: 0 }, "v1;a=0:3;s=3;d=0");
  const dead = nthEvent(app, "record.dead_lettered");
  await worker.run(undefined, { once: true });
  assertEquals((await dead).attempts, 3);
  assertEquals([runs, errors], [[2], []]);
});

Deno.test("a dead letter that cannot be written holds no slot: other partitions continue, and a stop does not wait for it", async () => {
  const { app, broker, worker, log, steps } = setUpWorker(
    { deadLetterQueue: { topic: "dead", maxRetries: 0 }, partitions: 2 },
    { concurrency: 1, shutdownTimeoutMs: 3000 },
  );
  await app.applyTopics();
  const { held, release } = broker.hold("dead");
  steps.perform = (n) => {
    if (n === 1) throw new Error("never");
  };
  const performed = nthEvent(app, "job.performed", 1);
  log.append("default", [
    { partition: 0, value: JSON.stringify({ job_class: "StepJob", arguments: [1] }) },
  ]);
  const running = worker.run();
  await held;
  log.append("default", [
    { partition: 1, value: JSON.stringify({ job_class: "StepJob", arguments: [2] }) },
  ]);
  assertEquals((await performed).partition, 1);
  const startedMs = performance.now();
  await worker.stop();
  assert(performance.now() - startedMs < 2900, "the stop has waited for the dead letter");
  await running;
  release();
  await app.close();
});

Deno.test("a record that failed often before there was a dead letter queue runs once more, also with metadata of 0.1", async () => {
  for (const isMended of [true, false]) {
    const { app, worker, log, steps, runs, enqueue, committed, errors } = setUpWorker({
      deadLetterQueue: { topic: "dead", maxRetries: 2 },
    });
    await using _ = app;
    await enqueue(1, 2);
    await log.commitAs("shop", { topic: "default", partition: 0, offset: 0 }, "v1;a=0:5;s=5");
    steps.perform = (n) => {
      if (n === 1 && !isMended) throw new Error("no");
    };
    const attempts: number[] = [];
    app.on("job.performing", ({ attempt }) => attempts.push(attempt));
    await worker.run(undefined, { once: true });
    const dead = log.topic("dead")!.partitions[0]!.high;
    assertEquals([runs, attempts, dead, committed()?.offset, errors], [[1, 2], [6, 1], isMended ? 0 : 1, 2, []]);
  }
});

Deno.test("a crash between the decision and the dead letter does not run the job again", async () => {
  const { app, broker, worker, log, steps, runs, enqueue, committed } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 1 },
  });
  await using _ = app;
  steps.perform = () => {
    throw new Error("no");
  };
  const hold = broker.hold("dead");
  const run = worker.run();
  await enqueue(1);
  await hold.held;
  await until(() => committed()?.metadata === "v1;a=0:2;s=2;d=0", () => JSON.stringify(committed()));
  const { metadata } = committed()!;
  // As after a crash: another ownership starts from this commit, and nothing of the first one counts.
  const dead = nthEvent(app, "record.dead_lettered", 2);
  const lost = nthEvent(app, "partition.lost");
  log.revoke("shop", { topic: "default", partition: 0 });
  await lost;
  hold.release();
  assertEquals([(await dead).attempts, runs, metadata], [2, [1, 1], "v1;a=0:2;s=2;d=0"]);
  await worker.stop();
  await run;
});

Deno.test("a dead letter whose partition was lost during the write finishes nothing", async () => {
  const { app, broker, log, worker, errors, steps, enqueue, committed } = setUpWorker({
    deadLetterQueue: { topic: "dead", maxRetries: 0 },
  });
  await using _ = app;
  steps.perform = () => {
    throw new Error("no");
  };
  const hold = broker.hold("dead");
  const written = nthEvent(app, "record.dead_lettered");
  const run = worker.run();
  await enqueue(1);
  await hold.held;
  log.block(broker.consumer);
  hold.release();
  await written;
  await turns(3);
  const [partition] = worker.status().groups[0]!.partitions;
  assertEquals([partition!.position, partition!.waiting, committed()?.offset ?? 0], [0, 1, 0], "not certainly ours");
  const again = nthEvent(app, "record.dead_lettered");
  log.unblock(broker.consumer);
  await again;
  await until(() => committed()?.offset === 1, () => JSON.stringify(committed()));
  await worker.stop();
  await run;
  assertEquals([log.topic("dead")!.partitions[0]!.high, errors], [2, []]);
});

Deno.test("a job that its class gave up while the session may have expired is not marked, and runs again", async () => {
  const runs: number[] = [];
  class GivenUpJob extends Job {
    static {
      this.discardOn(Error);
      this.afterDiscard(() => {
        if (runs.length === 1) log.block(broker.consumer);
      });
    }
    perform() {
      runs.push(this.attempt);
      throw new Error("no");
    }
  }
  const { app, broker, log, worker, errors, committed } = setUpWorker({}, { jobs: [GivenUpJob] });
  await using _ = app;
  const discarded = nthEvent(app, "job.discarded");
  const again = nthEvent(app, "job.discarded", 2);
  const run = worker.run();
  await GivenUpJob.performLater();
  await discarded;
  await turns(3);
  const [partition] = worker.status().groups[0]!.partitions;
  assertEquals([partition!.position, committed()?.offset ?? 0], [0, 0], "not certainly ours");
  log.unblock(broker.consumer);
  await again;
  await until(() => committed()?.offset === 1, () => JSON.stringify(committed()));
  await worker.stop();
  await run;
  assertEquals([runs, errors], [[1, 1], []]);
});

Deno.test("a stuck record is listed until it is finished, and not with the records behind it", async () => {
  const { app, worker, steps, enqueue, runs } = setUpWorker();
  await using _ = app;
  const behind = Promise.withResolvers<void>();
  let isMended = false;
  steps.perform = (n) => {
    if (n === 1 && !isMended) throw new Error("no");
    return n === 2 ? behind.promise : undefined;
  };
  const stuck = () => worker.status().groups[0]!.partitions[0]?.stuck.map(({ offset, attempts }) => [offset, attempts]);
  const run = worker.run();
  await enqueue(1, 2);
  await until(() => (stuck()?.length ?? 0) > 0, () => JSON.stringify(worker.status()));
  assertEquals(stuck()![0]![0], 0);
  isMended = true;
  await until(() => runs.at(-1) === 2, () => JSON.stringify(runs));
  assertEquals(stuck(), []);
  behind.resolve();
  await worker.stop();
  await run;
});

Deno.test("records of an unknown class wait once in a worker, whatever their partition", async () => {
  const { app, log, worker, runs } = setUpWorker({
    partitions: 2,
    deadLetterQueue: { topic: "dead" },
    unknownJobs: { retryForMs: 300 },
    backoff: { initialMs: 10, maxMs: 50, jitter: 0 },
  });
  await using _ = app;
  await app.applyTopics();
  const gone = JSON.stringify({ job_class: "GoneJob", arguments: [] });
  for (const partition of [0, 1]) {
    log.append("default", Array.from({ length: 100 }, () => ({ partition, value: gone })));
    log.append("default", [{ partition, value: stepEnvelope(partition) }]);
  }
  const startedMs = performance.now();
  await worker.run(undefined, { once: true });
  const tookMs = performance.now() - startedMs;
  assertEquals([log.topic("dead")!.partitions[0]!.high, runs.toSorted()], [200, [0, 1]]);
  // One wait of 300 ms, and not 100 of them.
  assert(tookMs >= 290 && tookMs < 20_000, `${tookMs} ms`);
});

Deno.test("Runner lets timers run while jobs that never wait follow each other", async () => {
  class BusyJob extends Job {
    perform() {
      const untilMs = performance.now() + 2;
      while (performance.now() < untilMs);
    }
  }
  await using app = new App({
    name: "loop",
    broker: "memory:",
    jobs: [BusyJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  let performed = 0;
  const atTick: number[] = [];
  app.on("job.performed", () => void performed++);
  for (let n = 0; n < 100; n++) await BusyJob.performLater();
  await app.flush();
  const timer = setInterval(() => atTick.push(performed), 10);
  await app.worker().run(undefined, { once: true });
  clearInterval(timer);
  const during = new Set(atTick.filter((count) => count > 0 && count < 100));
  assert(during.size >= 4, `Timers ran at ${[...during].join(", ")} of 100 jobs`);
});
