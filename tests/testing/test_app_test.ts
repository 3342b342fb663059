/** The App of a test: a log of its own while the test lasts, and no trace of it afterwards. */
import {
  activeJobTopic,
  App,
  EnqueueError,
  InvalidConfigurationError,
  Job,
  performAllLater,
  SerializationError,
} from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { app, ChainJob, FailingJob, MailJob, performed } from "../support/shop.ts";

Deno.test("a test refuses what production refuses", async () => {
  await using t = TestApp.of(app);
  const date = new Date(NaN) as unknown as string;
  await assertRejects(() => MailJob.performLater(date), SerializationError, "arguments[0]");
  await assertRejects(() => MailJob.set({ wait: { weeks: 53 } }).performLater("a"), EnqueueError, '"maxDelayMs"');
  t.assertNoEnqueuedJobs();
});

Deno.test("TestApp.of() makes a log of its own, also beside a TestApp of other classes", async () => {
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
    await performAllLater([OtherJob.of(), MailJob.of("a"), OtherJob.of()]);
    one.assertEnqueuedJobs(1);
    two.assertEnqueuedJobs(2);
    assertEquals(await Promise.all([one.performEnqueuedJobs(), two.performEnqueuedJobs()]), [1, 2]);
    assertThrows(() => TestApp.of(app), InvalidConfigurationError, 'Cannot put a test App over "MailJob"');
  }
  assert(other.pending === 0);
  await other.close();
  await using again = TestApp.of(app);
  again.assertNoEnqueuedJobs();
});

Deno.test("TestApp.of() refuses a value that is not an App, and unknown options", async () => {
  assertThrows(
    () => TestApp.of(undefined as unknown as App),
    InvalidConfigurationError,
    "TestApp.of() needs an App, but it is given undefined",
  );
  // deno-lint-ignore no-explicit-any
  assertThrows(() => TestApp.of(app, { looger: false } as any), InvalidConfigurationError, 'did you mean "logger"?');
  // deno-lint-ignore no-explicit-any
  assertThrows(() => TestApp.of(app, { logger: { level: "loud" } } as any), InvalidConfigurationError, '"level"');
  await using _ = TestApp.of(app);
});

Deno.test("TestApp.of() logs nothing unless it has a logger", async () => {
  const lines: string[] = [];
  const write = (text: string) => void lines.push(text);
  const chatty = new App({ ...app.options, name: "chatty", jobs: [ChainJob], logger: { write } });
  for (const logger of [undefined, { level: "info", write }] as const) {
    {
      // Its end writes the lines of the last turn.
      await using t = TestApp.of(chatty, logger === undefined ? {} : { logger });
      await ChainJob.performLater(0);
      assertEquals(await t.performEnqueuedJobs(), 1);
    }
    assertEquals(lines.some((line) => line.includes("ChainJob")), logger !== undefined);
  }
  await chatty.close();
});

Deno.test("clear() forgets what was enqueued, performed and dead-lettered", async () => {
  await using t = TestApp.of(app);
  await performAllLater([MailJob.of("a"), FailingJob.of(9), ChainJob.of(0)]);
  await t.performEnqueuedJobs({ retries: true });
  await performAllLater([MailJob.of("b"), ChainJob.of(0)]);
  t.clear();
  t.assertNoEnqueuedJobs();
  t.assertNoPerformedJobs();
  t.assertNoDeadLetters();
  assertEquals(await t.performEnqueuedJobs(), 0);
  performed.length = 0;
  await MailJob.performLater("c");
  assertEquals(await t.performEnqueuedJobs(), 1);
  assertEquals(performed, [["mail", undefined, "c", {}]]);
});

Deno.test("a test's App refuses each call after it was disposed of", async () => {
  const t = TestApp.of(app);
  const block = Promise.withResolvers<void>();
  const late = assertRejects(
    () => t.assertNoEnqueuedJobs(() => block.promise),
    InvalidConfigurationError,
    "it was disposed of",
  );
  await t[Symbol.asyncDispose]();
  block.resolve();
  await late;
  for (
    const use of [
      () => t.enqueuedJobs(),
      () => t.performedJobs(),
      () => t.deadLetters(),
      () => t.assertNoEnqueuedJobs(),
      () => t.assertNoPerformedJobs(),
      () => t.assertNoDeadLetters(),
      () => t.assertEnqueuedWith(MailJob),
      () => t.assertPerformedWith(MailJob),
      () => t.assertDeadLettered(MailJob),
      () => t.clear(),
      () => t.faults.revoke(MailJob),
      () => t.faults.failAppends(1),
      () => t.faults.goOffline(),
    ]
  ) {
    assertThrows(use, InvalidConfigurationError, `Cannot use the test's App of "shop": it was disposed of`);
  }
  await assertRejects(() => t.performEnqueuedJobs(), InvalidConfigurationError, "it was disposed of");
  await t[Symbol.asyncDispose]();
});

Deno.test("a test's App that is disposed of while it performs stops and leaves nothing behind", async () => {
  const t = TestApp.of(app);
  await ChainJob.performLater(0);
  const performing = assertRejects(() => t.performEnqueuedJobs(), InvalidConfigurationError, "it was disposed of");
  await t[Symbol.asyncDispose]();
  await performing;
});
