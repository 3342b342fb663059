/** Cases about groups: their start, their independence, and the sharing of partitions. */
import assert from "node:assert/strict";
import type { Case } from "./case.ts";
import { many } from "./world.ts";

/** The cases. */
export const groups: readonly Case[] = [
  {
    name: "a new group starts at the beginning of the log",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 3));
      const reader = await world.consume({ topics: [topic] });
      assert.equal(reader.own().committed, null);
      await reader.received(3);
      await world.append(topic, many("a", 2, 3));
      await reader.received(5);
      assert.deepEqual(reader.recorder.values(), many("a", 5));
    },
  },
  {
    name: "two groups each get everything, and neither sees the other's commits",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 3));
      const [one, other] = [await world.consume({ topics: [topic] }), await world.consume({ topics: [topic] })];
      await one.received(3);
      await other.received(3);
      assert.deepEqual(await one.commit({ ownership: one.own(), next: 3, metadata: "" }), ["committed"]);
      assert.equal((await world.committed(one.group, topic)).offset, 3);
      assert.equal((await world.committed(other.group, topic)).offset, null);
    },
  },
  {
    name: "a group continues at its committed offset, and records that were not committed come again",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 5));
      const first = await world.consume({ topics: [topic] });
      await first.received(5);
      assert.deepEqual(await first.commit({ ownership: first.own(), next: 2, metadata: "m" }), ["committed"]);
      await first.close();
      const second = await world.consume({ topics: [topic], group: first.group });
      assert.deepEqual({ ...second.own().committed }, { offset: 2, metadata: "m" });
      await second.received(3);
      assert.deepEqual(second.recorder.values(), many("a", 3, 2));
    },
  },
  {
    name: "a consumer reads several topics, each partition in order",
    async run(world) {
      const topics = [await world.topic(2), await world.topic(1)];
      for (const topic of topics) await world.append(topic, many(`${topic} `, 10));
      const reader = await world.consume({ topics });
      await reader.received(20);
      for (const topic of topics) {
        const of = reader.recorder.received.filter(({ ownership }) => ownership.topic === topic);
        assert.deepEqual(of.map(({ record }) => record.offset), Array.from({ length: 10 }, (_, n) => n));
      }
    },
  },
  {
    name: "no batch is larger than the consumer asked for",
    async run(world) {
      const topic = await world.topic();
      // One by one: records that were appended together may also come together.
      for (const name of many("a", 30)) await world.append(topic, [name.padEnd(10_000)]);
      const reader = await world.consume({ topics: [topic], maxFetchBytes: 50_000 });
      await reader.received(30);
      assert.equal(reader.recorder.received.length, 30);
      for (const { bytes } of reader.recorder.batches) assert.ok(bytes <= 50_000, `${bytes} bytes came at once`);
    },
  },
  {
    name: "a record that is larger than the consumer asked for comes nevertheless",
    async run(world) {
      const topic = await world.topic();
      for (const value of ["a", "b".repeat(30_000), "c"]) await world.append(topic, [value]);
      const reader = await world.consume({ topics: [topic], maxFetchBytes: 10_000 });
      await reader.received(3);
      assert.deepEqual(reader.recorder.values().map((value) => value![0]), ["a", "b", "c"]);
    },
  },
  {
    name: "two consumers of a group share the partitions: each has one owner, each record comes once",
    async run(world) {
      const topic = await world.topic(4);
      const one = await world.consume({ topics: [topic] });
      const two = await world.consume({ topics: [topic], group: one.group });
      await two.recorder.until("two partitions came", () => two.recorder.owned().length === 2);
      await one.recorder.until("two partitions stayed", () => one.recorder.owned().length === 2);
      assert.deepEqual([...one.recorder.owned(), ...two.recorder.owned()].sort(), [0, 1, 2, 3]);
      for (const partition of [0, 1, 2, 3]) await world.append(topic, many(`p${partition} `, 5), partition);
      await Promise.all([one.received(10), two.received(10)]);
      const all = [...one.recorder.values(), ...two.recorder.values()];
      assert.equal(all.length, 20);
      assert.equal(new Set(all).size, 20);
    },
  },
  {
    name: "a topic that only some members consume is read by these, and a common one by all",
    async run(world) {
      const [a, b] = [await world.topic(2), await world.topic(2)];
      const old = await world.consume({ topics: [a] });
      const deployed = await world.consume({ topics: [a, b], group: old.group });
      await deployed.recorder.until("both partitions of b came", () => deployed.recorder.owned(b).length === 2);
      await world.append(b, ["b0"], 0);
      await world.append(b, ["b1"], 1);
      await world.append(a, ["a0"], 0);
      await world.append(a, ["a1"], 1);
      await deployed.recorder.until("b was read", () => {
        const values = deployed.recorder.values();
        return values.includes("b0") && values.includes("b1");
      });
      const both = () => [...old.recorder.values(), ...deployed.recorder.values()];
      await world.eventually("a was read", () => Promise.resolve(both().length >= 4));
      assert.deepEqual(both().toSorted(), ["a0", "a1", "b0", "b1"]);
    },
  },
];
