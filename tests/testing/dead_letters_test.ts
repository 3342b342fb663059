/** The dead letters of a test's App: listed, requeued and performed as in the real one. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";

class ShipJob extends Job {
  static override queue = "orders";
  static override kafkaOptions: KafkaOptions = { key: (job) => job.args[0] as string };
  static isMended = false;
  perform(orderId: string) {
    if (orderId === "poison" && !ShipJob.isMended) throw new TypeError("No such order");
  }
}

const app = new App({
  name: "shop",
  broker: "kafka://localhost:9092",
  jobs: [ShipJob],
  topics: [activeJobTopic("orders", { ordering: "key", deadLetterQueue: { topic: "dead_jobs", maxRetries: 0 } })],
  logger: false,
});

Deno.test("dead letters are listed and requeued from code", async () => {
  await using t = TestApp.of(app);
  await ShipJob.performLater("poison");
  assertEquals(await t.performEnqueuedJobs({ retries: true }), 0);
  const letters = t.app.deadLetters("dead_jobs");
  const [letter, ...more] = await letters.list({ limit: 10 });
  assertEquals([letter?.jobClass, letter?.errorClass, letter?.handled, more], ["ShipJob", "TypeError", null, []]);
  assertEquals(await letters.requeue({ jobClass: "ShipJob" }), { requeued: 1, refused: 0 });
  assertEquals(await letters.requeue({ jobClass: "ShipJob" }), { requeued: 0, refused: 1 });
  assertEquals(t.deadLetters().length, 1);
  t.assertEnqueuedJobs(2);

  ShipJob.isMended = true;
  assertEquals(await t.performEnqueuedJobs({ retries: true }), 1);
  assertEquals(t.performedJobs().map(({ args, attempt }) => [args, attempt]), [[["poison"], 1]]);
});

Deno.test("clear forgets dead letters as well", async () => {
  ShipJob.isMended = false;
  await using t = TestApp.of(app);
  await ShipJob.performLater("poison");
  await t.performEnqueuedJobs({ retries: true });
  assertEquals((await t.app.deadLetters().list()).length, 1);
  t.clear();
  assertEquals(await t.app.deadLetters().list(), []);
});

Deno.test("the clock of a test does not move the time of a dead letter", async () => {
  ShipJob.isMended = false;
  await using t = TestApp.of(app);
  await t.clock.advance({ days: 3 });
  await ShipJob.performLater("poison");
  await t.performEnqueuedJobs({ retries: true });
  assertEquals((await t.app.deadLetters().list({ since: { hours: 1 } })).length, 1);
});
