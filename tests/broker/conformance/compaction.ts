/** Cases about topics that are compacted by key. */
import assert from "node:assert/strict";
import type { NewRecord } from "../../../src/broker/broker.ts";
import { RecordRefusedError } from "../../../src/errors.ts";
import type { Case } from "./case.ts";
import { readAll, text } from "./reading.ts";
import type { World } from "./world.ts";

/** A broker that compacts in its own time does so soon. */
const COMPACTED = {
  "cleanup.policy": "compact",
  "segment.ms": "100",
  "min.cleanable.dirty.ratio": "0.01",
  "max.compaction.lag.ms": "100",
};

/** The key of the records that only make a broker compact what comes before them. */
const TICK = "tick";
const MINUTE_MS = 60_000;

/** The cases. */
export const compaction: readonly Case[] = [
  {
    name: "describe() returns the cleanup policy that a topic was created with",
    async run(world) {
      const [compacted, other] = [await world.topic(1, COMPACTED), await world.topic()];
      const described = await world.broker.admin.describe([compacted, other]);
      assert.equal(described.get(compacted)!.config.get("cleanup.policy"), "compact");
      assert.notEqual(described.get(other)!.config.get("cleanup.policy") ?? "delete", "compact");
    },
  },
  {
    name: "append() to a compacted topic refuses a record without a key, and no other one",
    async run(world) {
      const topic = await world.topic(2, COMPACTED);
      // The leader of a new topic may not know it yet, which a broker cannot tell from a record that was written.
      await world.append(topic, [0, 1].map((partition) => ({ key: "first", value: "0", partition })));
      const records: NewRecord[] = [
        { key: "a", value: "1", partition: 0 },
        { key: null, value: "2", partition: 0 },
        { value: "3", partition: 1 },
        { key: "", value: "4", partition: 0 },
      ];
      const outcomes = await world.broker.append(topic, records);
      assert.deepEqual(outcomes.map(({ ok }) => ok), [true, false, false, true]);
      for (const outcome of [outcomes[1]!, outcomes[2]!]) {
        assert.ok(!outcome.ok && outcome.error instanceof RecordRefusedError, outcome.ok ? "" : String(outcome.error));
        assert.equal(outcome.written, "no");
      }
      const pages = await readAll(world, topic, { from: 0, maxBytes: 100_000 });
      assert.deepEqual(pages.flatMap(({ records }) => records.map(({ value }) => text(value))), ["0", "1", "4"]);
    },
  },
  {
    name: "a later record of a key removes the earlier ones: of the same bytes, in the same partition",
    async run(world) {
      const topic = await world.topic(2, COMPACTED);
      const bytes = (...data: number[]) => new Uint8Array(data);
      await world.append(topic, [
        { key: "a", value: "a1", partition: 0 },
        { key: "é", value: "é1", partition: 0 },
        { key: bytes(0xff), value: "ff1", partition: 0 },
        { key: "a", value: "other partition", partition: 1 },
        { key: "", value: "empty1", partition: 0 },
        { key: bytes(0x61), value: "a2", partition: 0 },
        { key: bytes(0xc3, 0xa9), value: "é2", partition: 0 },
        { key: bytes(0xfe), value: "fe1", partition: 0 },
        { key: "\ufffd", value: "replacement1", partition: 0 },
        { key: "a\0b", value: "nul1", partition: 0 },
        { key: bytes(), value: "empty2", partition: 0 },
        { key: "\ufeffa", value: "bom1", partition: 0 },
      ]);
      const left = ["ff1", "a2", "é2", "fe1", "replacement1", "nul1", "empty2", "bom1"];
      await untilCompacted(world, topic, left);
      const [other] = await readAll(world, topic, { from: 0, maxBytes: 1 });
      assert.equal(other!.low, 0);
      assert.deepEqual(await valuesOf(world, topic, 1), ["other partition"]);
    },
  },
  {
    name: "a tombstone removes the earlier records of its key, and is read like a record",
    async run(world) {
      const topic = await world.topic(1, COMPACTED);
      await world.append(topic, [
        { key: "a", value: "a1", partition: 0 },
        { key: "b", value: "b1", partition: 0 },
        { key: "a", value: null, partition: 0 },
      ]);
      await untilCompacted(world, topic, ["b1", null]);
      await world.append(topic, [{ key: "a", value: "a2", partition: 0 }]);
      await untilCompacted(world, topic, ["b1", "a2"]);
    },
  },
  {
    name: "a consumer reads over the gaps of compaction, and nothing is reported as expired",
    async run(world) {
      const topic = await world.topic(1, COMPACTED);
      const early = await world.consume({ topics: [topic] });
      await world.append(topic, keyed("a1", "b1", "c1"));
      await early.received(3);
      assert.deepEqual(await early.commit({ ownership: early.own(), next: 1, metadata: "" }), ["committed"]);
      await early.close();
      await world.append(topic, keyed("a2", "b2"));
      await untilCompacted(world, topic, ["c1", "a2", "b2"]);
      const [end] = await world.broker.admin.ends(topic);
      assert.equal(end!.low, 0);
      // From the start of the log, and from a position in a gap.
      for (const group of [world.name("group"), early.group]) {
        const reader = await world.consume({ topics: [topic], group });
        await reader.recorder.until("the end was reached", () => reader.recorder.live.get(reader.own()) === end!.high);
        const received = reader.recorder.received.filter(({ record }) => text(record.key) !== TICK);
        assert.deepEqual(received.map(({ record }) => text(record.value)), ["c1", "a2", "b2"]);
        assert.deepEqual(reader.recorder.gaps, []);
        assert.deepEqual(await reader.commit({ ownership: reader.own(), next: end!.high, metadata: "" }), [
          "committed",
        ]);
        await reader.close();
      }
    },
  },
  {
    name: "read() continues behind the gaps of compaction, also from inside of one and with small steps",
    async run(world) {
      const topic = await world.topic(1, COMPACTED);
      await world.append(topic, keyed("a1", "b1", "c1", "d1", "a2", "b2", "c2"));
      await world.append(topic, keyed("a3"));
      await untilCompacted(world, topic, ["d1", "b2", "c2", "a3"]);
      for (const from of [0, 2, 3, 4, 5]) {
        for (const maxBytes of [1, 100_000]) {
          const pages = await readAll(world, topic, { from, maxBytes });
          const expected = [[3, "d1"], [5, "b2"], [6, "c2"], [7, "a3"]].filter(([offset]) => offset as number >= from);
          const records = pages.flatMap(({ records }) => records).filter(({ key }) => text(key) !== TICK);
          assert.deepEqual(records.map(({ offset, value }) => [offset, text(value)]), expected);
          assert.equal(pages.at(-1)!.next, pages.at(-1)!.high);
        }
      }
    },
  },
  {
    name: "a tombstone stays until each live owner has received it, and goes then; its offset is not used again",
    needs: ["ageRecords"],
    async run(world) {
      const topic = await world.topic(1, COMPACTED);
      const [one, two] = [await world.consume({ topics: [topic] }), await world.consume({ topics: [topic] })];
      await world.append(topic, keyed("a1", "b1"));
      await one.received(2);
      await two.received(2);
      two.pause(two.own());
      await world.append(topic, [{ key: "a", value: null, partition: 0 }]);
      await one.received(3);
      // Whatever removes tombstones has had its turn once later ones are received too.
      await world.append(topic, keyed("c1"));
      await one.received(4);
      assert.deepEqual(await valuesOf(world, topic), ["b1", null, "c1"]);
      two.resume(two.own());
      await two.received(4);
      assert.deepEqual(two.recorder.values(), ["a1", "b1", null, "c1"]);
      await two.close();
      await untilValues(world, topic, ["b1", "c1"]);
      await world.append(topic, [{ key: "c", value: null, partition: 0 }]);
      await untilValues(world, topic, ["b1"]);
      assert.deepEqual((await world.append(topic, keyed("d1")))[0]!.offset, 5);
      assert.deepEqual(one.recorder.gaps, []);
    },
  },
  {
    name: "a tombstone that an owner has not received stays, however old it is",
    needs: ["ageRecords"],
    async run(world) {
      const topic = await world.topic(1, COMPACTED);
      const reader = await world.consume({ topics: [topic] });
      await world.append(topic, keyed("a1"));
      await reader.received(1);
      reader.pause(reader.own());
      await world.append(topic, [{ key: "a", value: null, partition: 0 }]);
      await world.harness.ageRecords!({ topic, partition: 0 }, 100 * MINUTE_MS);
      for (let n = 0; n < 5; n++) await world.append(topic, keyed("b1"));
      assert.deepEqual(await valuesOf(world, topic), [null, "b1"]);
      reader.resume(reader.own());
      await reader.recorder.until("it came", () => reader.recorder.values().includes(null));
    },
  },
  {
    name: "a tombstone stays for an hour where no consumer owns the partition",
    needs: ["ageRecords"],
    async run(world) {
      const topic = await world.topic(1, COMPACTED);
      await world.append(topic, [...keyed("a1"), { key: "a", value: null, partition: 0 }, ...keyed("b1")]);
      await world.harness.ageRecords!({ topic, partition: 0 }, 59 * MINUTE_MS);
      await world.append(topic, keyed("c1"));
      assert.deepEqual(await valuesOf(world, topic), [null, "b1", "c1"]);
      await world.harness.ageRecords!({ topic, partition: 0 }, 2 * MINUTE_MS);
      await world.append(topic, keyed("d1"));
      assert.deepEqual(await valuesOf(world, topic), ["b1", "c1", "d1"]);
    },
  },
];

/** Returns records of partition 0: the key is the first letter of the value. */
function keyed(...values: readonly string[]): NewRecord[] {
  return values.map((value) => ({ key: value[0]!, value, partition: 0 }));
}

/** The values of a partition, in order. */
async function valuesOf(world: World, topic: string, partition = 0): Promise<(string | null)[]> {
  const { records } = await world.broker.admin.read(topic, partition, { from: 0, maxBytes: 100_000 });
  return records.filter(({ key }) => text(key) !== TICK).map(({ value }) => text(value));
}

/** Waits until the records of partition 0 have these values. */
async function untilValues(
  world: World,
  topic: string,
  expected: readonly (string | null)[],
  beforeEachLook: () => Promise<unknown> = () => Promise.resolve(),
): Promise<void> {
  let values: (string | null)[] = [];
  const areThere = async () => {
    await beforeEachLook();
    values = await valuesOf(world, topic);
    return JSON.stringify(values) === JSON.stringify(expected);
  };
  await world.eventually("the topic was compacted", areThere).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(values)}`);
  });
}

/** The same, with a broker that compacts only what lies before a later record. */
async function untilCompacted(world: World, topic: string, expected: readonly (string | null)[]): Promise<void> {
  await untilValues(world, topic, expected, () => world.append(topic, [{ key: TICK, value: "", partition: 0 }]));
}
