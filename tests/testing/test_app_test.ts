/** The test double: real serialization, a log of the test's own, and assertions that say what was there. */
import {
  activeJobTopic,
  App,
  currentAttributes,
  InvalidConfigurationError,
  Job,
  type KafkaOptions,
  NotSupportedError,
  performAllLater,
  SerializationError,
} from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

const ran: unknown[] = [];

class MailJob extends Job {
  static override queue = "mail";
  perform(...args: unknown[]) {
    ran.push([Current.userId, ...args]);
  }
}
class FailingJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform(failures: number) {
    if (this.attempt <= failures) throw new Error(`failed ${this.attempt} times`);
    ran.push(`passed at attempt ${this.attempt}`);
  }
}
class ChainJob extends Job {
  async perform(left: number) {
    ran.push(left);
    if (left > 0) await ChainJob.performLater(left - 1);
  }
}
class Current extends currentAttributes<{ userId: number }>("userId") {}

// Nobody listens there: a test that reached it would hang or fail.
const app = new App({
  name: "shop",
  broker: "kafka://localhost:1",
  jobs: [MailJob, FailingJob, ChainJob],
  topics: [activeJobTopic("default"), activeJobTopic("mail", { deadLetterQueue: { topic: "dead" } })],
  queuePrefix: "live",
  currentAttributes: [Current],
  logger: false,
});

Deno.test("assertEnqueuedJobs() counts by class and queue, and says what was there", async () => {
  await using t = TestApp.of(app);
  t.assertNoEnqueuedJobs();
  await performAllLater([MailJob.of(1), ChainJob.of(0), MailJob.of(2).set({ queue: "default" })]);
  t.assertEnqueuedJobs(3);
  t.assertEnqueuedJobs(2, { only: MailJob });
  t.assertEnqueuedJobs(1, { except: MailJob });
  t.assertEnqueuedJobs(2, { queue: "default" });
  t.assertEnqueuedJobs(1, { queue: "default", only: [MailJob] });
  t.assertNoEnqueuedJobs({ only: FailingJob });
  assertThrows(
    () => t.assertEnqueuedJobs(1, { only: MailJob }),
    Error,
    "1 job expected, but 2 were enqueued; enqueued: MailJob, MailJob",
  );
  assertThrows(
    () => t.assertEnqueuedJobs(2, { only: ChainJob }),
    Error,
    "2 jobs expected, but 1 was enqueued; enqueued: ChainJob",
  );
  assertThrows(
    () => t.assertNoEnqueuedJobs({ queue: "mail" }),
    Error,
    "0 jobs expected, but 1 was enqueued; enqueued: MailJob",
  );
});

Deno.test("assertEnqueuedWith() compares arguments, queue and priority as they come out of the log", async () => {
  await using t = TestApp.of(app);
  const job = await Current.run({ userId: 5 }, () => MailJob.set({ priority: 3 }).performLater(7, { a: [2n ** 64n] }));
  const found = t.assertEnqueuedWith(MailJob, { args: [7, { a: [2n ** 64n] }], queue: "mail", priority: 3 });
  assertEquals(
    found,
    {
      name: "mail",
      jobClass: "MailJob",
      jobId: job.jobId,
      queue: "live_mail",
      args: [7, { a: [18446744073709551616n] }],
      priority: 3,
      currentAttributes: { Current: { userId: 5 } },
    } as typeof found,
  );
  t.assertEnqueuedWith(MailJob);
  for (const expected of [{ args: [8] }, { queue: "default" }, { priority: null }]) {
    assertThrows(() => t.assertEnqueuedWith(MailJob, expected), Error, "No job of class MailJob was enqueued with");
  }
  assertThrows(() => t.assertEnqueuedWith(ChainJob), Error, "No job of class ChainJob was enqueued; enqueued: MailJob");
});

Deno.test("performEnqueuedJobs() performs what is there with its attributes, and says how many", async () => {
  await using t = TestApp.of(app);
  ran.length = 0;
  await Current.run({ userId: 9 }, () => performAllLater([MailJob.of("a"), MailJob.of("b")]));
  assertEquals([await t.performEnqueuedJobs(), ran.splice(0)], [2, [[9, "a"], [9, "b"]]]);
  assertEquals([await t.performEnqueuedJobs(), ran], [0, []]);
  t.assertEnqueuedJobs(2);
  assertEquals(t.performedJobs().map(({ jobClass, offset, topic }) => [jobClass, offset, topic]), [
    ["MailJob", 0, "live_mail"],
    ["MailJob", 1, "live_mail"],
  ]);
});

Deno.test("performEnqueuedJobs() performs in a next call what jobs have enqueued", async () => {
  await using t = TestApp.of(app);
  ran.length = 0;
  await ChainJob.performLater(2);
  const counts = [];
  while (ran.at(-1) !== 0) counts.push(await t.performEnqueuedJobs());
  assertEquals(ran, [2, 1, 0]);
  t.assertEnqueuedJobs(3, { only: ChainJob });
  assertEquals(counts.reduce((sum, count) => sum + count, 0), 3);
});

Deno.test("performEnqueuedJobs() retries without waiting, and throws what fails again and again", async () => {
  await using t = TestApp.of(app);
  ran.length = 0;
  await FailingJob.performLater(2);
  assertEquals([await t.performEnqueuedJobs(), ran], [1, ["passed at attempt 3"]]);
  await FailingJob.performLater(1000);
  await assertRejects(
    () => t.performEnqueuedJobs(),
    Error,
    "The job at live_default/0@1 failed: Error: failed 4 times",
  );
});

Deno.test("what is refused in a test is what is refused in production", async () => {
  await using t = TestApp.of(app);
  await assertRejects(() => MailJob.performLater(new Date()), SerializationError, "arguments[0]");
  assertThrows(() => MailJob.set({ wait: { minutes: 5 } }), NotSupportedError, 'Cannot set "wait"');
  t.assertNoEnqueuedJobs();
});

Deno.test("a test's App has a log of its own, also beside another over other classes", async () => {
  class OtherJob extends Job {
    perform() {}
  }
  const other = new App({
    name: "other",
    broker: "memory:",
    jobs: [OtherJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  {
    await using one = TestApp.of(app);
    await using two = TestApp.of(other);
    await performAllLater([OtherJob.of(), MailJob.of(), OtherJob.of()]);
    one.assertEnqueuedJobs(1);
    two.assertEnqueuedJobs(2);
    assertThrows(() => TestApp.of(app), InvalidConfigurationError, 'Cannot put a test App over "MailJob"');
  }
  assert(other.pending === 0);
  await other.close();
  await using again = TestApp.of(app);
  again.assertNoEnqueuedJobs();
});
