/** Cases about appending: order, outcomes, keys, and bytes that are read as they were written. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { RecordTooLargeError, UnknownTopicError } from "../../../src/errors.ts";
import type { AppendOutcome, Headers, NewRecord, StoredRecord } from "../../../src/broker/broker.ts";
import { partitionOfKey } from "../../../src/broker/partitioner.ts";
import type { Case } from "./case.ts";
import { many, type World } from "./world.ts";

/** The cases. */
export const append: readonly Case[] = [
  {
    name: "append() returns the position of each record, and a partition is read in the order of appending",
    async run(world) {
      const topic = await world.topic(2);
      const first = await world.append(topic, many("a", 3), 1);
      const second = await world.append(topic, many("a", 2, 3), 1);
      assert.deepEqual([...first, ...second], [0, 1, 2, 3, 4].map((offset) => ({ topic, partition: 1, offset })));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(5);
      assert.deepEqual(reader.recorder.values(1), many("a", 5));
      assert.deepEqual(reader.recorder.received.map(({ record }) => record.offset), [0, 1, 2, 3, 4]);
    },
  },
  {
    name: "append() reports no outcome twice, and none that it does not return",
    async run(world) {
      const topic = await world.topic(2);
      const reported: (readonly [index: number, outcome: AppendOutcome])[] = [];
      const records: NewRecord[] = [{ value: "0", partition: 0 }, { value: "1", partition: 1 }, {
        value: "2",
        partition: 7,
      }];
      const settled = (index: number, outcome: AppendOutcome) => void reported.push([index, outcome]);
      const outcomes = await world.broker.append(topic, records, { settled });
      assert.deepEqual(outcomes.map(({ ok }) => ok), [true, true, false]);
      assert.equal(new Set(reported.map(([index]) => index)).size, reported.length);
      for (const [index, outcome] of reported) assert.deepEqual(outcome, outcomes[index]);
    },
  },
  {
    name: "append() of many keyed records keeps the order of each key",
    async run(world) {
      const topic = await world.topic(4);
      const records = many("", 2000).map((n): NewRecord => ({ key: `k${Number(n) % 50}`, value: n }));
      await world.append(topic, records);
      const reader = await world.consume({ topics: [topic] });
      await reader.received(2000);
      const byKey = Map.groupBy(reader.recorder.received, ({ record }) => text(record.key));
      assert.equal(byKey.size, 50);
      for (const [key, of] of byKey) {
        const expected = many("", 40).map((n) => String(Number(n) * 50 + Number(key!.slice(1))));
        assert.deepEqual(of.map(({ record }) => text(record.value)), expected);
      }
    },
  },
  {
    name: "append() always puts a key into the partition that Kafka's Java client would choose",
    async run(world) {
      const topic = await world.topic(7);
      const keys = [...many("key", 20), "", "\u00e4\u{1f600}"];
      for (let round = 0; round < 2; round++) {
        const positions = await world.append(topic, keys.map((key) => ({ key, value: "v" })));
        const expected = keys.map((key) => partitionOfKey(key, 7));
        assert.deepEqual(positions.map(({ partition }) => partition), expected);
      }
    },
  },
  {
    name: "append() chooses a partition for each record without a key, and keeps every record",
    async run(world) {
      const topic = await world.topic(3);
      const positions = await world.append(topic, many("v", 60).map((value) => ({ value })));
      const ends = await world.broker.admin.ends(topic);
      for (const { partition, high } of ends) {
        assert.equal(positions.filter((position) => position.partition === partition).length, high);
      }
      const reader = await world.consume({ topics: [topic] });
      await reader.received(60);
      assert.deepEqual(reader.recorder.values().toSorted(), many("v", 60).toSorted());
    },
  },
  {
    name: "append() keeps bytes, nulls and headers as they are",
    async run(world) {
      const topic = await world.topic();
      const all = Uint8Array.from({ length: 256 }, (_, n) => n);
      const headers: Headers = [
        ["twice", all.subarray(0, 4)],
        ["twice", all.subarray(4, 9)],
        ["empty", new Uint8Array()],
        ["none", null],
        ["constructor", all.subarray(1, 2)],
        ["toString", all.subarray(2, 3)],
        ["valueOf", null],
        ["hasOwnProperty", all],
      ];
      await world.append(topic, [
        { partition: 0, key: all, value: all.toReversed(), headers },
        { partition: 0, key: null, value: null },
        { partition: 0, key: "", value: "" },
        { partition: 0, value: "\u00e4\u{1f600}", key: "\u00fc", headers: [] },
        { partition: 0, value: "a\0b", key: "\0" },
        { partition: 0, value: "half of a pair: \ud83d", key: "\ude00" },
      ]);
      const expected = { bytes: [...all], headers: plain(headers) };
      // The records are written: the caller may use its buffers again.
      all.fill(0);
      const records = await read(world, topic, 6);
      const utf8 = (text: string) => [...new TextEncoder().encode(text)];
      const keys = [expected.bytes, null, [], utf8("\u00fc"), [0], utf8("\ufffd")];
      assert.deepEqual(records.map(({ key }) => bytes(key)), keys);
      const texts = ["\u00e4\u{1f600}", "a\0b", "half of a pair: \ufffd"].map(utf8);
      assert.deepEqual(records.map(({ value }) => bytes(value)), [expected.bytes.toReversed(), null, [], ...texts]);
      assert.deepEqual(plain(records[0]!.headers), expected.headers);
      assert.deepEqual(records.slice(1).map((record) => record.headers.length), [0, 0, 0, 0, 0]);
    },
  },
  {
    name: "append() states when a record was written",
    async run(world) {
      const topic = await world.topic();
      const before = Date.now();
      await world.append(topic, ["v"]);
      const [record] = await read(world, topic, 1);
      assert.ok(record!.timestampMs >= before - 1000 && record!.timestampMs <= Date.now() + 1000);
    },
  },
  {
    name: "append() to a topic that does not exist is not written, and other topics go on",
    async run(world) {
      const good = await world.topic();
      const missing = world.name("missing");
      const [refused, positions] = await Promise.all([
        world.broker.append(missing, [{ value: "a" }, { value: "b" }]),
        world.append(good, ["v"]),
      ]);
      assert.equal(refused.length, 2);
      for (const outcome of refused) assertRefused(outcome, UnknownTopicError, `"${missing}"`);
      assert.deepEqual(positions, [{ topic: good, partition: 0, offset: 0 }]);
    },
  },
  {
    name: "append() refuses a record that is too large, stating size and limit, and writes the others",
    async run(world) {
      const topic = await world.topic(1, { "max.message.bytes": "2000" });
      const values = [...many("a", 20), "x".repeat(5000), ...many("b", 20)];
      const outcomes = await world.broker.append(topic, values.map((value) => ({ value, partition: 0 })));
      assert.equal(outcomes.filter((outcome) => outcome.ok).length, 40);
      assertRefused(outcomes[20]!, RecordTooLargeError, "2000");
      assert.match((outcomes[20] as { error: Error }).error.message, /\b5\d{3}\b/);
      const records = await read(world, topic, 40);
      assert.deepEqual(records.map(({ value }) => text(value)), [...many("a", 20), ...many("b", 20)]);
    },
  },
  {
    name: "append() writes many small records that are together larger than one record may be",
    async run(world) {
      const topic = await world.topic(1, { "max.message.bytes": "2000" });
      const values = many("x".repeat(200), 100);
      await world.append(topic, values);
      const records = await read(world, topic, 100);
      assert.deepEqual(records.map(({ value }) => text(value)), values);
    },
  },
  {
    name: "append() refuses a partition that does not exist, and writes the others",
    async run(world) {
      const topic = await world.topic(2);
      const outcomes = await world.broker.append(topic, [
        { partition: 0, value: "a" },
        { partition: 2, value: "b" },
        { partition: 1, value: "c" },
      ]);
      assert.deepEqual(outcomes.map((outcome) => outcome.ok), [true, false, true]);
      assertRefused(outcomes[1]!, Error, topic);
    },
  },
  {
    name: "append() of no records returns no outcomes",
    async run(world) {
      assert.deepEqual(await world.broker.append(await world.topic(), []), []);
    },
  },
  {
    name: "append() to a broker that was disposed of settles",
    async run(world) {
      const topic = await world.topic();
      const broker = world.open();
      await broker.append(topic, [{ value: "a" }]);
      await broker[Symbol.asyncDispose]();
      const [outcome] = await broker.append(topic, [{ value: "b" }]);
      assert.equal(outcome!.ok, false);
      const [end] = await world.broker.admin.ends(topic);
      assert.deepEqual(end, { partition: 0, low: 0, high: 1 });
    },
  },
];

async function read(world: World, topic: string, count: number): Promise<StoredRecord[]> {
  const reader = await world.consume({ topics: [topic] });
  await reader.received(count);
  assert.equal(reader.recorder.received.length, count);
  return reader.recorder.received.map(({ record }) => record);
}

function assertRefused(outcome: AppendOutcome, ErrorClass: new () => Error, part: string): void {
  assert.ok(!outcome.ok, "Expected the record to be refused");
  assert.equal(outcome.written, "no");
  assert.ok(outcome.error instanceof ErrorClass, String(outcome.error));
  assert.ok(outcome.error.message.includes(part), outcome.error.message);
}

function text(data: StoredRecord["value"]): string | null {
  return data === null ? null : Buffer.from(data).toString();
}

function bytes(data: StoredRecord["value"]): number[] | null {
  return data === null ? null : [...Buffer.from(data)];
}

function plain(headers: Headers): unknown[] {
  return headers.map(([name, value]) => [name, value && [...value]]);
}
