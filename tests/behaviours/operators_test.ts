/** Dead letters in the hands of an operator: listed, requeued and dismissed, without a group and without a live worker. */
import { assertEquals, assertRejects } from "@std/assert";
import { activeJobTopic, type DeadLetter, Job, type KafkaOptions } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { type AppProcess, asString, headersAsStrings, type World } from "../support/behaviours/world.ts";

const runs: string[] = [];
let isMended = false;

abstract class RecordedJob extends Job {
  static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
  perform(n: number) {
    runs.push(`${this.constructor.name} ${n} at attempt ${this.attempt}`);
    if (!isMended) throw new RangeError(`no ${n}`);
  }
}
class MailJob extends RecordedJob {}
class ShipJob extends RecordedJob {
  static override queue = "orders";
}

function shop(world: World): Promise<AppProcess> {
  runs.length = 0;
  isMended = false;
  const deadLetterQueue = { topic: "dead", maxRetries: 1 };
  return world.process({
    jobs: [MailJob, ShipJob],
    backoff: { initialMs: 2, jitter: 0 },
    topics: [
      activeJobTopic("default", { partitions: 1, deadLetterQueue }),
      activeJobTopic("orders", { partitions: 1, deadLetterQueue }),
    ],
  });
}

/** Performs the jobs that are there, with the classes fixed. @returns the runs, sorted */
async function performMended(process: AppProcess): Promise<string[]> {
  runs.length = 0;
  isMended = true;
  await process.drain();
  return runs.toSorted();
}

const shown = ({ jobClass, errorClass, errorMessage, attempts, handled }: DeadLetter) =>
  `${jobClass} ${errorClass} ${errorMessage} ${attempts} ${handled?.action ?? "new"}`;

behaviour(
  "D8: dead letters are requeued one by one or by class and performed again by their own class, with the same key and bytes and attempts afresh; a second requeue is refused unless forced",
  async (world) => {
    const process = await shop(world);
    for (const n of [1, 2]) await MailJob.performLater(n);
    await ShipJob.performLater(3);
    await process.drain();
    const letters = process.app.deadLetters("dead");
    const all = await letters.list();
    assertEquals(all.map(shown).sort(), [
      "MailJob RangeError no 1 2 new",
      "MailJob RangeError no 2 2 new",
      "ShipJob RangeError no 3 2 new",
    ]);
    const first = all.find(({ errorMessage }) => errorMessage === "no 1")!;
    assertEquals(first.source, { topic: world.topic(), partition: 0, offset: 0 });

    assertEquals(await letters.requeue({ at: first }, { by: "ada" }), { requeued: 1, refused: 0 });
    assertEquals(await letters.requeue({ at: first }), { requeued: 0, refused: 1 });
    assertEquals(await letters.requeue({ jobClass: "MailJob" }), { requeued: 1, refused: 1 });
    const back = (await world.records()).slice(2);
    assertEquals(back.map(({ key, value }) => [key, asString(value)]).sort(), [
      ...(await world.records()).slice(0, 2).map(({ key, value }) => [key, asString(value)]).sort(),
    ]);
    assertEquals(headersAsStrings(back[0]!.headers), {
      "requeued-from": `${first.topic}/${first.partition}@${first.offset}`,
    });
    assertEquals(await performMended(process), ["MailJob 1 at attempt 1", "MailJob 2 at attempt 1"]);

    const handled = (await letters.list()).find(({ errorMessage }) => errorMessage === "no 1")!.handled!;
    assertEquals([handled.action, handled.by], ["requeued", "ada"]);
    assertEquals(await letters.requeue({ at: [first] }, { force: true }), { requeued: 1, refused: 0 });
    assertEquals(await letters.requeue({ errorClass: "RangeError", since: { hours: 1 } }), { requeued: 1, refused: 2 });
    assertEquals(await performMended(process), ["MailJob 1 at attempt 1", "ShipJob 3 at attempt 1"]);
  },
);

behaviour(
  "D8: a job that fails again is a dead letter of its own, which says where it was requeued from and can be requeued",
  async (world) => {
    const process = await shop(world);
    await MailJob.performLater(1);
    await process.drain();
    const letters = process.app.deadLetters();
    const [first] = await letters.list();
    assertEquals(await letters.requeue({ all: true }), { requeued: 1, refused: 0 });
    await process.drain();
    const again = (await letters.list()).filter(({ handled }) => handled === null);
    assertEquals(again.map(shown), ["MailJob RangeError no 1 2 new"]);
    const details = await letters.show(again[0]!);
    const from = `${first!.topic}/${first!.partition}@${first!.offset}`;
    assertEquals(details.headers.filter(([name]) => name === "requeued-from"), [["requeued-from", from]]);
    assertEquals(await letters.requeue({ all: true }), { requeued: 1, refused: 1 });
    assertEquals((await world.records()).length, 3);
    assertEquals(await performMended(process), ["MailJob 1 at attempt 1"]);
  },
);

behaviour("D8: a dismissed dead letter is only marked, and neither performed nor requeued", async (world) => {
  const process = await shop(world);
  await MailJob.performLater(1);
  await process.drain();
  const letters = process.app.deadLetters();
  assertEquals(await letters.dismiss({ all: true }), { dismissed: 1, refused: 0 });
  assertEquals(await letters.requeue({ all: true }), { requeued: 0, refused: 1 });
  assertEquals((await letters.list()).map(shown), ["MailJob RangeError no 1 2 dismissed"]);
  assertEquals((await world.records()).length, 1);
});

behaviour("D8: listing and requeuing make no group", async (world) => {
  const process = await shop(world);
  await MailJob.performLater(1);
  await process.drain();
  const topics = [world.topic("dead"), world.topic("dead_handled")];
  await process.app.deadLetters().requeue({ all: true });
  await process.app.deadLetters().list();
  const groups = await world.client.admin.groups(topics);
  assertEquals(topics.map((topic) => groups.get(topic) ?? []), [[], []]);
});

behaviour(
  "bad input 26: a dead letter whose headers name a topic that is not declared is not requeued; forged headers do no harm",
  async (world) => {
    const process = await shop(world);
    const bytes = (value: string) => new TextEncoder().encode(value);
    const value = JSON.stringify({ job_class: "MailJob", arguments: [1] });
    const named = (topic: string, offset = "0") =>
      Object.entries({ topic, partition: "0", offset }).map(([name, text]) =>
        [`dead-letter-${name}`, bytes(text)] as const
      );
    await world.append([
      { value, headers: named(world.topic("dead")) },
      { value, headers: named(world.topic("dead_handled")) },
      { value, headers: named("elsewhere") },
      { value, headers: named("../../etc") },
      { value, headers: named(world.topic(), "1e9") },
      { value, headers: [] },
      { value: null, headers: named(world.topic()) },
      { value, headers: named(world.topic()) },
    ], "dead");
    const reasons: string[] = [];
    const letters = process.app.deadLetters();
    assertEquals(
      await letters.requeue({ all: true }, { onRefused: (_position, reason) => void reasons.push(reason) }),
      { requeued: 1, refused: 7 },
    );
    const unknown = "its headers do not say where it came from";
    const undeclared = (topic: string) => `it came from "${topic}", which no topic of this App declares`;
    assertEquals(
      reasons.sort(),
      [
        undeclared(world.topic("dead")),
        undeclared(world.topic("dead_handled")),
        undeclared("elsewhere"),
        unknown,
        unknown,
        unknown,
        "it has no value: it was too large for the dead letter topic",
      ].sort(),
    );
    assertEquals((await world.records("dead")).length, 8);
    assertEquals((await world.records()).length, 1);
    assertEquals(await performMended(process), ["MailJob 1 at attempt 1"]);
  },
);

behaviour(
  "bad input 16: a malformed or huge traceparent and baggage do not keep a job from its run, its dead letter or its requeue",
  async (world) => {
    const process = await shop(world);
    const bytes = (value: string) => new TextEncoder().encode(value);
    const value = JSON.stringify({ job_class: "MailJob", arguments: [1] });
    for (const text of ["00-zz-00", "", "x".repeat(200_000)]) {
      await world.append([{ value, headers: [["traceparent", bytes(text)], ["baggage", bytes(`a=${text}`)]] }]);
    }
    await world.append([{ value, headers: [["traceparent", null], ["baggage", new Uint8Array([0xff, 0])]] }]);
    await process.drain();
    assertEquals((await world.records("dead")).length, 4);
    assertEquals(await process.app.deadLetters().requeue({ all: true }), { requeued: 4, refused: 0 });
    assertEquals(await performMended(process), Array(4).fill("MailJob 1 at attempt 1"));
  },
);

behaviour("D8: without the topic of markers letters are listed, and none is requeued", {
  on: ["kafka"],
  because: "embedded brokers create it",
}, async (world) => {
  const process = world.unprepared({
    jobs: [MailJob],
    topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead" } })],
  });
  await world.client.admin.create([{ name: world.topic("dead") }]);
  await world.append([{ value: "{}" }], "dead");
  const letters = process.app.deadLetters();
  assertEquals((await letters.list()).length, 1);
  await assertRejects(() => letters.requeue({ all: true }), Error, 'create it with "topics apply"');
});
