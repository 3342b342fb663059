/** One run of a job: its times, its time limit, and its async context. */
// Runs alone: it measures milliseconds of busy jobs.
import { activeJobTopic, App, currentAttributes, type EventMap, Job, type Serializer } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { nthEvent, setUpWorker, stepEnvelope } from "../../support/worker.ts";

function appOf(jobs: readonly (new () => Job)[]): App {
  return new App({
    name: "loop",
    broker: "memory:",
    jobs: jobs as ConstructorParameters<typeof App>[0]["jobs"],
    topics: [activeJobTopic("default", { backoff: { initialMs: 300, maxMs: 300, jitter: 0 } })],
    logger: false,
  });
}

Deno.test("Attempt measures an attempt from its own start, not from the wait before it", async () => {
  class SecondTimeJob extends Job {
    perform() {
      if (this.attempt === 1) throw new Error("not yet");
    }
  }
  await using app = appOf([SecondTimeJob]);
  const performed: EventMap["job.performed"][] = [];
  app.on("job.performed", (event) => void performed.push(event));
  await SecondTimeJob.performLater();
  await app.worker().run(undefined, { once: true });
  assertEquals(performed.map(({ attempt }) => attempt), [2]);
  assert(performed[0]!.durationMs < 299, `It took ${performed[0]!.durationMs} ms`);
  assert(performed[0]!.waitMs! >= 299, `It waited for ${performed[0]!.waitMs} ms`);
});

Deno.test("Attempt counts a job as failed that blocked the event loop, and its own timer, for longer than its time", async () => {
  class BlockingJob extends Job {
    static override timeoutMs = 500;
    perform() {
      const untilMs = performance.now() + (this.attempt === 1 ? 520 : 1);
      while (performance.now() < untilMs);
    }
  }
  await using app = appOf([BlockingJob]);
  const failed: EventMap["job.failed"][] = [];
  const performed: EventMap["job.performed"][] = [];
  app.on("job.failed", (event) => void failed.push(event));
  app.on("job.performed", (event) => void performed.push(event));
  await BlockingJob.performLater();
  await app.worker().run(undefined, { once: true });
  assertEquals(failed.map(({ error, attempt }) => [error.errorClass, error.message, attempt]), [
    ["TimeoutError", "BlockingJob ran longer than its 500 ms", 1],
  ]);
  assertEquals(performed.map(({ attempt }) => attempt), [2]);
});

Deno.test("Attempt counts a job as failed whose static timeoutMs throws; the worker and its status go on", async () => {
  class LimitJob extends Job {
    static isBroken = false;
    static override get timeoutMs(): number {
      if (LimitJob.isBroken) throw new Error("no limit");
      return 60_000;
    }
    perform() {}
  }
  await using app = appOf([LimitJob]);
  const failed: EventMap["job.failed"][] = [];
  const performed: EventMap["job.performed"][] = [];
  const worker = app.worker();
  app.on("job.failed", (event) => {
    failed.push(event);
    assertEquals(worker.status().state, "running");
    LimitJob.isBroken = false;
  });
  app.on("job.performed", (event) => void performed.push(event));
  await LimitJob.performLater();
  LimitJob.isBroken = true;
  await worker.run(undefined, { once: true });
  assertEquals(failed.map(({ error, attempt }) => [error.message, attempt]), [["no limit", 1]]);
  assertEquals(performed.map(({ attempt }) => attempt), [2]);
});

Deno.test("Attempt does not ask the error handlers of a job that the stop ended", async () => {
  const asked: string[] = [];
  const begun = Promise.withResolvers<void>();
  class EndedJob extends Job {
    static {
      this.rescueFrom(Error, () => void asked.push("rescued"));
    }
    async perform() {
      const ended = Promise.withResolvers<never>();
      this.signal.addEventListener("abort", () => ended.reject(this.signal.reason));
      begun.resolve();
      await ended.promise;
    }
  }
  const app = new App({
    name: "loop",
    broker: "memory:",
    jobs: [EndedJob],
    topics: [activeJobTopic("default")],
    shutdownTimeoutMs: 20,
    logger: false,
  });
  const run = app.worker().run();
  await EndedJob.performLater();
  await begun.promise;
  await app.close();
  await run;
  assertEquals(asked, []);
});

Deno.test("Attempt counts a job as failed whose attributes cannot be read again for its error handlers; the worker goes on", async () => {
  class Account {}
  class Current extends currentAttributes<{ account: Account }>("account") {}
  let reads = 0;
  const account: Serializer<Account, Record<string, never>> = {
    name: "AccountSerializer",
    handles: (value) => value instanceof Account,
    serialize: () => ({}),
    deserialize: () => {
      if (++reads === 2) throw new Error("the account is gone");
      return new Account();
    },
  };
  const runs: number[] = [];
  class AccountJob extends Job {
    static {
      this.retryOn(TypeError);
    }
    perform() {
      runs.push(this.attempt);
      if (this.attempt === 1) throw new TypeError("no");
    }
  }
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [AccountJob],
    topics: [activeJobTopic("default")],
    currentAttributes: [Current],
    serializers: [account],
    backoff: { initialMs: 1, maxMs: 1, jitter: 0 },
    logger: false,
  });
  const failures: string[] = [];
  app.on("job.failed", ({ error }) => failures.push(error.message));
  await Current.run({ account: new Account() }, () => AccountJob.performLater());
  await app.flush();
  await app.worker().run(undefined, { once: true });
  assertEquals([runs, failures], [[1, 2], [
    "Cannot deserialize current_attributes.Current.account: AccountSerializer: the account is gone",
  ]]);
});

Deno.test("a wait in place that is longer than a timer can be ends with the longest timer, not at once", async () => {
  class PatientJob extends Job {
    static {
      this.retryOn(Error, { attempts: 3, wait: { weeks: 10 }, inPlace: true });
    }
    perform() {
      throw new Error("no");
    }
  }
  await using app = appOf([PatientJob]);
  const paused = Promise.withResolvers<EventMap["partition.paused"]>();
  app.on("partition.paused", paused.resolve);
  const run = app.worker().run();
  await PatientJob.performLater();
  assertEquals((await paused.promise).waitMs, 2 ** 31 - 1);
  await app.close();
  await run;
});

Deno.test("Attempt has a wait time of 0 if the clocks differ a little, and none if they differ by more", async () => {
  const { app, log, worker } = setUpWorker();
  await using _ = app;
  await app.applyTopics();
  const enqueuedAt = (aheadMs: number) => new Date(Date.now() + aheadMs).toISOString();
  const times = [enqueuedAt(-60_000), enqueuedAt(60_000), "1970-01-01T00:00:00.000Z", enqueuedAt(900)];
  log.append("default", times.map((enqueued_at) => ({ value: stepEnvelope(0, { enqueued_at }), partition: 0 })));
  const waits: (number | null)[] = [];
  app.on("job.performed", ({ waitMs }) => waits.push(waitMs));
  await worker.run(undefined, { once: true });
  assert(waits[0]! >= 60_000 && waits[0]! < 120_000, `${waits[0]}`);
  assertEquals(waits.slice(1), [null, null, 0]);
});

Deno.test("Attempt counts the wait of a delayed job from its due time, and the job has that time", async () => {
  const { app, log, worker, steps } = setUpWorker();
  await using _ = app;
  await app.applyTopics();
  const times = { enqueued_at: "2020-01-01T00:00:00.000Z", scheduled_at: new Date(Date.now() - 60_000).toISOString() };
  const scheduled: (Date | null)[] = [];
  steps.perform = (_n, job) => void scheduled.push(job.scheduledAt);
  log.append("default", [{ value: stepEnvelope(0, times), partition: 0 }]);
  const waits: (number | null)[] = [];
  app.on("job.performed", ({ waitMs }) => waits.push(waitMs));
  await worker.run(undefined, { once: true });
  assert(waits[0]! >= 60_000 && waits[0]! < 120_000, `${waits[0]}`);
  assertEquals(scheduled, [new Date(times.scheduled_at)]);
});

Deno.test("a job's context ends with its run: no other job, retry or listener sees it, with and without attributes", async () => {
  class Current extends currentAttributes<{ user: string }>("user") {}
  for (const attributes of [[], [Current]]) {
    const { app, worker, steps, enqueue, errors } = setUpWorker({ partitions: 1 }, { currentAttributes: attributes });
    await using _ = app;
    const tenant = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    steps.perform = (n, job) => {
      seen.push(`job ${n} at ${job.attempt}: ${tenant.getStore()}`);
      tenant.enterWith(`tenant of ${n}`);
      job.logger.info("in the job");
      if (n === 1 && job.attempt === 1) throw new Error("again");
    };
    for (const name of ["job.performing", "job.performed", "job.failed", "job.log"] as const) {
      app.on(name, () => {
        seen.push(`${name}: ${tenant.getStore()}`);
        tenant.enterWith(`listener of ${name}`);
      });
      app.on(name, () => seen.push(`${name}: ${tenant.getStore()}`));
    }
    await enqueue(1, 2);
    await tenant.run("caller", () => worker.run(undefined, { once: true }));
    const twice = (name: string) => [`${name}: undefined`, `${name}: undefined`];
    assertEquals(seen, [
      ...twice("job.performing"),
      "job 1 at 1: undefined",
      ...twice("job.log"),
      ...twice("job.failed"),
      ...twice("job.performing"),
      "job 1 at 2: undefined",
      ...twice("job.log"),
      ...twice("job.performed"),
      ...twice("job.performing"),
      "job 2 at 1: undefined",
      ...twice("job.log"),
      ...twice("job.performed"),
    ]);
    assertEquals(errors, []);
  }
});

Deno.test("a job does not see the context of the caller that made or ran its worker, or that enqueued", async () => {
  const { app, errors, steps, enqueue } = setUpWorker();
  await using _ = app;
  const request = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  steps.perform = () => seen.push(request.getStore());
  const performed = nthEvent(app, "job.performed", 2);
  const started = nthEvent(app, "worker.started");
  const worker = request.run("maker", () => app.worker());
  const run = request.run("caller", () => worker.run());
  await started;
  await request.run("request", () => enqueue(1, 2));
  await performed;
  await worker.stop();
  await run;
  assertEquals([seen, errors], [[undefined, undefined], []]);
});
