/** Batches that cannot be read, on a scripted broker: each is one unreadable record, and everything else goes on. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import type { StoredRecord } from "../../../../src/broker/broker.ts";
import { Field } from "../../../../src/broker/kafka/batch/layout.ts";
import { KafkaBroker } from "../../../../src/broker/kafka/broker.ts";
import { kafkaSettings } from "../../../../src/broker/kafka/options.ts";
import { Code } from "../../../../src/broker/kafka/wire/errors.ts";
import { Monitor } from "../../../../src/monitor/monitor.ts";
import { Recorder } from "../../conformance/recorder.ts";
import { oldMessage } from "../../../support/kafka/old_message.ts";
import { packedBatch, withChecksum, withRecords } from "../../../support/kafka/packed_batch.ts";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { positionsOf } from "../../../support/kafka/scripted_log.ts";
import { fetchResponse } from "../../../support/kafka/scripted_responses.ts";
import { ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import { passOver } from "../../../support/skip.ts";

function openBroker(kafka: ScriptedKafka): KafkaBroker {
  const settings = kafkaSettings({ brokers: [kafka.broker.address] });
  return new KafkaBroker("kafka:scripted", settings, { clientId: "test", monitor: new Monitor() });
}

function consume(broker: KafkaBroker) {
  const recorder = new Recorder(20_000);
  const options = {
    group: "g",
    topics: [TOPIC],
    sessionTimeoutMs: 10_000,
    maxFetchBytes: 1_000_000,
    maxRecordBytes: 100_000,
  };
  return { recorder, consumer: broker.consume(options, recorder) };
}

function batch(...values: readonly string[]): Buffer {
  return packedBatch(values.map((value) => ({ value })));
}

/** Changes one byte or integer of a batch, and its checksum accordingly. */
function changed(change: (batch: Buffer) => void): Buffer {
  const bytes = Buffer.from(batch("x", "y", "z"));
  change(bytes);
  return withChecksum(bytes);
}

function shown({ offset, value, unreadable }: StoredRecord): unknown {
  return unreadable === undefined ? `${offset}: ${value}` : [offset, unreadable];
}

const BATCH = "The batch with offsets 1 to 3 cannot be read:";
const OLD = "The batch with offsets 1 to 1 cannot be read:";

/** Batches that follow a record at offset 0, and come before one at offset 4, and what is handed over of them. */
const UNREADABLE: readonly (readonly [name: string, batch: Buffer, reason: string])[] = [
  [
    "an unknown compression",
    changed((bytes) => bytes[Field.attributes + 1] = 6),
    `${BATCH} compression 6 is not known`,
  ],
  [
    "damaged gzip",
    withRecords(batch("x", "y", "z"), Buffer.from("no gzip at all, whatever it is"), "gzip"),
    `${BATCH} gzip: incorrect header check`,
  ],
  [
    "damaged snappy",
    withRecords(batch("x", "y", "z"), Buffer.from([30, 0xfe, 1, 1]), "snappy"),
    `${BATCH} snappy: it is damaged`,
  ],
  ["damaged lz4", withRecords(batch("x", "y", "z"), Buffer.alloc(40), "lz4"), `${BATCH} lz4: it is not an LZ4 frame`],
  [
    "a wrong checksum",
    ((bytes) => (bytes[bytes.length - 3]! ^= 1, bytes))(Buffer.from(batch("x", "y", "z"))),
    `${BATCH} its checksum is wrong, it is damaged`,
  ],
  [
    "an unknown format",
    changed((bytes) => bytes[Field.magic] = 3),
    `${OLD} message format 3 is not supported, only 2 is`,
  ],
];

for (const [name, unreadable, reason] of UNREADABLE) {
  Deno.test(`consumer: a batch with ${name} is one unreadable record, and those around it are handed over`, async () => {
    await using kafka = new ScriptedKafka();
    for (const bytes of [batch("a"), unreadable, batch("b")]) kafka.log.append(0, bytes);
    await using broker = openBroker(kafka);
    const { recorder } = consume(broker);
    await recorder.until("the last record came", () => recorder.values().includes("b"));
    assertEquals(recorder.received.map(({ record }) => shown(record)), ["0: a", [1, reason], "4: b"]);
    assertEquals([recorder.breaches, recorder.failures], [[], []]);
  });
}

Deno.test("consumer: each message in an old format is one unreadable record, and those around it are handed over", async () => {
  await using kafka = new ScriptedKafka();
  const inner = Buffer.concat([oldMessage(1, "x"), oldMessage(1, "y")]);
  const old = [oldMessage(0, "x"), oldMessage(0, null), oldMessage(1, "x"), oldMessage(1, inner, true)];
  for (const bytes of [batch("a"), ...old, batch("b")]) kafka.log.append(0, bytes);
  await using broker = openBroker(kafka);
  const { recorder } = consume(broker);
  await recorder.until("the last record came", () => recorder.values().includes("b"));
  const reason = (offset: number, format: number) =>
    `The batch with offsets ${offset} to ${offset} cannot be read: message format ${format} is not supported, only 2 is`;
  assertEquals(recorder.received.map(({ record }) => shown(record)), [
    "0: a",
    ...[0, 0, 1, 1].map((format, at) => [at + 1, reason(at + 1, format)]),
    "5: b",
  ]);
  assertEquals([recorder.breaches, recorder.failures], [[], []]);
});

Deno.test("consumer: the records before the end of a batch that is too short are handed over", async () => {
  await using kafka = new ScriptedKafka();
  const short = changed((bytes) => {
    bytes.writeInt32BE(5, Field.count);
    bytes.writeInt32BE(4, Field.lastOffsetDelta);
  });
  for (const bytes of [batch("a"), short, batch("b")]) kafka.log.append(0, bytes);
  await using broker = openBroker(kafka);
  const { recorder } = consume(broker);
  await recorder.until("the last record came", () => recorder.values().includes("b"));
  const reason = "The batch with offsets 1 to 5 cannot be read: it has 3 records, and announces 5";
  assertEquals(recorder.received.map(({ record }) => shown(record)), [
    "0: a",
    "1: x",
    "2: y",
    "3: z",
    [4, reason],
    "6: b",
  ]);
  assertEquals(recorder.breaches, []);
});

Deno.test("consumer: a batch that is paused in the middle goes on at the same record", async () => {
  await using kafka = new ScriptedKafka();
  const values = Array.from({ length: 1000 }, (_, n) => `${n}`);
  for (const compression of ["none", "gzip"] as const) {
    kafka.log.append(0, packedBatch(values.map((value) => ({ value })), compression));
  }
  await using broker = openBroker(kafka);
  const { recorder, consumer } = consume(broker);
  recorder.onRecords = (ownership) => consumer.pause(ownership);
  await recorder.until("the first part came", () => recorder.received.length > 0);
  while (recorder.received.length < 2000) {
    const { length } = recorder.received;
    consumer.resume(recorder.own(0));
    await recorder.until("the next part came", () => recorder.received.length > length);
  }
  assertEquals(recorder.values(), [...values, ...values]);
  assertEquals(recorder.breaches, []);
  for (const { records } of recorder.batches) assert(records <= 200, `${records} records at once`);
});

Deno.test("consumer: a batch that was damaged on the way is fetched once more, and handed over", async () => {
  await using kafka = new ScriptedKafka();
  const sound = batch("x", "y");
  for (const bytes of [batch("a"), sound, batch("b")]) kafka.log.append(0, bytes);
  let isDamaged = false;
  kafka.broker.next(Api.fetch, async (request) => {
    const fetched = await kafka.log.fetch(positionsOf(request), 0);
    const response = Buffer.from(fetchResponse(fetched));
    response[response.indexOf("x")]! ^= 1;
    isDamaged = true;
    return response;
  });
  await using broker = openBroker(kafka);
  const { recorder } = consume(broker);
  await recorder.until("the last record came", () => recorder.values().includes("b"));
  assertEquals(recorder.values(), ["a", "x", "y", "b"]);
  assert(isDamaged);
});

Deno.test("consumer: data whose length is wrong is passed over offset by offset, without a loop", async () => {
  await using kafka = new ScriptedKafka();
  const damaged = Buffer.from(batch("x"));
  damaged.writeInt32BE(5, Field.length);
  for (const bytes of [batch("a"), damaged, batch("b")]) kafka.log.append(0, bytes);
  await using broker = openBroker(kafka);
  const { recorder } = consume(broker);
  await recorder.until("the last record came", () => recorder.values().includes("b"));
  const reason = "The batch with offsets 1 to 1 cannot be read: its length is wrong, it is damaged";
  assertEquals(recorder.received.map(({ record }) => shown(record)), ["0: a", [1, reason], "2: b"]);
});

Deno.test("consumer: a large batch is unpacked only as far as the partition takes it", async () => {
  await using kafka = new ScriptedKafka({ partitions: 2 });
  kafka.log.append(0, packedBatch(Array.from({ length: 200 }, () => ({ value: "x".repeat(90_000) })), "zstd"));
  kafka.log.append(0, batch("last"));
  await using broker = openBroker(kafka);
  const { recorder, consumer } = consume(broker);
  recorder.onRecords = (ownership) => ownership.partition === 0 && consumer.pause(ownership);
  const parts = () => recorder.batches.filter(({ ownership }) => ownership.partition === 0);
  await recorder.until("the first part came", () => parts().length > 0);
  while (recorder.values(0).at(-1) !== "last") {
    const { length } = parts();
    // The records of another partition take longer than the next part would.
    const others = recorder.values(1).length;
    kafka.log.append(1, batch("other"));
    await recorder.until("another partition got something", () => recorder.values(1).length > others);
    assertEquals(parts().length, length, "nothing comes while the partition is paused");
    consumer.resume(recorder.own(0));
    await recorder.until("the next part came", () => parts().length > length);
  }
  assertEquals(recorder.values(0).length, 201);
  for (const { bytes } of parts()) assert(bytes <= 1024 * 1024 + 90_000, `${bytes} bytes at once`);
});

Deno.test("consumer: an ownership that ends in the middle of a large batch gets nothing more of it", async () => {
  await using kafka = new ScriptedKafka();
  kafka.log.append(0, packedBatch(Array.from({ length: 200 }, () => ({ value: "x".repeat(90_000) })), "zstd"));
  await using broker = openBroker(kafka);
  const { recorder, consumer } = consume(broker);
  recorder.onRecords = (ownership) => consumer.pause(ownership);
  await recorder.until("the first part came", () => recorder.received.length > 0);
  const { length } = recorder.received;
  await consumer.close(5000);
  assertEquals([recorder.received.length, recorder.breaches], [length, []]);
});

Deno.test("skip: a batch that cannot be read is passed over as a whole, one that can record by record", async () => {
  await using kafka = new ScriptedKafka();
  const [, unreadable] = UNREADABLE[0]!;
  for (const bytes of [batch("a", "b"), unreadable, batch("c")]) kafka.log.append(0, bytes);
  await using broker = openBroker(kafka);
  const position = { topic: TOPIC, partition: 0 };
  const committed: number[] = [];
  for (const offset of [0, 1, 2, 5]) {
    await broker.skip("g", { ...position, offset }, passOver(offset));
    committed.push(kafka.committed.get(0)!.offset);
  }
  assertEquals(committed, [1, 2, 5, 6]);
});

Deno.test("skip: a group in the middle of a batch that cannot be read passes over the rest", async () => {
  await using kafka = new ScriptedKafka();
  kafka.log.append(0, UNREADABLE[1]![1]);
  kafka.committed.set(0, { offset: 1, metadata: "" });
  await using broker = openBroker(kafka);
  await broker.skip("g", { topic: TOPIC, partition: 0, offset: 1 }, passOver(1));
  assertEquals(kafka.committed.get(0)!.offset, 3);
});

Deno.test("skip: a broker that accepts less metadata gets half until it accepts it", async () => {
  await using kafka = new ScriptedKafka();
  kafka.log.append(0, batch("a", "b"));
  const lengths: number[] = [];
  kafka.broker.on(Api.offsetCommit, (request) => {
    const isTooLong = lengths.at(-1)! > 1000;
    return kafka.commit(request, isTooLong ? Code.offsetMetadataTooLarge : Code.none);
  });
  await using broker = openBroker(kafka);
  await broker.skip("g", { topic: TOPIC, partition: 0, offset: 0 }, (_, end, maxLength = 0) => {
    lengths.push(maxLength);
    return { offset: end, metadata: "x".repeat(maxLength) };
  });
  assertEquals(lengths.length, 3, String(lengths));
  assertEquals(kafka.committed.get(0), { offset: 1, metadata: "x".repeat(lengths[2]!) });
});
