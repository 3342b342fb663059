/** Performing enqueued jobs: their selection, their order, and the effect of a failed job on the test. */
import {
  activeJobTopic,
  App,
  EnqueueError,
  InvalidConfigurationError,
  Job,
  type JobClass,
  performAllLater,
  TimeoutError,
  UnknownJobError,
} from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { app, ChainJob, Current, FailingJob, MailJob, performed } from "../support/shop.ts";

const takePerformed = () => performed.splice(0);

Deno.test("performEnqueuedJobs() performs the enqueued jobs once, with their attributes, and returns their number", async () => {
  await using t = TestApp.of(app);
  takePerformed();
  await Current.run({ userId: 9 }, () => performAllLater([MailJob.of("a"), MailJob.of("b", { copies: 2 })]));
  assertEquals(await t.performEnqueuedJobs(), 2);
  assertEquals(takePerformed(), [["mail", 9, "a", {}], ["mail", 9, "b", { copies: 2 }]]);
  assertEquals([await t.performEnqueuedJobs(), takePerformed()], [0, []]);
  t.assertEnqueuedJobs(2);
  assertEquals(t.performedJobs().map(({ jobClass, topic, offset, attempt }) => [jobClass, topic, offset, attempt]), [
    ["MailJob", "live_mail", 0, 1],
    ["MailJob", "live_mail", 1, 1],
  ]);
});

Deno.test("performEnqueuedJobs() performs jobs that jobs enqueue in the next call, and around a block at once", async () => {
  await using t = TestApp.of(app);
  takePerformed();
  await ChainJob.performLater(2);
  assertEquals([await t.performEnqueuedJobs(), takePerformed()], [1, [2]]);
  assertEquals([await t.performEnqueuedJobs(), takePerformed()], [1, [1]]);
  assertEquals(await t.performEnqueuedJobs(() => ChainJob.performLater(2)), 3);
  assertEquals(takePerformed(), [2, 1, 0]);
  t.assertEnqueuedJobs(6, { only: ChainJob });
  // A job that was enqueued before the block still waits.
  assertEquals([await t.performEnqueuedJobs(), takePerformed()], [1, [0]]);
});

Deno.test("performEnqueuedJobs() leaves the jobs that are not selected, and performs them later, in order", async () => {
  await using t = TestApp.of(app);
  takePerformed();
  const texts = ["a", "b", "c", "d", "e"];
  await performAllLater([...texts.map((text) => MailJob.of(text)), ChainJob.of(0)]);
  const performed = () => takePerformed().map((line) => Array.isArray(line) ? line[2] : line);
  assertEquals(await t.performEnqueuedJobs({ only: (job) => job.args[0] === "b" || job.args[0] === "d" }), 2);
  assertEquals(performed(), ["b", "d"]);
  assertEquals(await t.performEnqueuedJobs({ queue: "default" }), 1);
  assertEquals(performed(), [0]);
  assertEquals(await t.performEnqueuedJobs({ except: [MailJob] }), 0);
  assertEquals(await t.performEnqueuedJobs({ only: (job) => job.args[0] === "e" }), 1);
  assertEquals(performed(), ["e"]);
  await MailJob.performLater("f");
  assertEquals(await t.performEnqueuedJobs(), 3);
  assertEquals(performed(), ["a", "c", "f"]);
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("performEnqueuedJobs() leaves jobs to a worker of the test, which does not repeat finished jobs", async () => {
  await using t = TestApp.of(app);
  takePerformed();
  await performAllLater([MailJob.of("a"), MailJob.of("b"), MailJob.of("c")]);
  await t.performEnqueuedJobs({ only: (job) => job.args[0] === "b" });
  await t.app.worker().run(undefined, { once: true });
  assertEquals(takePerformed().map((line) => (line as unknown[])[2]), ["b", "a", "c"]);
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("performEnqueuedJobs() throws the error of a job, names the job, and retries it at the next call", async () => {
  await using t = TestApp.of(app);
  takePerformed();
  await performAllLater([MailJob.of("before"), FailingJob.of(1), MailJob.of("after")]);
  const error = await assertRejects(() => t.performEnqueuedJobs(), RangeError);
  assertEquals([error.message, error.cause], [
    "failed at attempt 1",
    "FailingJob(1) on mail at attempt 1, from live_mail/0@1",
  ]);
  t.assertPerformedJobs(1, { only: MailJob });
  assertEquals(await t.performEnqueuedJobs(), 2);
  assertEquals(takePerformed().slice(1), ["passed at attempt 2", ["mail", undefined, "after", {}]]);
});

Deno.test("performEnqueuedJobs() dead-letters a job after its last attempt, and goes on behind it", async () => {
  await using t = TestApp.of(app);
  await performAllLater([FailingJob.of(9), MailJob.of("after")]);
  for (const attempt of [1, 2, 3]) {
    t.assertNoDeadLetters();
    await assertRejects(() => t.performEnqueuedJobs(), RangeError, `failed at attempt ${attempt}`);
  }
  assertEquals(t.assertDeadLettered(FailingJob).attempts, 3);
  assertEquals(await t.performEnqueuedJobs(), 1);
});

Deno.test("performEnqueuedJobs() with retries: true retries without waiting, and dead-letters without throwing", async () => {
  await using t = TestApp.of(app);
  takePerformed();
  await performAllLater([FailingJob.of(2), FailingJob.of(3), MailJob.of("after")]);
  assertEquals(await t.performEnqueuedJobs({ retries: true }), 2);
  assertEquals(takePerformed()[0], "passed at attempt 3");
  t.assertDeadLettered(FailingJob, { args: [3] });
  t.assertPerformedJobs(1, { only: FailingJob });
});

Deno.test("performEnqueuedJobs() with retries: true throws if there is no dead letter topic", async () => {
  await using t = TestApp.of(app);
  await FailingJob.set({ queue: "default" }).performLater(1000);
  const error = await assertRejects(() => t.performEnqueuedJobs({ retries: true }), RangeError, "failed at attempt 4");
  assertEquals(error.cause, "FailingJob(1000) on default at attempt 4, from live_default/0@0");
});

Deno.test("performEnqueuedJobs() keeps the causes of an error, and wraps any other value in an error", async () => {
  class ThrowingJob extends Job {
    perform(what: "caused" | "frozen" | "circle" | "text") {
      if (what === "text") throw what;
      if (what === "frozen") throw Object.freeze(new Error(what));
      const error = new Error(what, { cause: new Error("below") });
      if (what === "circle") (error.cause as Error).cause = error;
      throw error;
    }
  }
  const { App } = await import("@activejob/kafka");
  await using other = new App({ ...app.options, name: "other", jobs: [ThrowingJob] });
  const thrownBy = async (what: "caused" | "frozen" | "circle" | "text") => {
    await using t = TestApp.of(other);
    await ThrowingJob.performLater(what);
    return await assertRejects(() => t.performEnqueuedJobs(), Error);
  };
  const caused = await thrownBy("caused");
  assertEquals((caused.cause as Error).message, "below");
  assertEquals((caused.cause as Error).cause, "ThrowingJob('caused') on default at attempt 1, from live_default/0@0");
  assertEquals((await thrownBy("frozen")).message, "frozen");
  assertEquals((await thrownBy("circle")).message, "circle");
  const wrapped = await thrownBy("text");
  assertEquals(wrapped.message, "ThrowingJob('text') on default at attempt 1, from live_default/0@0, threw 'text'");
  assertEquals(wrapped.cause, "text");
});

Deno.test("performEnqueuedJobs() throws at once for a class that is not listed", async () => {
  class StrangerJob extends Job {
    perform() {}
  }
  await using t = TestApp.of(app);
  await t.app.enqueue(StrangerJob.of());
  await assertRejects(() => t.performEnqueuedJobs(), UnknownJobError, 'No job class "StrangerJob" is known');
  await t.app.enqueue(StrangerJob.of().set({ queue: "mail" }));
  await assertRejects(() => t.performEnqueuedJobs({ queue: "mail" }), UnknownJobError, "StrangerJob");
  assertEquals(t.deadLetters().map(({ jobClass, attempts }) => [jobClass, attempts]), [["StrangerJob", 0]]);
});

Deno.test("performEnqueuedJobs() is refused within a job, and the error ends the run", async () => {
  class NestedJob extends Job {
    async perform() {
      await nested!();
    }
  }
  let nested: (() => Promise<unknown>) | undefined;
  const { App } = await import("@activejob/kafka");
  await using other = new App({ ...app.options, name: "other", jobs: [NestedJob] });
  await using t = TestApp.of(other);
  nested = () => t.performEnqueuedJobs();
  await NestedJob.performLater();
  await assertRejects(() => t.performEnqueuedJobs(), InvalidConfigurationError, "another call performs them already");
  nested = () => Promise.reject(new RangeError("the job's own"));
  const both = await Promise.allSettled([t.performEnqueuedJobs(), t.performEnqueuedJobs()]);
  assertEquals(both.map((each) => each.status === "rejected" && each.reason.name), [
    "RangeError",
    "InvalidConfigurationError",
  ]);
  nested = () => Promise.resolve(t.clear());
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("performEnqueuedJobs() refuses invalid options, and throws the error of a predicate", async () => {
  await using t = TestApp.of(app);
  await MailJob.performLater("a");
  await assertRejects(
    // deno-lint-ignore no-explicit-any
    () => t.performEnqueuedJobs({ retires: true } as any),
    InvalidConfigurationError,
    'Unknown option "retires" of performEnqueuedJobs(); did you mean "retries"?',
  );
  await assertRejects(
    () => t.performEnqueuedJobs({ queue: "mial" }),
    InvalidConfigurationError,
    'did you mean "mail"?',
  );
  const only = () => {
    throw new RangeError("the test's own");
  };
  await assertRejects(() => t.performEnqueuedJobs({ only }), RangeError, "the test's own");
  assertEquals(await t.performEnqueuedJobs(), 1);
});

Deno.test("performEnqueuedJobs() awaits its block, and throws the error of the block", async () => {
  await using t = TestApp.of(app);
  await assertRejects(
    () => t.performEnqueuedJobs({ only: MailJob }, () => MailJob.set({ queue: "nope" }).performLater("a")),
    EnqueueError,
    '"nope"',
  );
  let isOver = false;
  const performed = await t.performEnqueuedJobs({ only: MailJob }, async () => {
    await performAllLater([MailJob.of("a"), ChainJob.of(0)]);
    await new Promise((resolve) => setTimeout(resolve));
    isOver = true;
  });
  assert(isOver);
  assertEquals(performed, 1);
  assertEquals(await t.performEnqueuedJobs(), 1);
});

Deno.test("performEnqueuedJobs() names the job on an error that another job has thrown before", async () => {
  const shared = new RangeError("the same for all");
  let others: Promise<void> = Promise.resolve();
  class FirstJob extends Job {
    async perform() {
      await others;
      throw shared;
    }
  }
  class SecondJob extends FirstJob {}
  const { App } = await import("@activejob/kafka");
  await using other = new App({ ...app.options, name: "other", jobs: [FirstJob, SecondJob] });
  for (const Class of [FirstJob, SecondJob]) {
    await using t = TestApp.of(other);
    await Class.performLater();
    const error = await assertRejects(() => t.performEnqueuedJobs(), RangeError);
    assertEquals([error === shared, error.cause], [
      true,
      `${Class.name}() on default at attempt 1, from live_default/0@0`,
    ]);
  }
  // Two in one run: it is the first one's failure that is thrown.
  await using t = TestApp.of(other);
  await performAllLater([FirstJob.of(), SecondJob.of().set({ queue: "mail" })]);
  const both = Promise.withResolvers<void>();
  others = both.promise;
  let running = 0;
  t.app.on("job.performing", () => ++running === 2 && both.resolve());
  const failed: string[] = [];
  t.app.on("job.failed", ({ jobClass }) => failed.push(jobClass));
  const error = await assertRejects(() => t.performEnqueuedJobs(), RangeError);
  assertEquals(failed.length, 2);
  assert(String(error.cause).startsWith(failed[0]!), `${error.cause} is thrown, but ${failed[0]} failed first`);
});

Deno.test("performEnqueuedJobs() fails if a job ignores its signal, and states how long it has run", async () => {
  const { promise: never, resolve } = Promise.withResolvers<void>();
  class StubbornJob extends Job {
    static override timeoutMs = 5;
    async perform(_name: string) {
      await never;
    }
  }
  const { App } = await import("@activejob/kafka");
  const impatient = { timeoutGraceMs: 5, shutdownTimeoutMs: 5 };
  await using other = new App({ ...app.options, ...impatient, name: "other", jobs: [StubbornJob] });
  await using t = TestApp.of(other);
  await StubbornJob.performLater("a");
  for (const retries of [false, true]) {
    const { message } = await assertRejects(() => t.performEnqueuedJobs({ retries }), TimeoutError);
    const [, description, ms] = /^(.*), still runs after (\d+) ms: it is over its timeoutMs and/.exec(message) ?? [];
    assertEquals(description, "StubbornJob('a') on default at attempt 1, from live_default/0@0");
    assert(Number(ms) >= 9, message);
  }
  resolve();
});

Deno.test("performEnqueuedJobs() leaves out the waits of retries in place", async () => {
  class InPlaceJob extends Job {
    static {
      this.retryOn(RangeError, { attempts: 3, wait: { hours: 1 }, inPlace: true });
    }
    perform() {
      if (this.attempt < 3) throw new RangeError();
    }
  }
  await using t = TestApp.of(appOf(InPlaceJob));
  await InPlaceJob.performLater();
  assertEquals(await t.performEnqueuedJobs(), 1);
  assertEquals(t.performedJobs()[0]!.attempt, 3);
});

Deno.test("performEnqueuedJobs() throws the error of an afterDiscard, which has no consequence on a worker", async () => {
  class BlockJob extends Job {
    static {
      this.discardOn(RangeError);
      this.afterDiscard(() => {
        throw new SyntaxError("in afterDiscard");
      });
    }
    perform() {
      throw new RangeError();
    }
  }
  await using t = TestApp.of(appOf(BlockJob));
  await BlockJob.performLater();
  await assertRejects(() => t.performEnqueuedJobs(), SyntaxError, "in afterDiscard");
  assertEquals(await t.performEnqueuedJobs(), 0);
});

function appOf(Class: JobClass): App {
  return new App({
    name: "blocks",
    broker: "kafka://localhost:9092",
    jobs: [Class],
    topics: [activeJobTopic("default")],
  });
}
