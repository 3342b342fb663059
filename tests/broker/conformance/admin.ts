/** Cases about the administration: topics, ends, committed offsets, and skipping while a consumer lives. */
import assert from "node:assert/strict";
import { UnknownTopicError } from "../../../src/errors.ts";
import { formatPartition } from "../../../src/support/position.ts";
import type { Case } from "./case.ts";
import { many } from "./world.ts";
import { passAll, passOver } from "../../support/skip.ts";
import { until } from "../../support/until.ts";

/** The cases. */
export const admin: readonly Case[] = [
  {
    name: "connect() resolves once the broker responds",
    async run(world) {
      await world.open().connect();
      await world.open().connect(new AbortController().signal);
    },
  },
  {
    name: "describe() returns partitions and config, and null for a topic that does not exist",
    async run(world) {
      const topic = await world.topic(3, { "max.message.bytes": "2000", "retention.ms": "3600000" });
      const missing = world.name("missing");
      const described = await world.broker.admin.describe([topic, missing]);
      assert.deepEqual([...described.keys()].sort(), [topic, missing].sort());
      assert.equal(described.get(missing), null);
      const { partitions, config } = described.get(topic)!;
      assert.equal(partitions, 3);
      assert.equal(config.get("max.message.bytes"), "2000");
      assert.equal(config.get("retention.ms"), "3600000");
    },
  },
  {
    name: "create() leaves an existing topic as it is, and creates the others",
    async run(world) {
      const topic = await world.topic(2);
      await world.append(topic, ["a"]);
      const other = world.name();
      await world.broker.admin.create([{ name: topic, partitions: 5 }, { name: other, partitions: 1 }]);
      const described = await world.broker.admin.describe([topic, other]);
      assert.deepEqual([described.get(topic)?.partitions, described.get(other)?.partitions], [2, 1]);
      assert.equal((await world.broker.admin.ends(topic))[0]!.high, 1);
    },
  },
  {
    name: "create() without a number of partitions takes the broker's default",
    async run(world) {
      const topic = world.name();
      await world.broker.admin.create([{ name: topic }]);
      const { partitions } = (await world.broker.admin.describe([topic])).get(topic)!;
      assert.ok(partitions >= 1);
      await world.append(topic, ["a"]);
    },
  },
  {
    name: "addPartitions() takes the new total, only upwards, and only of an existing topic",
    async run(world) {
      const topic = await world.topic(2);
      await world.broker.admin.addPartitions(topic, 3);
      assert.equal((await world.broker.admin.describe([topic])).get(topic)?.partitions, 3);
      await assert.rejects(world.broker.admin.addPartitions(topic, 2), (error) => String(error).includes(topic));
      await assert.rejects(world.broker.admin.addPartitions(world.name("missing"), 2), UnknownTopicError);
    },
  },
  {
    name: "a live consumer gets the partitions that are added to a topic, and their records",
    async run(world) {
      const topic = await world.topic(1);
      const reader = await world.consume({ topics: [topic] });
      await reader.recorder.until("the partition came", () => reader.recorder.owned().length === 1);
      const kept = reader.own(0);
      await world.broker.admin.addPartitions(topic, 3);
      await world.append(topic, ["b"], 2);
      await reader.received(1);
      assert.deepEqual(reader.recorder.owned(), [0, 1, 2]);
      assert.ok(reader.recorder.live.has(kept), "Expected the first ownership to be continued");
    },
  },
  {
    name: "ends() returns the low and high offset of each partition, and rejects for a topic that does not exist",
    async run(world) {
      const topic = await world.topic(2);
      await world.append(topic, many("a", 4), 1);
      const ends = [...await world.broker.admin.ends(topic)].sort((a, b) => a.partition - b.partition);
      assert.deepEqual(ends, [{ partition: 0, low: 0, high: 0 }, { partition: 1, low: 0, high: 4 }]);
      await assert.rejects(world.broker.admin.ends(world.name("missing")), UnknownTopicError);
    },
  },
  {
    name: "committed() of a group that never existed is null for each partition",
    async run(world) {
      const topic = await world.topic(2);
      assert.deepEqual(await world.broker.admin.committed(world.name("group"), topic), [
        { partition: 0, offset: null, metadata: "" },
        { partition: 1, offset: null, metadata: "" },
      ]);
    },
  },
  {
    name: "groups() lists the groups that have committed an offset of a topic, and no others",
    async run(world) {
      const [topic, other] = [await world.topic(2), await world.topic(1)];
      await world.append(topic, many("a", 2), 1);
      await world.append(other, ["a"]);
      const [first, second] = [world.name("group-1"), world.name("group-2")];
      await world.broker.admin.seek(second, [{ topic, partition: 1, offset: 1 }]);
      await world.broker.admin.seek(first, [{ topic, partition: 1, offset: 2 }, {
        topic: other,
        partition: 0,
        offset: 0,
      }]);
      // A group that was only asked for does not exist, and a live one may not have committed.
      await world.broker.admin.committed(world.name("group-3"), topic);
      const reader = await world.consume({ topics: [topic], group: world.name("group-4") });
      await reader.received(2);
      const missing = world.name("missing");
      const expected = { [topic]: [first, second].sort(), [other]: [first], [missing]: [] };
      let found: Record<string, readonly string[]> = {};
      // A search has a limit of time, which a busy broker with the groups of other tests may exceed.
      await until(async () => {
        found = Object.fromEntries(await world.broker.admin.groups([topic, other, missing]));
        const others = Object.entries(found).filter(([name, names]) =>
          names.some((one) => !expected[name]!.includes(one))
        );
        assert.deepEqual(others, []);
        return JSON.stringify(found) === JSON.stringify(expected);
      }, () => `the groups are ${JSON.stringify(found)}`);
    },
  },
  {
    name: "listEnds() returns the ends of many topics at once, and null for a topic that does not exist",
    async run(world) {
      const topics = [await world.topic(2), await world.topic(1)];
      await world.append(topics[0]!, many("a", 4), 1);
      await world.append(topics[1]!, ["b"]);
      const missing = world.name("missing");
      const listed = await world.broker.admin.listEnds([...topics, missing]);
      assert.deepEqual(Object.fromEntries(listed), {
        [topics[0]!]: {
          partitions: [
            { partition: 0, low: 0, high: 0, problem: null },
            { partition: 1, low: 0, high: 4, problem: null },
          ],
          problem: null,
        },
        [topics[1]!]: { partitions: [{ partition: 0, low: 0, high: 1, problem: null }], problem: null },
        [missing]: null,
      });
      assert.deepEqual(Object.fromEntries(await world.broker.admin.listEnds([])), {});
    },
  },
  {
    name: "listHeads() returns the first record from each position on, or the end, and null for a missing partition",
    async run(world) {
      const topics = [await world.topic(3), await world.topic(1)];
      await world.append(topics[0]!, many("a", 4), 1);
      await world.append(topics[0]!, many("b", 4), 2);
      await world.append(topics[1]!, ["large".repeat(2000), "b"]);
      const { records } = await world.broker.admin.read(topics[0]!, 1, { from: 2, maxBytes: 1 });
      const { timestampMs } = records[0]!;
      const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset });
      const positions = [
        at(topics[0]!, 1, 2),
        at(topics[0]!, 2, 4),
        at(topics[0]!, 0, 0),
        at(topics[1]!, 0, 0),
        at(topics[0]!, 3, 0),
        at(world.name("missing"), 0, 0),
      ];
      const heads = await world.broker.admin.listHeads(positions);
      assert.deepEqual(heads.map((head) => head?.offset), [2, 4, 0, 0, undefined, undefined]);
      assert.deepEqual(heads.slice(0, 3).map((head) => head!.timestampMs), [timestampMs, null, null]);
      assert.ok(heads[3]!.timestampMs! > 0, "Expected the time of the large record");
      assert.deepEqual(await world.broker.admin.listHeads([]), []);
      const aborted = AbortSignal.abort(new Error("enough"));
      await assert.rejects(world.broker.admin.listHeads(positions, aborted), /enough/);
    },
  },
  {
    name: "listCommitted() returns the commits of many topics at once, and null for a topic that does not exist",
    async run(world) {
      const topics = [await world.topic(2), await world.topic(1)];
      await world.append(topics[0]!, many("a", 4), 1);
      const reader = await world.consume({ topics: [topics[0]!] });
      await reader.received(4);
      await reader.commit({ ownership: reader.own(1), next: 3, metadata: "so far" });
      const missing = world.name("missing");
      const listed = await world.broker.admin.listCommitted(reader.group, [...topics, missing]);
      assert.deepEqual(Object.fromEntries(listed), {
        [topics[0]!]: [
          { partition: 0, offset: null, metadata: "" },
          { partition: 1, offset: 3, metadata: "so far" },
        ],
        [topics[1]!]: [{ partition: 0, offset: null, metadata: "" }],
        [missing]: null,
      });
      assert.deepEqual(Object.fromEntries(await world.broker.admin.listCommitted(world.name("group"), [topics[1]!])), {
        [topics[1]!]: [{ partition: 0, offset: null, metadata: "" }],
      });
    },
  },
  {
    name: "members() lists the live members of a group with their topics and partitions, and none of other groups",
    async run(world) {
      const [topic, other] = [await world.topic(2), await world.topic(1)];
      const group = world.name("group");
      assert.deepEqual(await world.broker.admin.members(group), []);
      const first = await world.consume({ topics: [topic], group });
      await world.consume({ topics: [topic] });
      const second = await world.consume({ topics: [topic, other], group });
      const owned = async () =>
        (await world.broker.admin.members(group)).flatMap(({ partitions }) => partitions.map(formatPartition)).sort();
      const all = [`${topic}/0`, `${topic}/1`, `${other}/0`].sort().join();
      await world.eventually("all partitions are owned", async () => (await owned()).join() === all);
      const members = await world.broker.admin.members(group);
      assert.deepEqual(
        members.map(({ topics }) => topics?.toSorted().join()).sort(),
        [
          topic,
          [topic, other].sort().join(),
        ].sort(),
      );
      assert.equal(new Set(members.map(({ id }) => id)).size, 2);
      for (const member of [first, second]) await member.consumer.close(1000);
      await world.eventually("none is left", async () => (await world.broker.admin.members(group)).length === 0);
    },
  },
  {
    name: "seek() moves a group without members, also backwards, and refuses a group with members",
    async run(world) {
      const topic = await world.topic(2);
      await world.append(topic, many("a", 5));
      const group = world.name("group");
      await world.broker.admin.seek(group, [{ topic, partition: 0, offset: 4 }, { topic, partition: 1, offset: 0 }]);
      await world.broker.admin.seek(group, [{ topic, partition: 0, offset: 3 }]);
      const reader = await world.consume({ topics: [topic], group });
      await reader.received(2);
      assert.deepEqual(reader.recorder.values(), many("a", 2, 3));
      await assert.rejects(world.broker.admin.seek(group, [{ topic, partition: 0, offset: 0 }]));
      assert.equal((await world.committed(group, topic)).offset, 3);
    },
  },
  {
    name: "skip() moves a group without members past one record",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 3));
      const group = world.name("group");
      await world.broker.skip(group, { topic, partition: 0, offset: 0 }, passOver(0));
      assert.equal((await world.committed(group, topic)).offset, 1);
      const reader = await world.consume({ topics: [topic], group });
      await reader.received(2);
      assert.deepEqual(reader.recorder.values(), many("a", 2, 1));
    },
  },
  {
    name: "skip() while a consumer lives ends its ownership; a new one starts behind the record",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 4));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(4);
      const stuck = reader.own();
      assert.deepEqual(await reader.commit({ ownership: stuck, next: 1, metadata: "stuck" }), ["committed"]);
      await world.open().skip(reader.group, { topic, partition: 0, offset: 1 }, passOver(1));
      await reader.recorder.until(
        "the partition was owned again",
        () => stuck.lost.aborted && reader.recorder.live.size === 1,
      );
      assert.equal(reader.own().committed?.offset, 2);
      await reader.received(6);
      assert.deepEqual(reader.recorder.values(), [...many("a", 4), ...many("a", 2, 2)]);
      assert.deepEqual(await reader.commit({ ownership: stuck, next: 1, metadata: "stuck" }), ["ended"]);
      assert.deepEqual(await reader.commit({ ownership: reader.own(), next: 4, metadata: "" }), ["committed"]);
    },
  },
  {
    name: "skip() never moves the group behind the last marks of the owner",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 4));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(4);
      const owned = reader.own();
      assert.deepEqual(await reader.commit({ ownership: owned, next: 1, metadata: "" }), ["committed"]);
      reader.recorder.lastMarks = (ownerships) => ownerships.map((ownership) => ({ ownership, next: 4, metadata: "" }));
      // The record may have been passed before the skip: then it is refused.
      await Promise.allSettled([world.open().skip(reader.group, { topic, partition: 0, offset: 1 }, passOver(1))]);
      await world.eventually(
        "its last marks were written",
        async () => (await world.committed(reader.group, topic)).offset === 4,
      );
      await reader.recorder.until("the partition is owned", () => reader.recorder.live.size === 1);
      await world.append(topic, ["a4"]);
      await reader.recorder.until("the next one came", () => reader.recorder.values().at(-1) === "a4");
      assert.deepEqual(reader.recorder.values(), many("a", 5));
    },
  },
  {
    name: "skip() beside a live owner keeps the owner's last marks and its own metadata",
    async run(world) {
      const topic = await world.topic(2);
      await world.append(topic, many("a", 4));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(4);
      const owned = reader.own(0);
      assert.deepEqual(await reader.commit({ ownership: owned, next: 1, metadata: "1" }), ["committed"]);
      // Finished, but not committed yet.
      reader.recorder.lastMarks = (ownerships) =>
        ownerships.flatMap((ownership) => ownership === owned ? [{ ownership, next: 2, metadata: "2" }] : []);
      const seen: string[] = [];
      await world.open().skip(reader.group, { topic, partition: 0, offset: 3 }, ({ offset, metadata }) => {
        seen.push(metadata);
        return { offset, metadata: `${metadata}, and 3` };
      });
      assert.equal(seen.at(-1), "2");
      await reader.recorder.until(
        "the partition was owned again",
        () => owned.lost.aborted && reader.recorder.owned().length === 2,
      );
      assert.deepEqual({ ...reader.own(0).committed }, { offset: 2, metadata: "2, and 3" });
      assert.deepEqual(await world.committed(reader.group, topic), { offset: 2, metadata: "2, and 3" });
      assert.deepEqual(await reader.commit({ ownership: owned, next: 2, metadata: "late" }), ["ended"]);
    },
  },
  {
    name: "skip() refuses a record that the group has not come to, unless forced: the records before it would be lost",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 4));
      const group = world.name("group");
      for (const at of [null, 1]) {
        if (at !== null) await world.broker.admin.seek(group, [{ topic, partition: 0, offset: at }]);
        await assert.rejects(
          world.broker.skip(group, { topic, partition: 0, offset: 2 }, passOver(2)),
          (error) => String(error).includes(`is at offset ${at ?? 0},`),
        );
        assert.equal((await world.committed(group, topic)).offset, at);
      }
      await world.broker.skip(group, { topic, partition: 0, offset: 2 }, passAll);
      assert.equal((await world.committed(group, topic)).offset, 3);
    },
  },
  {
    name: "skip() refuses a record that is not there, also if forced: the one that comes there would be lost",
    async run(world) {
      const topic = await world.topic();
      const group = world.name("group");
      await world.append(topic, ["a"]);
      for (const offset of [1, 99]) {
        await assert.rejects(
          world.broker.skip(group, { topic, partition: 0, offset }, passAll),
          (error) => String(error).includes(`Cannot skip ${topic}/0@${offset}: the partition ends at 1`),
        );
      }
      assert.equal((await world.committed(group, topic)).offset, null);
    },
  },
  {
    name: "skip() refuses a record that the group has passed, and never moves the group back",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 4));
      const group = world.name("group");
      await world.broker.admin.seek(group, [{ topic, partition: 0, offset: 3 }]);
      await assert.rejects(
        world.broker.skip(group, { topic, partition: 0, offset: 1 }, passOver(1)),
        (error) => String(error).includes(topic),
      );
      assert.equal((await world.committed(group, topic)).offset, 3);
    },
  },
];
