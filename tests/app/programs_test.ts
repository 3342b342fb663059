/**
 * The programs that users write most: they must compile, and work.
 */
import {
  activeJobTopic,
  App,
  currentAttributes,
  Job,
  type KafkaOptions,
  kafkaOptionsOf,
  performAllLater,
} from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

// 1. A base class with options, two jobs that override some of them.
abstract class ApplicationJob extends Job {
  static override kafkaOptions: KafkaOptions = {
    dispatchMethod: "produceSync",
    dispatchManyMethod: "produceManyAsync",
  };
}

class WelcomeJob extends ApplicationJob {
  static override queue = "default";
  async perform(userId: number, note = "") {
    await Promise.resolve();
    return `${userId}${note}`;
  }
}

class ShipOrderJob extends ApplicationJob {
  static override queue = "orders";
  static override kafkaOptions: KafkaOptions<ShipOrderJob> = { key: (job) => job.args[0].id };
  perform(order: { id: string; lines: number[] }) {
    return order.lines.length;
  }
}

// (later) static { this.retryOn(TypeError, { attempts: 3, wait: { seconds: 2 } }); this.discardOn(RangeError); }

// 2. The attributes of a request.
class Current extends currentAttributes<{ userId: number; tenant: string }>("userId", "tenant") {}

// 3. One App.
const app = new App({
  name: "shop",
  broker: "memory:",
  jobs: [WelcomeJob, ShipOrderJob],
  topics: [
    activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 2, independent: true } }),
    activeJobTopic("orders", { maxMessages: 100 }),
  ],
  currentAttributes: [Current],
});

// 4. A web handler.
const handler = (request: Request) =>
  Current.run({ userId: Number(new URL(request.url).searchParams.get("u")) }, async () => {
    const job = await WelcomeJob.performLater(Current.userId ?? 0);
    return Response.json({ id: job.jobId, enqueued: job.enqueued });
  });

Deno.test("enqueue: typed, in bulk, and a queue that no topic declares is an error", async () => {
  await using _ = TestApp.of(app);
  const job = await WelcomeJob.performLater(42);
  assert(job.enqueued);
  assertEquals(job.args[0], 42);
  const [a, b] = await performAllLater(
    [WelcomeJob.of(1), ShipOrderJob.of({ id: "x", lines: [] }).set({ queue: "nope" })] as const,
  );
  assert(a.enqueued);
  assert(!b.enqueued && b.enqueueError?.message.includes('"nope"'));
  assertEquals(await WelcomeJob.performNow(1, "a"), "1a");
  const lines: number = await ShipOrderJob.performNow({ id: "x", lines: [1] });
  assertEquals(lines, 1);
  // @ts-expect-error a string is not a user id
  void (() => WelcomeJob.performLater("42"));
  // @ts-expect-error too few arguments
  void (() => WelcomeJob.performLater());
  // @ts-expect-error an abstract class is not a job
  void (() => ApplicationJob.performLater());
});

Deno.test("options: partial inheritance", () => {
  assertEquals(Object.keys(kafkaOptionsOf(ShipOrderJob)).sort(), ["dispatchManyMethod", "dispatchMethod", "key"]);
  assertEquals(kafkaOptionsOf(WelcomeJob).dispatchMethod, "produceSync");
});

Deno.test("a handler behind a real server enqueues; the job is performed with the request's attributes", async () => {
  await using t = TestApp.of(app);
  const server = Deno.serve({ port: 0, onListen() {} }, handler);
  await (await fetch(`http://127.0.0.1:${server.addr.port}/?u=7`)).text();
  await server.shutdown();
  t.assertEnqueuedWith(WelcomeJob, { args: [7], queue: "default" });
  assertEquals(await t.performEnqueuedJobs(), 1);
});

Deno.test("two Apps in one process: ambiguous outside, right inside a scope, side by side", async () => {
  await using other = new App({ ...app.options, name: "other" });
  await assertRejects(() => WelcomeJob.performLater(1), Error, "2 Apps list it");
  await Promise.all([
    other.run(() => WelcomeJob.performLater(1)),
    app.run(() => WelcomeJob.performLater(2)),
    other.enqueue(WelcomeJob.of(3)),
  ]);
});

Deno.test("a class that no App lists, and an attribute set outside a scope, are errors", async () => {
  class LostJob extends Job {
    perform() {}
  }
  await assertRejects(() => LostJob.performLater(), Error, "no App lists it");
  assertEquals(await LostJob.performNow(), undefined); // needs no App
  assertThrows(
    () => {
      Current.userId = 1;
    },
    Error,
    "outside of a scope",
  );
});
