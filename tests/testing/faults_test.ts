/** Planned faults come at their moment, as often as planned, and act as on a real broker. */
import {
  activeJobTopic,
  App,
  BrokerError,
  EnqueueError,
  type EventMap,
  InvalidConfigurationError,
  Job,
  type KafkaOptions,
  performAllLater,
  RevokedError,
} from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { app as shop } from "../support/shop.ts";

/** The actions of jobs, in order, until a test takes them. */
const actions: string[] = [];

/** At its first run, ends only when its signal aborts. */
class ExportJob extends Job {
  static runs = 0;
  static reason: unknown;
  async perform(name: string) {
    actions.push(`start ${name}`);
    if (ExportJob.runs++ === 0) {
      await new Promise((resolve) => this.signal.addEventListener("abort", resolve));
      ExportJob.reason = this.signal.reason;
    }
    actions.push(`end ${name}`);
  }
}
class ChargeJob extends Job {
  perform(cents: number) {
    actions.push(`${cents} at attempt ${this.attempt}, in all ${this.executions}`);
  }
}
class BrokenJob extends Job {
  static override queue = "orders";
  perform(id: number) {
    actions.push(`broken ${id}`);
    throw new RangeError("broken");
  }
}
class SyncJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync", dispatchManyMethod: "produceManySync" };
  perform() {}
}

const app = new App({
  name: "bank",
  broker: "kafka://localhost:1",
  jobs: [ExportJob, ChargeJob, BrokenJob, SyncJob],
  topics: [
    activeJobTopic("default"),
    activeJobTopic("orders", { deadLetterQueue: { topic: "dead_orders", maxRetries: 0 } }),
  ],
  queuePrefix: "live",
});

const takeActions = () => actions.splice(0);

Deno.test("faults.revoke() aborts the signal of a running job, marks nothing of it, and it is performed again", async () => {
  await using t = TestApp.of(app);
  takeActions();
  ExportJob.runs = 0;
  const revoked: EventMap["job.revoked"][] = [];
  t.app.on("job.revoked", (event) => void revoked.push(event));
  await performAllLater([ChargeJob.of(1), ExportJob.of("a"), ChargeJob.of(2)]);
  t.faults.revoke(ExportJob);
  assertEquals(await t.performEnqueuedJobs(), 3);
  assert(ExportJob.reason instanceof RevokedError);
  assertEquals(takeActions().filter((line) => line.startsWith("start")), ["start a", "start a"]);
  assertEquals(revoked.map(({ jobClass, outcome }) => [jobClass, outcome]), [["ExportJob", "passed"]]);
  t.assertPerformedJobs(1, { only: ExportJob });
  t.assertPerformedJobs(2, { only: ChargeJob });
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("faults.revoke() also revokes a job that ends at once or fails, and counts no attempt", async () => {
  await using t = TestApp.of(app);
  takeActions();
  await performAllLater([ChargeJob.of(1), ChargeJob.of(2), ChargeJob.of(3)]);
  t.faults.revoke((job) => job.args[0] === 2, { times: 2 });
  assertEquals(await t.performEnqueuedJobs(), 3);
  assertEquals(takeActions(), [1, 2, 2, 2, 3].map((cents) => `${cents} at attempt 1, in all 1`));
  await BrokenJob.performLater(4);
  t.faults.revoke([BrokenJob, ExportJob]);
  await assertRejects(() => t.performEnqueuedJobs(), RangeError, "broken");
  assertEquals(takeActions(), ["broken 4", "broken 4"]);
  assertEquals(t.assertDeadLettered(BrokenJob).attempts, 1);
});

Deno.test("faults.crashBeforeMark() repeats the job that has succeeded, and no other", async () => {
  await using t = TestApp.of(app);
  takeActions();
  await performAllLater([1, 2, 3].map((cents) => ChargeJob.of(cents)));
  t.faults.crashBeforeMark((job) => job.args[0] === 2);
  assertEquals(t.faults.pending, 1);
  assertEquals(await t.performEnqueuedJobs(), 4);
  assertEquals(t.faults.pending, 0);
  assertEquals(takeActions(), [1, 2, 2, 3].map((cents) => `${cents} at attempt 1, in all 1`));
  t.assertPerformedJobs(4, { only: ChargeJob });
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("faults.crashBeforeMark() repeats a job also if one before it in the log still runs", async () => {
  const runs: number[] = [];
  const again = Promise.withResolvers<void>();
  class StepJob extends Job {
    async perform(n: number) {
      runs.push(n);
      if (n === 2 && runs.filter((run) => run === 2).length === 2) again.resolve();
      const aborted = new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve()));
      if (n === 1) await Promise.race([again.promise, aborted]);
    }
  }
  const steps = new App({
    name: "steps",
    broker: "kafka://localhost:1",
    jobs: [StepJob],
    topics: [activeJobTopic("default", { ordering: "none" })],
  });
  await using t = TestApp.of(steps);
  await performAllLater([StepJob.of(1), StepJob.of(2)]);
  t.faults.crashBeforeMark((job) => job.args[0] === 2);
  await t.performEnqueuedJobs();
  assertEquals(runs.toSorted(), [1, 1, 2, 2]);
});

Deno.test("faults.crashBeforeMark() comes as often as planned, also for the last job and beside jobs that are held back", async () => {
  await using t = TestApp.of(app);
  takeActions();
  await performAllLater([1, 2, 3].map((cents) => ChargeJob.of(cents)));
  t.faults.crashBeforeMark(ChargeJob, { times: 3 });
  assertEquals(await t.performEnqueuedJobs({ only: (job) => job.args[0] !== 2 }), 5);
  assertEquals(takeActions().map((line) => Number(line[0])), [1, 1, 1, 1, 3]);
  assertEquals(await t.performEnqueuedJobs(), 1);
  assertEquals(takeActions().map((line) => Number(line[0])), [2]);
});

Deno.test("faults.crashBeforeMark() repeats the last job also if the run ends before the loss is reported", async () => {
  await using t = TestApp.of(app);
  takeActions();
  await ChargeJob.performLater(1);
  t.faults.crashBeforeMark(ChargeJob);
  // The run checks for its end as soon as the event loop is free again: its timer fires before the loss is reported.
  t.app.on("job.performed", () => {
    for (const untilMs = performance.now() + 30; performance.now() < untilMs;);
  });
  assertEquals(await t.performEnqueuedJobs(), 2);
});

Deno.test("faults also come for a worker that the test runs itself", async () => {
  await using t = TestApp.of(app);
  takeActions();
  await ChargeJob.performLater(1);
  t.faults.crashBeforeMark(ChargeJob);
  const again = Promise.withResolvers<void>();
  t.app.on("job.performed", () => {
    if (actions.length === 2) again.resolve();
  });
  const worker = t.app.worker();
  const running = worker.run();
  await again.promise;
  await worker.stop();
  await running;
  assertEquals(takeActions().length, 2);
});

Deno.test("a fault whose function throws ends the run with that error", async () => {
  await using t = TestApp.of(app);
  await ChargeJob.performLater(1);
  t.faults.revoke(() => {
    throw new RangeError("an error of the test");
  });
  await assertRejects(() => t.performEnqueuedJobs(), RangeError, "an error of the test");
});

Deno.test("faults.failAppends() refuses the given number of enqueues, and no more", async () => {
  await using t = TestApp.of(app);
  t.faults.failAppends(2);
  t.faults.revoke(ChargeJob, { times: 3 });
  assertEquals(t.faults.pending, 5);
  const error = await assertRejects(() => SyncJob.performLater(), EnqueueError, "The test lets this append fail");
  assertEquals([error.written, (error.cause as Error).name], ["no", "BrokerError"]);
  // A job that was not awaited has the error.
  const job = await ChargeJob.performLater(1);
  assertEquals([job.status, job.enqueueError?.written], ["failed", "no"]);
  t.assertNoEnqueuedJobs();
  await SyncJob.performLater();
  t.assertEnqueuedJobs(1);
  assertEquals(t.faults.pending, 3);
});

Deno.test("faults.failAppends() loses the acknowledgement of one of several jobs, which may be in the log", async () => {
  for (const stored of [false, true]) {
    await using t = TestApp.of(app);
    const cause = new BrokerError("The connection was closed");
    t.faults.failAppends(1, { topic: "default", error: cause, written: "unknown", stored });
    await BrokenJob.performLater(0);
    const jobs = await performAllLater([1, 2, 3].map(() => SyncJob.of()));
    assertEquals(jobs.map(({ status }) => status), ["unknown", "delivered", "delivered"]);
    assert(jobs[0]!.enqueueError?.cause === cause);
    assertEquals(
      t.enqueuedJobs({ only: SyncJob }).map(({ jobId }) => jobId),
      jobs.slice(stored ? 0 : 1).map(({ jobId }) => jobId),
    );
    assertEquals(await t.performEnqueuedJobs({ only: SyncJob }), stored ? 3 : 2);
  }
});

Deno.test("faults.failAppends() for a dead letter topic: the write is retried, the job is not", async () => {
  await using t = TestApp.of(app);
  takeActions();
  const errors: string[] = [];
  t.app.on("error.occurred", ({ where, error }) => void errors.push(`${where}: ${error.message}`));
  t.faults.failAppends(2, { topic: "dead_orders" });
  await BrokenJob.performLater(7);
  await t.performEnqueuedJobs({ retries: true });
  assertEquals(takeActions(), ["broken 7"]);
  assertEquals(errors, Array(2).fill("dead letter: The test lets this append fail"));
  assertEquals(t.assertDeadLettered(BrokenJob).attempts, 1);
  // With a dead letter topic that never accepts it, the job stays unfinished, and the error has the reason.
  t.faults.failAppends(1000, { topic: "dead_orders" });
  await BrokenJob.performLater(8);
  const error = await assertRejects(() => t.performEnqueuedJobs({ retries: true }), RangeError, "broken");
  assertEquals(error.cause, "BrokenJob(8) on orders at attempt 1, from live_orders/0@1");
});

Deno.test("faults.goOffline() makes enqueues wait until faults.goOnline(), and performing is refused", async () => {
  await using t = TestApp.of(app);
  t.faults.goOffline();
  let isOver = false;
  const enqueuing = SyncJob.performLater().then(() => isOver = true);
  await assertRejects(() => t.performEnqueuedJobs(), InvalidConfigurationError, "its broker is offline");
  await t.assertNoEnqueuedJobs(() => void SyncJob.performLater());
  assert(!isOver);
  t.faults.goOnline();
  await enqueuing;
  assertEquals(await t.performEnqueuedJobs(), 2);
  t.faults.goOffline(); // and the end of the test ends it
});

Deno.test("faults refuse invalid options", async () => {
  await using t = TestApp.of(app);
  const refuses = (message: string, plan: () => void) => void assertThrows(plan, InvalidConfigurationError, message);
  class OtherJob extends ChargeJob {}
  refuses(
    'Cannot look for "OtherJob" in faults.revoke(): the App "bank" does not list that class',
    () => t.faults.revoke(OtherJob),
  );
  // deno-lint-ignore no-explicit-any
  refuses("faults.crashBeforeMark() needs a job class", () => (t.faults as any).crashBeforeMark());
  refuses(
    'Option "times" of faults.revoke() must be an integer from 1 up, but it is 0',
    () => t.faults.revoke(ChargeJob, { times: 0 }),
  );
  refuses(
    'Option "times" of faults.failAppends() must be an integer from 1 up, but it is -1',
    () => t.faults.failAppends(-1),
  );
  refuses(
    'The App has no topic "dead_oders"; did you mean "dead_orders"? (declared: "default", "orders", "dead_orders")',
    () => t.faults.failAppends(1, { topic: "dead_oders" }),
  );
  refuses(
    'Option "stored" of faults.failAppends() needs written: "unknown"',
    () => t.faults.failAppends(1, { stored: true }),
  );
  // deno-lint-ignore no-explicit-any
  refuses('Option "written" of faults.failAppends()', () => t.faults.failAppends(1, { written: "yes" as any }));
  // deno-lint-ignore no-explicit-any
  refuses('Option "error" of faults.failAppends()', () => t.faults.failAppends(1, { error: "no" as any }));
  await using other = TestApp.of(shop);
  other.faults.failAppends(1, { topic: "default" }); // without the prefix, and of that App only
});
