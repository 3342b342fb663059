/** The assertions of the test kit: what they count, and their messages when they fail. */
import { InvalidConfigurationError, performAllLater, SerializationError } from "@activejob/kafka";
import { type JobFilter, TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AssertionError } from "node:assert";
import { app, ChainJob, Current, FailingJob, MailJob, performed } from "../support/shop.ts";

const threeJobs = () => performAllLater([MailJob.of("a"), ChainJob.of(0), MailJob.of("b").set({ queue: "default" })]);

Deno.test("assertEnqueuedJobs() counts by class, predicate and queue", async () => {
  await using t = TestApp.of(app);
  t.assertEnqueuedJobs(0);
  await threeJobs();
  t.assertEnqueuedJobs(3);
  t.assertEnqueuedJobs(2, { only: MailJob });
  t.assertEnqueuedJobs(3, { only: [MailJob, ChainJob] });
  t.assertEnqueuedJobs(1, { only: (job) => job.args[0] === "b" });
  t.assertEnqueuedJobs(1, { except: MailJob });
  t.assertEnqueuedJobs(2, { except: (job) => job.queue === "mail" });
  t.assertEnqueuedJobs(2, { queue: "default" });
  t.assertEnqueuedJobs(1, { queue: "default", only: [MailJob] });
  t.assertNoEnqueuedJobs({ only: FailingJob });
});

Deno.test("assertEnqueuedJobs() lists the jobs when it fails, also those that it did not count, in an AssertionError", async () => {
  await using t = TestApp.of(app);
  assertThrows(() => t.assertEnqueuedJobs(1), AssertionError, "1 job expected, but 0 were enqueued");
  await threeJobs();
  const error = assertThrows(
    () => t.assertEnqueuedJobs(2, { only: ChainJob }),
    AssertionError,
    "2 jobs expected, but 1 was enqueued: ChainJob(0) on default; not counted: MailJob('a') on mail, MailJob('b') on default",
  );
  assertEquals([error.actual, error.expected, error.operator], [1, 2, "assertEnqueuedJobs"]);
  assertThrows(
    () => t.assertNoEnqueuedJobs(),
    AssertionError,
    "0 jobs expected, but 3 were enqueued: MailJob('a') on mail, ChainJob(0) on default, MailJob('b') on default",
  );
});

Deno.test("assertEnqueuedJobs() and assertNoEnqueuedJobs() around a block count only the jobs of the block", async () => {
  await using t = TestApp.of(app);
  await threeJobs();
  await t.assertEnqueuedJobs(2, async () => {
    await MailJob.performLater("c");
    await ChainJob.performLater(0);
  });
  await t.assertEnqueuedJobs(1, { only: MailJob, queue: "default" }, threeJobs);
  await t.assertNoEnqueuedJobs(() => {});
  await t.assertNoEnqueuedJobs({ only: FailingJob }, threeJobs);
  await assertRejects(
    () => t.assertNoEnqueuedJobs({ only: ChainJob }, threeJobs),
    AssertionError,
    "0 jobs expected, but 1 was enqueued: ChainJob(0) on default",
  );
  await assertRejects(
    () =>
      t.assertEnqueuedJobs(1, () => {
        throw new RangeError("the block's own");
      }),
    RangeError,
    "the block's own",
  );
  t.assertEnqueuedJobs(14);
});

Deno.test("assertEnqueuedJobs() around a block waits for buffered jobs", async () => {
  await using t = TestApp.of(app);
  await t.assertEnqueuedJobs(1, () => void t.app.enqueue(MailJob.of("a")));
});

Deno.test("assertEnqueuedWith() returns the job as it was read from the log", async () => {
  await using t = TestApp.of(app);
  const job = await Current.run({ userId: 5 }, () => MailJob.set({ priority: 3 }).performLater("a", { copies: 2 }));
  await MailJob.performLater("a", { copies: 3 });
  const found = t.assertEnqueuedWith(MailJob, { args: ["a", { copies: 2 }], queue: "mail", priority: 3 });
  assertEquals(found, {
    topic: "live_mail",
    partition: 0,
    offset: 0,
    queue: "mail",
    jobClass: "MailJob",
    jobId: job.jobId,
    args: ["a", { copies: 2 }],
    priority: 3,
    at: null,
    currentAttributes: { Current: { userId: 5 } },
  });
  const [to, options] = found.args;
  assertEquals([to.length, options?.copies], [1, 2]);
  assertEquals(t.assertEnqueuedWith(MailJob).offset, 0);
  assertEquals(t.assertEnqueuedWith(MailJob, { args: (_to, options) => options?.copies === 3 }).offset, 1);
  assertEquals(t.assertEnqueuedWith(MailJob, { priority: null }).offset, 1);
  // @ts-expect-error `perform` takes a string first
  assertThrows(() => t.assertEnqueuedWith(MailJob, { args: [7] }), AssertionError);
  const around = await t.assertEnqueuedWith(MailJob, { args: ["b"] }, () => MailJob.performLater("b"));
  assertEquals(around.offset, 2);
  await assertRejects(
    () => t.assertEnqueuedWith(MailJob, { args: ["b"] }, () => ChainJob.performLater(0)),
    AssertionError,
    "No job of class MailJob was enqueued; enqueued: ChainJob",
  );
});

Deno.test("assertEnqueuedWith() compares arguments as a worker reads them", async () => {
  await using t = TestApp.of(app);
  await ChainJob.performLater(7);
  assertThrows(
    () => t.assertEnqueuedWith(ChainJob, { args: [7n as unknown as number] }),
    AssertionError,
    "7n expected",
  );
  await MailJob.performLater("a", undefined);
  t.assertEnqueuedWith(MailJob, { args: ["a"] });
  assertThrows(() => t.assertEnqueuedWith(ChainJob, { args: [NaN] }), SerializationError, "arguments[0]");
});

Deno.test("assertEnqueuedWith() lists the jobs when it fails, with the differences of the most similar one", async () => {
  await using t = TestApp.of(app);
  const message = (assert: () => unknown) => assertThrows(assert, AssertionError).message;
  assertEquals(message(() => t.assertEnqueuedWith(ChainJob)), "No job of class ChainJob was enqueued");
  await MailJob.performLater("a", { copies: 2, tags: ["x", "y"] });
  assertEquals(
    message(() => t.assertEnqueuedWith(ChainJob)),
    "No job of class ChainJob was enqueued; enqueued: MailJob",
  );
  assertEquals(
    message(() => t.assertEnqueuedWith(MailJob, { args: ["b", { tags: ["x"] }], queue: "default", priority: 1 })),
    `No job of class MailJob was enqueued with { args: [ 'b', { tags: [ 'x' ] } ], queue: 'default', priority: 1 }; ` +
      `enqueued: MailJob('a', { copies: 2, tags: [ 'x', 'y' ] }) on mail
  args[0]: 'b' expected, but it is 'a'
  args[1].tags[1]: none expected, but it is 'y'
  args[1].copies: none expected, but it is 2
  queue: 'default' expected, but it is 'mail'
  priority: 1 expected, but it is null`,
  );
  await MailJob.performLater("b");
  assertEquals(
    message(() => t.assertEnqueuedWith(MailJob, { args: ["b", {}] })),
    `No job of class MailJob was enqueued with { args: [ 'b', {} ] }; ` +
      `enqueued: MailJob('a', { copies: 2, tags: [ 'x', 'y' ] }) on mail, MailJob('b') on mail
The most similar one is MailJob('b') on mail:
  args[1]: {} expected, but there is none`,
  );
  const error = assertThrows(() => t.assertEnqueuedWith(MailJob, { priority: 1 }), AssertionError);
  assertEquals([error.actual, error.expected], [{ priority: null }, { priority: 1 }]);
});

Deno.test("assertPerformedJobs() counts the jobs that succeeded, and lists those that wait when it fails", async () => {
  await using t = TestApp.of(app);
  await threeJobs();
  t.assertNoPerformedJobs();
  assertThrows(
    () => t.assertPerformedJobs(1, { only: ChainJob }),
    AssertionError,
    "1 job expected, but 0 were performed; waiting: ChainJob(0) on default",
  );
  assertThrows(
    () => t.assertPerformedWith(ChainJob, { args: [0] }),
    AssertionError,
    "No job of class ChainJob was performed; waiting: ChainJob(0) on default",
  );
  await t.performEnqueuedJobs();
  t.assertPerformedJobs(3);
  t.assertPerformedJobs(1, { queue: "mail" });
  assertThrows(() => t.assertNoPerformedJobs(), AssertionError, "0 jobs expected, but 3 were performed: ");
  assertEquals(t.assertPerformedWith(MailJob, { args: ["b"], queue: "default" }).attempt, 1);
  const { message } = assertThrows(() => t.assertPerformedWith(FailingJob), AssertionError);
  // Two topics: either may be first.
  assert(/No job of class FailingJob was performed; performed: (ChainJob, MailJob|MailJob, ChainJob)$/.test(message));
});

Deno.test("assertPerformedJobs() and the similar assertions perform the jobs of a block", async () => {
  await using t = TestApp.of(app);
  await ChainJob.performLater(0);
  performed.length = 0;
  await t.assertPerformedJobs(3, () => ChainJob.performLater(2));
  assertEquals(performed, [2, 1, 0]);
  await t.assertPerformedJobs(2, { only: MailJob }, threeJobs);
  await t.assertPerformedJobs(1, { retries: true }, () => FailingJob.performLater(1));
  await t.assertNoPerformedJobs({ except: [MailJob, ChainJob] }, threeJobs);
  await t.assertNoPerformedJobs(() => {});
  const job = await t.assertPerformedWith(MailJob, { args: ["z"] }, () => MailJob.performLater("z"));
  assertEquals(job.args[0], "z");
  await assertRejects(() => t.assertPerformedJobs(1, () => FailingJob.performLater(1)), RangeError, "attempt 1");
});

Deno.test("assertDeadLettered() returns the dead letter; assertNoDeadLetters() lists the dead letters when it fails", async () => {
  await using t = TestApp.of(app);
  await FailingJob.performLater(9);
  assertThrows(
    () => t.assertDeadLettered(FailingJob),
    AssertionError,
    "No job of class FailingJob was dead-lettered; waiting: FailingJob(9) on mail",
  );
  t.assertNoDeadLetters();
  assertEquals(await t.performEnqueuedJobs({ retries: true }), 0);
  const { jobId } = t.enqueuedJobs()[0]!;
  assertEquals(t.assertDeadLettered(FailingJob, { args: [9], queue: "mail" }), {
    topic: "live_mail",
    partition: 0,
    offset: 0,
    queue: "mail",
    jobClass: "FailingJob",
    jobId,
    args: [9],
    priority: null,
    at: null,
    currentAttributes: undefined,
    to: { topic: "live_dead_mail", partition: 0, offset: 0 },
    attempts: 3,
    error: { errorClass: "RangeError", message: "failed at attempt 3" },
  });
  assertEquals(t.deadLetters({ only: FailingJob }).length, 1);
  assertEquals(t.deadLetters({ queue: "default" }), []);
  assertThrows(
    () => t.assertNoDeadLetters({ except: MailJob }),
    AssertionError,
    "0 jobs expected, but 1 was dead-lettered: FailingJob(9) on mail",
  );
});

Deno.test("assertions refuse options with which they could never fail, or never pass", async () => {
  await using t = TestApp.of(app);
  class OtherJob extends MailJob {}
  class Nothing {}
  const refuses = (message: string, assert: () => unknown) =>
    void assertThrows(assert, InvalidConfigurationError, message);
  refuses('Unknown option "onyl" of assertEnqueuedJobs(); did you mean "only"?', () =>
    // deno-lint-ignore no-explicit-any
    t.assertEnqueuedJobs(1, { onyl: MailJob } as any));
  refuses('No topic declares the queue "mial"; did you mean "mail"?', () => t.assertNoEnqueuedJobs({ queue: "mial" }));
  refuses('No topic declares the queue "mial"', () => t.assertEnqueuedWith(MailJob, { queue: "mial" }));
  refuses(
    "number of jobs of assertEnqueuedJobs() must be an integer from 0 up, but it is -1",
    () => t.assertEnqueuedJobs(-1),
  );
  refuses("but it is 1.5", () => t.assertPerformedJobs(1.5));
  refuses(
    'Cannot look for "OtherJob" in assertNoEnqueuedJobs(): the App "shop" does not list that class',
    () => t.assertNoEnqueuedJobs({ only: OtherJob }),
  );
  refuses('Cannot look for "OtherJob" in assertPerformedWith()', () => t.assertPerformedWith(OtherJob));
  for (const only of [Nothing, "MailJob", [], [Nothing], null]) {
    const filter = { only } as JobFilter;
    refuses('Option "only" of assertEnqueuedJobs() must be a job class', () => t.assertEnqueuedJobs(1, filter));
  }
  // deno-lint-ignore no-explicit-any
  refuses('Cannot look for the class "Nothing"', () => t.assertEnqueuedWith(Nothing as any));
  // deno-lint-ignore no-explicit-any
  refuses('Option "args"', () => t.assertEnqueuedWith(MailJob, { args: "a" } as any));
  refuses(
    'Option "at" of assertEnqueuedWith() must be a Date or null',
    () => t.assertEnqueuedWith(MailJob, { at: 1 } as never),
  );
  const noBlock = MailJob as unknown as () => void;
  const meant = 'must be a function, but it is the class "MailJob"; did you mean { only: MailJob }?';
  refuses(`The block of assertEnqueuedJobs() ${meant}`, () => t.assertEnqueuedJobs(1, noBlock));
  refuses(`The block of assertNoPerformedJobs() ${meant}`, () => t.assertNoPerformedJobs(noBlock));
  refuses("The block of assertEnqueuedWith() must be", () => t.assertEnqueuedWith(MailJob, {}, noBlock));
  refuses("The block of assertPerformedWith() must be", () => t.assertPerformedWith(MailJob, {}, noBlock));
  await assertRejects(() => t.performEnqueuedJobs(noBlock), InvalidConfigurationError, meant);
  // deno-lint-ignore no-explicit-any
  refuses('Unknown option "retries"', () => t.assertPerformedJobs(0, { retries: true } as any));
});
