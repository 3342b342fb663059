import { assert, assertEquals } from "@std/assert";
import type { Broker, NewRecord } from "../../src/broker/broker.ts";
import { alterTopic, bareKafka, brokers, noKafka, openKafka, recreateTopic } from "../support/kafka/cluster.ts";
import { API, Relay } from "../support/kafka/relay.ts";

function kafkaTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, ignore: noKafka });
}

async function newTopic(broker: Broker, partitions: number, config: Record<string, string> = {}): Promise<string> {
  const name = `producer-${crypto.randomUUID()}`;
  await broker.admin.create([{ name, partitions, config }]);
  return name;
}

/** Everything in a topic, by partition, as values. */
async function valuesOf(topic: string): Promise<Map<number, string[]>> {
  await using broker = openKafka();
  const ends = await broker.admin.ends(topic);
  const values = new Map(ends.map(({ partition }) => [partition, [] as string[]]));
  const consumer = bareKafka().consumer({ groupId: crypto.randomUUID() });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const done = Promise.withResolvers<void>();
  let left = ends.reduce((sum, { high }) => sum + high, 0);
  if (left === 0) done.resolve();
  await consumer.run({
    eachMessage: ({ partition, message }) => {
      values.get(partition)!.push(message.value!.toString());
      if (--left === 0) done.resolve();
      return Promise.resolve();
    },
  });
  await done.promise;
  await consumer.disconnect();
  return values;
}

kafkaTest("append() loses nothing and keeps the order although answers to produce requests are lost", async () => {
  await using relay = new Relay(brokers[0]!);
  await using broker = openKafka({ brokers: [relay.broker], requestTimeoutMs: 300 });
  await using direct = openKafka();
  const topic = await newTopic(direct, 4);
  let answers = 0;
  let lost = 0;
  // After the broker has written: every third answer is lost in silence, every fifth with its connection.
  relay.onAnswer = (api) => {
    if (api !== API.produce) return "pass";
    answers++;
    const verdict = answers % 3 === 0 ? "drop" : answers % 5 === 0 ? "cut" : "pass";
    if (verdict !== "pass") lost++;
    return verdict;
  };
  const expected = new Map<number, Map<number, string>>();
  for (let round = 0; round < 12; round++) {
    const records = Array.from({ length: 50 }, (_, n): NewRecord => ({ key: `k${n % 7}`, value: `${round}:${n}` }));
    const outcomes = await broker.append(topic, records);
    outcomes.forEach((outcome, at) => {
      assert(outcome.ok, outcome.ok ? "" : outcome.error.message);
      const { partition, offset } = outcome.position;
      const of = expected.get(partition) ?? new Map<number, string>();
      expected.set(partition, of.set(offset, records[at]!.value as string));
    });
  }
  assert(lost >= 4, `Expected some answers to be lost, but only ${lost} were`);
  const values = await valuesOf(topic);
  for (const [partition, of] of expected) {
    for (const [offset, value] of of) assertEquals(values.get(partition)![offset], value);
  }
  // The identical batch is sent again, and the broker recognises a repetition: nothing is there twice.
  assertEquals([...values.values()].flat().length, 600);
});

kafkaTest("append() answers unknown, and the next records are written, after a batch that was given up", async () => {
  await using relay = new Relay(brokers[0]!);
  await using broker = openKafka({ brokers: [relay.broker], requestTimeoutMs: 600, deliveryTimeoutMs: 2500 });
  await using direct = openKafka();
  const topic = await newTopic(direct, 1);
  assertEquals((await broker.append(topic, [{ value: "0" }]))[0]!.ok, true);
  relay.onAnswer = (api) => api === API.produce ? "drop" : "pass";
  const givenUp = await broker.append(topic, [{ value: "1" }, { value: "2" }]);
  assertEquals(givenUp.map((outcome) => !outcome.ok && outcome.written), ["unknown", "unknown"]);
  relay.onAnswer = () => "pass";
  // As many as were given up: a client that was not thrown away would take their acknowledgement for these.
  const next = await broker.append(topic, [{ value: "3" }, { value: "4" }]);
  assertEquals(next.map((outcome) => outcome.ok), [true, true]);
  const values = (await valuesOf(topic)).get(0)!;
  assertEquals(values.slice(-2), ["3", "4"]);
  assertEquals(next.map((outcome) => outcome.ok && values[outcome.position.offset]), ["3", "4"]);
});

kafkaTest("append() still answers unknown where an answer was lost and nothing could be sent afterwards", async () => {
  await using relay = new Relay(brokers[0]!);
  await using broker = openKafka({ brokers: [relay.broker], deliveryTimeoutMs: 2500 });
  await using direct = openKafka();
  const topic = await newTopic(direct, 1);
  assertEquals((await broker.append(topic, [{ value: "0" }]))[0]!.ok, true);
  relay.onAnswer = (api) => {
    if (api !== API.produce) return "pass";
    relay.onRequest = () => "cut";
    return "cut";
  };
  const outcomes = await broker.append(topic, [{ value: "1" }]);
  assertEquals(outcomes.map((outcome) => !outcome.ok && outcome.written), ["unknown"]);
  assertEquals((await valuesOf(topic)).get(0), ["0", "1"]);
});

kafkaTest("append() answers no where nothing was sent, and waits for a broker that comes back", async () => {
  await using direct = openKafka();
  const topic = await newTopic(direct, 1);
  await using relay = new Relay(brokers[0]!);
  relay.onRequest = () => "cut";
  await using hasty = openKafka({ brokers: [relay.broker], deliveryTimeoutMs: 700 });
  const refused = await hasty.append(topic, [{ value: "never" }]);
  assertEquals(refused.map((outcome) => !outcome.ok && outcome.written), ["no"]);
  await using patient = openKafka({ brokers: [relay.broker] });
  const waiting = patient.append(topic, [{ value: "at last" }]);
  relay.onRequest = () => "pass";
  assertEquals((await waiting).map((outcome) => outcome.ok), [true]);
  assertEquals((await valuesOf(topic)).get(0), ["at last"]);
});

kafkaTest("append() halves a batch that the broker refuses until the guilty record stands alone", async () => {
  await using broker = openKafka();
  const topic = await newTopic(broker, 2);
  // The metadata of the topic is out of date: it takes the broker's refusal to find out.
  assertEquals((await broker.append(topic, [{ value: "0", partition: 0 }]))[0]!.ok, true);
  await alterTopic(topic, { "max.message.bytes": "2000" });
  const records = Array.from({ length: 60 }, (_, n): NewRecord => ({
    partition: n % 2,
    value: n === 33 ? "x".repeat(5000) : `${n}`.padEnd(100),
  }));
  const outcomes = await broker.append(topic, records);
  assertEquals(outcomes.flatMap((outcome, n) => outcome.ok ? [] : [n]), [33]);
  const guilty = outcomes[33]!;
  assert(!guilty.ok && guilty.written === "no");
  assertEquals(guilty.error.name, "RecordTooLargeError");
  assert(/has 5\d{3} bytes, but "max.message.bytes" allows 2000$/.test(guilty.error.message), guilty.error.message);
  const values = await valuesOf(topic);
  const expected = (odd: number) => records.filter((_, n) => n % 2 === odd && n !== 33).map(({ value }) => value);
  assertEquals(values.get(0), ["0", ...expected(0) as string[]]);
  assertEquals(values.get(1), expected(1) as string[]);
});

kafkaTest("append() goes on in a topic that was made anew", async () => {
  await using broker = openKafka();
  const topic = await newTopic(broker, 1);
  for (let round = 0; round < 3; round++) {
    assertEquals((await broker.append(topic, [{ value: `a${round}` }, { value: "b" }])).map(({ ok }) => ok), [
      true,
      true,
    ]);
    await recreateTopic(topic, 1);
  }
  const [outcome] = await broker.append(topic, [{ value: "last" }]);
  assertEquals(outcome!.ok && outcome!.position.offset, 0);
});

kafkaTest("a broker that is disposed of settles an append that is pending as unknown, within seconds", async () => {
  await using relay = new Relay(brokers[0]!);
  await using direct = openKafka();
  const topic = await newTopic(direct, 1);
  const broker = openKafka({ brokers: [relay.broker] });
  const sent = Promise.withResolvers<void>();
  relay.onAnswer = (api) => {
    if (api !== API.produce) return "pass";
    sent.resolve();
    return "drop";
  };
  const pending = broker.append(topic, [{ value: "a" }]);
  await sent.promise;
  const startedMs = performance.now();
  await broker[Symbol.asyncDispose]();
  assertEquals((await pending).map((outcome) => !outcome.ok && outcome.written), ["unknown"]);
  assert(performance.now() - startedMs < 5000);
});
