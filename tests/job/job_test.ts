/** The class that users extend, without a broker. */
import { activeJobTopic, App, InvalidConfigurationError, Job, kafkaOptionsOf } from "@activejob/kafka";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { inspect } from "node:util";
import { performNow } from "../../src/job/job.ts";
import { JobRun } from "../../src/job/run.ts";

class SumJob extends Job {
  static override queue = "sums";
  seen: unknown[] = [];
  async perform(a: number, b = 2) {
    await Promise.resolve();
    this.seen = [this.attempt, this.executions, this.record, this.signal.aborted];
    return a + b;
  }
}

Deno.test("a job is readable as a string, as JSON and in the console, without its arguments", async () => {
  class LoginJob extends Job {
    static override jobName = "Auth::LoginJob";
    static override queue = "auth";
    perform(_password: string) {}
  }
  const topics = [activeJobTopic("auth", { partitions: 1 })];
  const app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [LoginJob],
    topics,
    queuePrefix: "shop",
    logger: false,
  });
  await using _ = app;
  const job = LoginJob.of("s3cret");
  const { jobId } = job;
  assertEquals(`${job}`, `Auth::LoginJob(${jobId}) on auth, new`);
  assertEquals(JSON.parse(JSON.stringify(job)), { jobClass: "Auth::LoginJob", jobId, queue: "auth", status: "new" });
  await app.enqueue(job);
  assertEquals(String(job), `Auth::LoginJob(${jobId}) on auth, buffered`);
  const position = { topic: "shop_auth", partition: 0, offset: 0 };
  assertEquals(await job.delivered(), position);
  assertEquals(JSON.parse(JSON.stringify({ job })).job, {
    ...{ jobClass: "Auth::LoginJob", jobId, queue: "auth", status: "delivered" },
    position,
  });
  const line = `Auth::LoginJob(${jobId}) on auth, delivered to shop_auth/0@0`;
  assertEquals([String(job), Deno.inspect(job), inspect(job)], [line, line, line]);
  const shown = [JSON.stringify([job]), Deno.inspect({ job }), inspect([job], { showHidden: true }), `${job}`];
  assertEquals(shown.filter((text) => text.includes("s3cret")), []);
});

Deno.test("of() makes a job with an id of its own, which is not enqueued yet", () => {
  const [one, two] = [SumJob.of(1), SumJob.of(1, 3)];
  assert(one.jobId !== two.jobId);
  assertEquals([one.args, two.args], [[1], [1, 3]] as typeof one.args[]);
  assertEquals([one.status, one.enqueued, one.position, one.enqueueError, one.record], [
    "new",
    false,
    undefined,
    undefined,
    null,
  ]);
});

Deno.test("performNow() returns the result of perform, rejects with its error, and needs no App", async () => {
  assertEquals([await SumJob.performNow(1), await SumJob.performNow(1, 5)], [3, 6]);
  const job = SumJob.of(1);
  await performNow(job);
  assertEquals(job.seen, [1, 1, null, false]);
  class ThrowingJob extends Job {
    perform(): never {
      throw new TypeError("no");
    }
  }
  await assertRejects(() => ThrowingJob.performNow(), TypeError, "no");
});

Deno.test("set() sets queue and priority, of a job or for a class, and leaves the class alone", () => {
  const job = SumJob.set({ queue: "other", priority: 5 }).of(1);
  assertEquals([job.queueName, job.priority, SumJob.queue], ["other", 5, "sums"]);
  assertEquals([job.set({ priority: null }), job.queueName, job.priority], [job, "other", null]);
  assertEquals([SumJob.of(1).queueName, SumJob.of(1).priority], [undefined, null]);
});

Deno.test("set() refuses wrong options", () => {
  const job = SumJob.of(1);
  const wrong: [object, string][] = [
    [{ queue: "a b" }, 'Option "queue" of set() must be a topic name'],
    [{ priority: 1.5 }, 'Option "priority" of set() must be an integer or null, but it is 1.5'],
    [{ wait: 5 }, 'Option "wait" of set() must be a duration, such as { minutes: 5 }, but it is 5'],
    [{ wait: { minute: 5 } }, 'must be a duration, such as { minutes: 5 }, but it is an object with "minute"'],
    [{ wait: { seconds: -1 } }, 'Option "wait" of set() must have seconds of 0 or more, but they are -1'],
    [{ waitUntil: new Date(NaN) }, 'Option "waitUntil" of set() must be a valid Date'],
    [{ wait: { days: 1 }, waitUntil: new Date() }, 'Only one of "wait" and "waitUntil"'],
    [{ quue: "x" }, 'Unknown option "quue" of set(); did you mean "queue"?'],
  ];
  for (const [options, message] of wrong) {
    assertThrows(() => job.set(options), InvalidConfigurationError, message);
    assertThrows(() => SumJob.set(options), InvalidConfigurationError, message);
  }
  assertEquals([job.queueName, job.priority, job.scheduledAt], [undefined, null, null]);
});

Deno.test("set() sets the time at which a job is due", () => {
  const at = new Date("2030-01-02T03:04:05Z");
  assertEquals(SumJob.of(1).set({ waitUntil: at }).scheduledAt, at);
  assertEquals(SumJob.of(1).set({ waitUntil: { epochMilliseconds: at.getTime() } }).scheduledAt, at);
  const beforeMs = Date.now();
  const { scheduledAt } = SumJob.set({ wait: { minutes: 1, milliseconds: 5 } }).of(1);
  const waitMs = scheduledAt!.getTime() - beforeMs;
  assert(waitMs >= 60_005 && waitMs <= 60_005 + Date.now() - beforeMs, `${waitMs}`);
});

Deno.test("the signal of a job is made at its first use, and is aborted if the job was aborted before", () => {
  const before = new JobRun();
  const first = new Error("first");
  before.abort(first);
  before.abort(new Error("second"));
  assertEquals([before.signal.aborted, before.signal.reason], [true, first]);
  const after = new JobRun();
  const { signal } = after;
  after.abort(first);
  assertEquals([signal.aborted, signal.reason, after.signal === signal], [true, first, true]);
});

Deno.test("a class that states nothing has the defaults of Job", () => {
  class PlainJob extends Job {
    perform() {}
  }
  assertEquals([PlainJob.queue, PlainJob.timeoutMs, PlainJob.jobName], ["default", undefined, undefined]);
  assertEquals(kafkaOptionsOf(PlainJob), {});
});
