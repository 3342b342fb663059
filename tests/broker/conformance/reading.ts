/** Cases about reading a place of a log, without a group. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { LogPage, NewRecord, ReadOptions, StoredRecord } from "../../../src/broker/broker.ts";
import { BrokerError, UnknownTopicError } from "../../../src/errors.ts";
import type { Case } from "./case.ts";
import { many, type World } from "./world.ts";

/** Enough for every record of a case. */
const MAX_BYTES = 256 * 1024;

/** The cases. */
export const reading: readonly Case[] = [
  {
    name: "read() returns the records from an offset on, and the ends of the log",
    async run(world) {
      const topic = await world.topic(2);
      await world.append(topic, many("a", 5), 1);
      const { records, ...ends } = await readOnce(world, topic, { from: 2 }, 1);
      assert.deepEqual(ends, { next: 5, low: 0, high: 5, lastStable: 5 });
      assert.deepEqual(records.map(({ offset, value }) => [offset, text(value)]), [[2, "a2"], [3, "a3"], [4, "a4"]]);
      assert.deepEqual(await readOnce(world, topic, { from: 0 }), {
        ...{ records: [], next: 0, low: 0, high: 0, lastStable: 0 },
      });
    },
  },
  {
    name: "read() returns keys, values, headers and times as a consumer gets them",
    async run(world) {
      const topic = await world.topic();
      const notUtf8 = new Uint8Array([0xff, 0, 0xc3]);
      const large = new Uint8Array(100_000).fill(0xfe);
      await world.append(topic, [
        { key: "k", value: "v", headers: [["a", new Uint8Array([1])], ["a", null], ["é", notUtf8]], partition: 0 },
        { key: notUtf8, value: notUtf8, partition: 0 },
        { key: null, value: null, partition: 0 },
        { key: "", value: "", partition: 0 },
        { key: large, value: large, partition: 0 },
      ]);
      const reader = await world.consume({ topics: [topic] });
      await reader.received(5);
      const { records } = await readOnce(world, topic, { from: 0 });
      assert.deepEqual(records.map(plain), reader.recorder.received.map(({ record }) => plain(record)));
      assert.deepEqual(records.map(({ value }) => value === null), [false, false, true, false, false]);
      assert.deepEqual(records.map(({ key }) => key === null), [false, false, true, false, false]);
    },
  },
  {
    name: "read() in small steps comes to each record once, also to one that is larger than a step",
    async run(world) {
      const topic = await world.topic();
      const values = many("a", 30).map((value, n) => n % 10 === 5 ? value + "x".repeat(50_000) : value);
      // Several appends: a step of a Kafka is at least a batch.
      for (let from = 0; from < 30; from += 5) await world.append(topic, values.slice(from, from + 5));
      for (const maxBytes of [1, 300, MAX_BYTES]) {
        const pages = await readAll(world, topic, { from: 0, maxBytes });
        assert.deepEqual(pages.flatMap(({ records }) => records.map(({ value }) => text(value))), values);
        assert.ok(pages.every(({ records }) => records.length > 0), `Expected a record in each step of ${maxBytes}`);
        assert.equal(pages.at(-1)!.next, 30);
        if (maxBytes === 1) assert.ok(pages.length >= 6, `${pages.length} steps`);
      }
    },
  },
  {
    name: "read() from the end of the log on returns no records, and never a position before it",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 3));
      for (const from of [3, 4, 1000]) {
        const expected = { records: [], next: from, low: 0, high: 3, lastStable: 3 };
        assert.deepEqual(await readOnce(world, topic, { from }), expected);
      }
    },
  },
  {
    name: "read() stops at the offset that is given, also inside of a batch, and continues there",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 5));
      await world.append(topic, many("b", 5));
      for (const [from, to] of [[1, 3], [3, 7], [7, 10], [4, 4]] as const) {
        const { records, next, high } = await readOnce(world, topic, { from, to });
        const wanted = Array.from({ length: to - from }, (_, n) => from + n);
        assert.deepEqual([records.map(({ offset }) => offset), next, high], [wanted, to, 10]);
      }
    },
  },
  {
    name: "read() from below the first record that is left starts there",
    needs: ["deleteRecords"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 4));
      await world.append(topic, many("a", 4, 4));
      await world.harness.deleteRecords!({ topic, partition: 0, offset: 6 });
      for (const from of [-1, 0, 5, 6]) {
        const { records, ...ends } = await readOnce(world, topic, { from });
        assert.deepEqual(records.map(({ value }) => text(value)), ["a6", "a7"], `from ${from}`);
        assert.deepEqual(ends, { next: 8, low: 6, high: 8, lastStable: 8 });
      }
      await world.harness.deleteRecords!({ topic, partition: 0, offset: 8 });
      for (const from of [0, 8]) {
        assert.deepEqual(await readOnce(world, topic, { from }), {
          ...{ records: [], next: 8, low: 8, high: 8, lastStable: 8 },
        });
      }
    },
  },
  {
    name: "read() leaves out offsets without a record, and continues behind them",
    needs: ["appendControl"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 2));
      await world.harness.appendControl!({ topic, partition: 0 });
      const [second] = await world.append(topic, many("a", 2, 2));
      await world.harness.appendControl!({ topic, partition: 0 });
      const { high } = (await world.broker.admin.ends(topic))[0]!;
      for (const maxBytes of [1, MAX_BYTES]) {
        const pages = await readAll(world, topic, { from: 0, maxBytes });
        assert.deepEqual(pages.flatMap(({ records }) => records.map(({ value }) => text(value))), many("a", 4));
        assert.deepEqual([pages.at(-1)!.next, pages.at(-1)!.lastStable, pages.at(-1)!.high], [high, high, high]);
      }
      // From inside of a gap.
      const { records } = await readOnce(world, topic, { from: 3 });
      assert.equal(records[0]?.offset, second!.offset);
      assert.equal((await readOnce(world, topic, { from: second!.offset + 3 })).next, high);
    },
  },
  {
    name: "read() without values keeps keys, headers and times, and distinguishes a tombstone from a record",
    async run(world) {
      const topic = await world.topic();
      const header = new Uint8Array([1, 0xff]);
      await world.append(topic, [
        { key: "a", value: "x".repeat(1000), headers: [["h", header]], partition: 0 },
        { key: "b", value: null, headers: [["h", header]], partition: 0 },
        { key: "c", value: "", partition: 0 },
        { key: "d", value: new Uint8Array([0xff]), partition: 0 },
      ]);
      const whole = (await readOnce(world, topic, { from: 0 })).records;
      const { records, ...ends } = await readOnce(world, topic, { from: 0, values: false });
      assert.deepEqual(records.map(({ value }) => value), ["", null, "", ""]);
      assert.deepEqual(
        records.map((record) => ({ ...plain(record), value: 0 })),
        whole.map((record) => ({ ...plain(record), value: 0 })),
      );
      assert.deepEqual(ends, { next: 4, low: 0, high: 4, lastStable: 4 });
    },
  },
  {
    name: "read() makes no group, and takes nothing from a consumer",
    async run(world) {
      const topic = await world.topic();
      const reader = await world.consume({ topics: [topic] });
      await world.append(topic, many("a", 3));
      await readAll(world, topic, { from: 0, maxBytes: MAX_BYTES });
      await reader.received(3);
      await world.append(topic, many("a", 3, 3));
      await reader.received(6);
      assert.deepEqual(reader.recorder.values(), many("a", 6));
      assert.equal(reader.recorder.assignments.length, 1);
      assert.deepEqual((await world.broker.admin.groups([topic])).get(topic), []);
    },
  },
  {
    name: "read() rejects for a topic or a partition that does not exist, and for a broker that was disposed of",
    async run(world) {
      const topic = await world.topic(2);
      const { admin } = world.broker;
      const options = { from: 0, maxBytes: MAX_BYTES };
      const missing = world.name("missing");
      await assert.rejects(admin.read(missing, 0, options), (error) => error instanceof UnknownTopicError);
      const isUnknownPartition = (error: Error) =>
        error instanceof BrokerError && error.message.includes("2 partitions");
      for (const partition of [2, -1]) await assert.rejects(admin.read(topic, partition, options), isUnknownPartition);
      // It may be created, or get the partition, the moment after.
      await world.broker.admin.create([{ name: missing, partitions: 1 }]);
      await world.broker.admin.addPartitions(topic, 3);
      assert.deepEqual((await admin.read(missing, 0, options)).records, []);
      assert.deepEqual((await admin.read(topic, 2, options)).records, []);
      await world.broker[Symbol.asyncDispose]();
      await assert.rejects(admin.read(topic, 0, options), (error) => error instanceof BrokerError);
    },
  },
  {
    name: "read() rejects with the reason of its signal",
    async run(world) {
      const topic = await world.topic();
      const reason = new Error("enough");
      const options = { from: 0, maxBytes: MAX_BYTES, signal: AbortSignal.abort(reason) };
      await assert.rejects(world.open().admin.read(topic, 0, options), (error) => error === reason);
      const { signal } = new AbortController();
      assert.equal((await world.broker.admin.read(topic, 0, { ...options, signal })).next, 0);
    },
  },
  {
    name: "read() of a topic that was created again reads the new one",
    needs: ["recreateTopic"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("old", 3));
      assert.equal((await readOnce(world, topic, { from: 0 })).next, 3);
      await world.harness.recreateTopic!(topic, 1);
      await world.append(topic, ["new"]);
      const { records, next } = await readOnce(world, topic, { from: 0 });
      assert.deepEqual([records.map(({ value }) => text(value)), next], [["new"], 1]);
    },
  },
];

/** Reads once. */
export function readOnce(
  { broker }: World,
  topic: string,
  options: Omit<ReadOptions, "maxBytes">,
  partition = 0,
): Promise<LogPage> {
  return broker.admin.read(topic, partition, { maxBytes: MAX_BYTES, ...options });
}

/** Reads up to the end. */
export async function readAll({ broker }: World, topic: string, options: ReadOptions): Promise<LogPage[]> {
  const pages: LogPage[] = [];
  for (let { from } = options;;) {
    const page = await broker.admin.read(topic, 0, { ...options, from });
    assert.ok(page.next > from || page.next >= page.lastStable, `Expected to come further than ${from}`);
    pages.push(page);
    if (page.next >= page.lastStable) return pages;
    from = page.next;
  }
}

/** A key or value as a string. */
export function text(data: NewRecord["value"]): string | null {
  return data === null ? null : Buffer.from(data).toString();
}

function plain({ offset, key, value, headers, timestampMs }: StoredRecord) {
  return {
    offset,
    key: hex(key),
    value: hex(value),
    headers: headers.map(([name, data]) => [name, hex(data)]),
    timestampMs,
  };
}

function hex(data: NewRecord["value"]): string | null {
  return data === null ? null : Buffer.from(data).toString("hex");
}
