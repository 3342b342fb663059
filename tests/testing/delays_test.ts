/** The clock of the test kit: delayed jobs, retries that wait, and jobs in steps that are interrupted. */
import { activeJobTopic, App, InvalidConfigurationError, Job, performAllLater } from "@activejob/kafka";
import { FakeClock, TestApp } from "@activejob/kafka/testing";
import { AssertionError } from "node:assert";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

class RateLimited extends Error {
  readonly retryAfterMs: number;
  constructor(retryAfterMs: number) {
    super("Too many requests");
    this.retryAfterMs = retryAfterMs;
  }
}
class AccountClosed extends Error {}

const log: string[] = [];

class SyncJob extends Job {
  static {
    this.retryOn(RateLimited, { attempts: 3, wait: (_executions, error) => ({ milliseconds: error.retryAfterMs }) });
    this.discardOn(AccountClosed, (job, error) => void log.push(`discarded ${job.args[0]}: ${error.message}`));
    this.afterDiscard((job) => void log.push(`gone ${job.jobId.length}`));
  }
  perform(accountId: number) {
    if (accountId < 0) throw new AccountClosed("closed");
    if (this.executions < 3) throw new RateLimited(60_000);
    log.push(`synced ${accountId} at ${this.executions}`);
  }
}

class ShipJob extends Job {
  static override queue = "orders";
  static override kafkaOptions = { key: (job: ShipJob) => job.args[0] };
  perform(orderId: string) {
    log.push(orderId);
  }
}

class ImportJob extends Job {
  async perform(rows: number[]) {
    await this.step("load", (step) => {
      for (let index = (step.cursor as number | undefined) ?? 0; index < rows.length; index++) {
        log.push(`row ${rows[index]}`);
        step.advance({ from: index });
      }
    });
    await this.step("report", () => void log.push("report"));
  }
}

const app = new App({
  name: "delays",
  broker: "memory:",
  jobs: [SyncJob, ShipJob, ImportJob],
  topics: [activeJobTopic("default"), activeJobTopic("orders", { ordering: "key", maxConcurrency: 50 })],
});

Deno.test("a delayed job is performed when it is due, and not before", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  const job = await ShipJob.set({ wait: { hours: 1 } }).performLater("a-1");
  t.assertEnqueuedWith(ShipJob, { args: ["a-1"], at: job.scheduledAt!, queue: "orders" });
  t.assertEnqueuedJobs(1, { queue: "orders" });
  assertThrows(() => t.assertEnqueuedWith(ShipJob, { at: null }), AssertionError, "at");
  assertEquals(job.scheduledAt!.getTime(), t.clock.nowMs() + 3_600_000);
  assertEquals(await t.performEnqueuedJobs(), 0);
  await t.clock.advance({ minutes: 59 });
  assertEquals(await t.performEnqueuedJobs(), 0);
  await t.clock.advance({ minutes: 1 });
  assertEquals([await t.performEnqueuedJobs(), log], [1, ["a-1"]]);
  t.assertPerformedWith(ShipJob, { args: ["a-1"] });
  t.assertEnqueuedJobs(1);
});

Deno.test("performEnqueuedJobs({ at }) performs what is due by then", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  const [soon] = await performAllLater([
    ShipJob.of("soon").set({ wait: { minutes: 1 } }),
    ShipJob.of("late").set({ wait: { days: 1 } }),
    ShipJob.of("now"),
  ]);
  assertEquals(await t.performEnqueuedJobs({ at: soon.scheduledAt! }), 2);
  assertEquals(log.toSorted(), ["now", "soon"]);
  assertEquals((await t.app.scheduled()).map(({ jobClass }) => jobClass), ["ShipJob"]);
});

Deno.test("only the selected jobs are performed, though others are due", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  await ShipJob.set({ wait: { minutes: 1 } }).performLater("a");
  await ImportJob.set({ wait: { minutes: 1 } }).performLater([1]);
  await t.clock.advance({ minutes: 2 });
  assertEquals([await t.performEnqueuedJobs({ only: ImportJob }), log], [1, ["row 1", "report"]]);
  assertEquals([await t.performEnqueuedJobs(), log.at(-1)], [1, "a"]);
});

Deno.test("a retry waits; the third run passes; a discarded job is done", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  await performAllLater([SyncJob.of(1), SyncJob.of(-1)]);
  await t.performEnqueuedJobs();
  assertEquals(log, ["discarded -1: closed", "gone 36"]);
  assertEquals(await t.performEnqueuedJobs(), 0);
  await t.clock.advance({ minutes: 1 });
  await t.performEnqueuedJobs();
  await t.clock.advance({ minutes: 1 });
  await t.performEnqueuedJobs();
  assertEquals(log, ["discarded -1: closed", "gone 36", "synced 1 at 3"]);
});

Deno.test("a job is cancelled before it is due, or moved", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  const job = await ShipJob.set({ waitUntil: new Date(t.clock.nowMs() + 60_000) }).performLater("a-2");
  const moved = await ShipJob.set({ wait: { minutes: 1 } }).performLater("a-3");
  assertEquals((await t.app.scheduled()).length, 2);
  await t.app.cancelScheduled(job.jobId);
  await t.app.enqueue(moved.set({ wait: { minutes: 3 } }));
  await t.clock.advance({ minutes: 2 });
  assertEquals(await t.performEnqueuedJobs(), 0);
  await t.clock.advance({ minutes: 2 });
  assertEquals([await t.performEnqueuedJobs(), log], [1, ["a-3"]]);
});

Deno.test("a delayed job is there once for its id", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  for (const minutes of [1, 5]) {
    const job = ShipJob.of("a-4").set({ wait: { minutes } });
    job.jobId = "ship a-4";
    await t.app.enqueue(job);
  }
  assertEquals((await t.app.scheduled()).map(({ jobId }) => jobId), ["ship a-4"]);
  await t.clock.advance({ minutes: 2 });
  assertEquals(await t.performEnqueuedJobs(), 0);
  await t.clock.advance({ minutes: 4 });
  assertEquals([await t.performEnqueuedJobs(), log], [1, ["a-4"]]);
});

Deno.test("an interrupted job goes on where it was", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  await ImportJob.performLater([1, 2, 3]);
  await t.interruptDuringStep(ImportJob, "load", { cursor: 2 }, () => t.performEnqueuedJobs());
  assertEquals(log, ["row 1", "row 2"]);
  await t.clock.advance({ seconds: 5 });
  await t.interruptAfterStep(ImportJob, "load", () => t.performEnqueuedJobs());
  assertEquals(log, ["row 1", "row 2", "row 3"]);
  await t.clock.advance({ seconds: 5 });
  await t.performEnqueuedJobs();
  assertEquals(log, ["row 1", "row 2", "row 3", "report"]);
  await ImportJob.performLater([]);
  const missed = await assertRejects(
    () => t.interruptDuringStep(ImportJob, "load", { cursor: 9 }, () => t.performEnqueuedJobs()),
    AssertionError,
  );
  assert(missed.message.includes('was interrupted in step "load": none came there'));
});

Deno.test("an interrupted job whose next record cannot be written is not marked: it runs again", async () => {
  await using t = TestApp.of(app);
  log.length = 0;
  await ImportJob.performLater([1, 2]);
  // The one that waits, and the one that does not.
  t.faults.failAppends(2);
  const performed = t.interruptDuringStep(ImportJob, "load", { cursor: 1 }, () => t.performEnqueuedJobs());
  assertEquals([await performed, log], [1, ["row 1", "row 1", "row 2", "report"]]);
  assertEquals(t.faults.pending, 0);
});

Deno.test("clear() forgets delayed jobs, too", async () => {
  await using t = TestApp.of(app);
  await ShipJob.set({ wait: { minutes: 1 } }).performLater("a");
  t.clear();
  await t.clock.advance({ hours: 1 });
  assertEquals([await t.performEnqueuedJobs(), await t.app.scheduled()], [0, []]);
});

Deno.test("jobs are enqueued and expire by the clock of the test", async () => {
  class CodeJob extends Job {
    static override expiresAfterMs = 60_000;
    perform() {}
  }
  const codes = new App({
    name: "codes",
    broker: "memory:",
    jobs: [CodeJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  await using t = TestApp.of(codes);
  const waitsMs: (number | null)[] = [];
  t.app.on("job.performed", ({ waitMs }) => waitsMs.push(waitMs));
  await t.clock.advance({ hours: 1 });
  await CodeJob.performLater();
  await t.clock.advance({ seconds: 60 });
  assertEquals(await t.performEnqueuedJobs(), 1);
  assert(waitsMs[0]! > 59_000 && waitsMs[0]! <= 60_000, String(waitsMs));
  await CodeJob.performLater();
  await t.clock.advance({ milliseconds: 60_001 });
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("FakeClock calls what is due, never within callAt(), and not what was cancelled", async () => {
  const clock = new FakeClock();
  const calls: string[] = [];
  const startMs = clock.nowMs();
  clock.callAt(startMs, () => calls.push("now"));
  const cancel = clock.callAt(startMs + 10, () => calls.push("cancelled"));
  clock.callAt(startMs + 20, () => calls.push("later"));
  assertEquals(calls, []);
  await Promise.resolve();
  assertEquals(calls, ["now"]);
  cancel();
  await clock.advance({ milliseconds: 19 });
  assertEquals(calls, ["now"]);
  await clock.advance({ milliseconds: 1 });
  assertEquals([calls, clock.nowMs() - startMs], [["now", "later"], 20]);
  await clock.advanceTo(new Date(0));
  assertEquals(clock.nowMs() - startMs, 20);
  await assertRejects(() => clock.advanceTo(new Date(NaN)), InvalidConfigurationError, "a valid Date");
  await assertRejects(() => clock.advance({ hours: -1 }), InvalidConfigurationError, "hours of 0 or more");
});
