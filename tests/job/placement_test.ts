/** Queue and priority of a job, given by its class as functions; and jobs that wait for a transaction. */
import { activeJobTopic, App, EnqueueError, InvalidConfigurationError, Job } from "../../mod.ts";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";

class PlacedJob extends Job {
  static calls = 0;
  static override queue = (job: PlacedJob) => {
    PlacedJob.calls++;
    return job.args[0];
  };
  static override priority = (job: PlacedJob) => job.args[0] === "slow" ? 10 : null;
  perform(_queue: string) {}
}
class FixedJob extends Job {
  static override queue = "slow";
  static override priority = 5;
  perform() {}
}

function makeApp(): App {
  return new App({
    name: "shop",
    broker: "memory:",
    jobs: [PlacedJob, FixedJob],
    topics: [activeJobTopic("fast"), activeJobTopic("slow")],
    logger: false,
  });
}

Deno.test("queue and priority may be functions of the job; set() wins", async () => {
  await using app = makeApp();
  PlacedJob.calls = 0;
  const slow = await PlacedJob.performLater("slow");
  const fast = await PlacedJob.performLater("fast");
  const set = await PlacedJob.set({ queue: "fast", priority: 1 }).performLater("slow");
  const fixed = await FixedJob.performLater();
  await app.flush();
  assertEquals([slow, fast, set, fixed].map(({ position, priority }) => [position?.topic, priority]), [
    ["slow", 10],
    ["fast", null],
    ["fast", 1],
    ["slow", 5],
  ]);
  assertEquals(PlacedJob.calls, 2);
  assertEquals(String(PlacedJob.of("slow")).endsWith(" on a queue that its class computes, new"), true);
});

Deno.test("a function that returns no name of a topic, or no priority, is refused with its class", async () => {
  await using _ = makeApp();
  await assertRejects(
    () => PlacedJob.performLater("a b"),
    InvalidConfigurationError,
    '"static queue" of PlacedJob must return a topic name',
  );
  class WrongJob extends Job {
    static override priority = "high" as unknown as number;
    perform() {}
  }
  assertThrows(
    () => new App({ name: "a", broker: "memory:", jobs: [WrongJob], topics: [activeJobTopic("default")] }),
    InvalidConfigurationError,
    'Option "priority" of WrongJob must be an integer or null',
  );
});

Deno.test("enqueueAfter() refuses a value that is not a promise: the job would not wait for the transaction", () => {
  for (const wrong of [undefined, null, () => Promise.resolve(), {}]) {
    assertThrows(
      () => PlacedJob.enqueueAfter(wrong as never),
      InvalidConfigurationError,
      "PlacedJob.enqueueAfter() needs a promise, but it is given",
    );
  }
});

Deno.test("enqueueAfter() enqueues once its promise resolves, and drops the job if it rejects", async () => {
  await using app = makeApp();
  const commit = Promise.withResolvers<void>();
  const waiting = PlacedJob.enqueueAfter(commit.promise).performLater("fast");
  await app.flush();
  assertEquals(app.pending, 0);
  commit.resolve();
  assertEquals((await waiting).enqueued, true);
  const dropped = await PlacedJob.enqueueAfter(Promise.reject(new Error("rollback"))).performLater("fast");
  assertEquals([dropped.enqueued, dropped.status], [false, "halted"]);
  await assertRejects(() => dropped.delivered(), EnqueueError, "its transaction was rolled back");
});
