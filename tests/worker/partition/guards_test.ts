/** What a worker must not do: mark, start or dead-letter while it is not certain that the partition is its own. */
import { activeJobTopic, App, type AppOptions, type EventMap, Job, type TopicOptions } from "@activejob/kafka";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { heldBroker } from "../../support/controlled_broker.ts";

/** What each job does, by its argument; set by the test. */
let behaviour: (n: number, job: StepJob) => unknown = () => {};
const runs: number[] = [];

class StepJob extends Job {
  async perform(n: number) {
    runs.push(n);
    await behaviour(n, this);
  }
}

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
};

/** A worker on a log of its own, with what it says written down. */
function setUp(topic: TopicOptions = {}, options: Partial<AppOptions> = {}) {
  runs.length = 0;
  behaviour = () => {};
  const log = new FaultInjectionLog();
  const broker = heldBroker(log);
  const app = new App({
    name: "shop",
    broker,
    jobs: [StepJob],
    topics: [activeJobTopic("default", { backoff: { initialMs: 1, maxMs: 1, jitter: 0 }, ...topic })],
    commitIntervalMs: 0,
    logger: false,
    ...options,
  });
  const errors: EventMap["error.occurred"][] = [];
  app.on("error.occurred", (event) => errors.push(event));
  const committed = () => log.group("shop").committed({ topic: "default", partition: 0 });
  return { log, broker, app, errors, committed, worker: app.worker() };
}

/** Resolves at the n-th event of a name. */
function nth<N extends keyof EventMap>(app: App, name: N, n = 1): Promise<EventMap[N]> {
  return new Promise((resolve) => {
    const end = app.on(name, (event) => {
      if (--n > 0) return;
      end();
      resolve(event);
    });
  });
}

async function enqueue(app: App, ...args: number[]): Promise<void> {
  for (const n of args) await app.enqueue(StepJob.of(n));
  await app.flush();
}

Deno.test("a job that ends after the session may have expired is not marked, and no other starts meanwhile", async () => {
  const { app, log, broker, worker, errors, committed } = setUp();
  await using _ = app;
  const ended = Promise.withResolvers<void>();
  behaviour = () => runs.length === 1 ? ended.promise : undefined;
  const running = nth(app, "job.performing");
  const revoked = nth(app, "job.revoked");
  const performed = nth(app, "job.performed", 2);
  const run = worker.run();
  await enqueue(app, 1, 2);
  await running;
  log.block(broker.consumer);
  ended.resolve();
  await turns(5);
  assertEquals([runs, committed()], [[1], null], "nobody has told the worker yet; only the clock could");
  log.unblock(broker.consumer);
  const { offset, outcome, sessionTimeoutMs } = await revoked;
  assertEquals([offset, outcome, sessionTimeoutMs], [0, "passed", app.options.sessionTimeoutMs ?? 15_000]);
  await performed;
  await worker.stop();
  await run;
  assertEquals([runs, committed()?.offset, errors], [[1, 1, 2], 2, []]);
});

Deno.test("a job's failure after its partition was lost is neither counted nor dead-lettered", async () => {
  const { app, log, worker, errors } = setUp({ deadLetterQueue: { topic: "dead", maxRetries: 0 } });
  await using _ = app;
  const aborted = Promise.withResolvers<void>();
  behaviour = async (_n, job) => {
    if (runs.length > 1) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    job.signal.addEventListener("abort", () => resolve());
    await promise;
    aborted.resolve();
    throw job.signal.reason;
  };
  const running = nth(app, "job.performing");
  const performed = nth(app, "job.performed");
  const run = worker.run();
  await enqueue(app, 1);
  await running;
  log.revoke("shop", { topic: "default", partition: 0 });
  await aborted.promise;
  const { attempt } = await performed;
  await worker.stop();
  await run;
  assertEquals([runs, attempt, log.topic("dead")!.partitions[0]!.high, errors], [[1, 1], 1, 0, []]);
});

Deno.test("a dead letter is acknowledged before its job is marked", async () => {
  const { app, broker, worker, errors, committed, log } = setUp({ deadLetterQueue: { topic: "dead", maxRetries: 0 } });
  await using _ = app;
  behaviour = (n) => {
    if (n === 1) throw new Error("no");
  };
  const hold = broker.hold("dead");
  const performed = nth(app, "job.performed");
  const run = worker.run();
  await enqueue(app, 1, 2);
  await hold.held;
  await turns(5);
  assertEquals([runs, committed()?.offset ?? 0], [[1], 0]);
  assertEquals(committed()?.metadata, "v1;a=0:1;s=1", "its failure is counted already");
  hold.letGo();
  await performed;
  await worker.stop();
  await run;
  assertEquals([runs, committed()?.offset, log.topic("dead")!.partitions[0]!.high, errors], [[1, 2], 2, 1, []]);
});

Deno.test("a record that had all its attempts under another owner is dead-lettered without a further one", async () => {
  const { app, worker, log, errors } = setUp({ deadLetterQueue: { topic: "dead", maxRetries: 2 } });
  await using _ = app;
  await enqueue(app, 1, 2);
  await log.commitAs("shop", { topic: "default", partition: 0, offset: 0 }, "v1;a=0:3;s=3");
  const dead = nth(app, "record.dead_lettered");
  await worker.run(undefined, { once: true });
  assertEquals((await dead).attempts, 3);
  assertEquals([runs, errors], [[2], []]);
});

Deno.test("what an earlier owner finished beyond the committed offset is not performed again", async () => {
  const { app, worker, log, committed, errors } = setUp();
  await using _ = app;
  await enqueue(app, 0, 1, 2, 3, 4);
  await log.commitAs("shop", { topic: "default", partition: 0, offset: 1 }, "v1;f=1-2,3-4");
  await worker.run(undefined, { once: true });
  assertEquals([runs, committed()?.offset, errors], [[1, 3], 5, []]);
});

Deno.test("a job does not see the context of whoever woke the broker", async () => {
  const { app, worker, errors } = setUp();
  await using _ = app;
  const request = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  behaviour = () => seen.push(request.getStore());
  const performed = nth(app, "job.performed", 2);
  const started = nth(app, "worker.started");
  const run = request.run("worker", () => worker.run());
  await started;
  await request.run("request", () => enqueue(app, 1, 2));
  await performed;
  await worker.stop();
  await run;
  assertEquals([seen, errors], [[undefined, undefined], []]);
});

Deno.test("a worker stops within its deadlines though the log is away and a commit is in flight", async () => {
  const { app, log, worker } = setUp({}, { sessionTimeoutMs: 60_000, shutdownTimeoutMs: 1000 });
  const performed = nth(app, "job.performed");
  behaviour = () => log.goOffline();
  const run = worker.run();
  await enqueue(app, 1);
  await performed;
  await turns(2);
  const stopped = worker.stop();
  assertEquals(await stopped, { unfinished: [], stuck: [] });
  await run;
  log.goOnline();
  await app.close();
});

Deno.test("a job that ends because the worker stops has not failed: it keeps its attempts and is no dead letter", async () => {
  const { app, log, worker, errors, committed } = setUp({ deadLetterQueue: { topic: "dead", maxRetries: 0 } }, {
    shutdownTimeoutMs: 50,
    // What job 1 leaves to commit keeps the ownership alive until job 2 has ended.
    commitIntervalMs: 60_000,
  });
  await using _ = app;
  const failed: EventMap["job.failed"][] = [];
  app.on("job.failed", (event) => failed.push(event));
  const ended = Promise.withResolvers<void>();
  behaviour = async (n, job) => {
    if (n === 1) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    job.signal.addEventListener("abort", () => resolve());
    await promise;
    ended.resolve();
    throw job.signal.reason;
  };
  const running = nth(app, "job.performing", 2);
  const run = worker.run();
  await enqueue(app, 1, 2);
  await running;
  const { unfinished } = await worker.stop();
  await Promise.all([ended.promise, run]);
  assertEquals(unfinished.map(({ offset }) => offset), [1]);
  assertEquals([failed, log.topic("dead")!.partitions[0]!.high, committed()], [[], 0, { offset: 1, metadata: "" }]);
  assertEquals(errors, []);
});

Deno.test("a stop names the job of a lost partition that still runs", async () => {
  const { app, log, worker } = setUp({}, { shutdownTimeoutMs: 50 });
  await using _ = app;
  const release = Promise.withResolvers<void>();
  behaviour = () => release.promise;
  const running = nth(app, "job.performing");
  const lost = nth(app, "partition.lost");
  const run = worker.run();
  await enqueue(app, 1);
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

Deno.test("a job that has ended is not named as running while its outcome waits for a log that is away", async () => {
  const { app, log, worker } = setUp({}, { sessionTimeoutMs: 20, shutdownTimeoutMs: 50 });
  const ended = Promise.withResolvers<void>();
  behaviour = async () => {
    log.goOffline();
    await nth(app, "membership.changed");
    ended.resolve();
  };
  const run = worker.run();
  await enqueue(app, 1);
  await ended.promise;
  await turns(2);
  assertEquals(await worker.stop(), { unfinished: [], stuck: [] });
  await run;
  log.goOnline();
  await app.close();
});

Deno.test("a stop does not wait for what --once asks of a log that is away", async () => {
  const { app, log, worker } = setUp();
  await enqueue(app, 1);
  app.on("worker.started", () => log.goOffline());
  const started = nth(app, "worker.started");
  const run = worker.run(undefined, { once: true });
  await started;
  await turns(1);
  await worker.stop();
  assertEquals(await run, { unfinished: [], stuck: [] });
  log.goOnline();
  await app.close();
});

Deno.test("a dead letter that cannot be written holds no slot: other partitions go on, and a stop does not wait for it", async () => {
  const { app, broker, worker, log } = setUp(
    { deadLetterQueue: { topic: "dead", maxRetries: 0 }, partitions: 2 },
    { concurrency: 1, shutdownTimeoutMs: 3000 },
  );
  await app.applyTopics();
  const { held, letGo } = broker.hold("dead");
  behaviour = (n) => {
    if (n === 1) throw new Error("never");
  };
  const performed = nth(app, "job.performed", 1);
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
  letGo();
  await app.close();
});

Deno.test("run() refuses what is no signal, and options that it does not know, before anything begins", async () => {
  const { app, worker } = setUp();
  await assertRejects(() => worker.run({ once: true } as unknown as AbortSignal), Error, "must be an AbortSignal");
  await assertRejects(() => worker.run(undefined, { onec: true } as object), Error, 'did you mean "once"?');
  assertEquals(await worker.run(undefined, { once: true }), { unfinished: [], stuck: [] });
  await app.close();
});
