/**
 * Cases about commits: their metadata, that they never move a group back, and the last marks before partitions move.
 */
import assert from "node:assert/strict";
import type { Ownership } from "../../../src/broker/broker.ts";
import type { Case } from "./case.ts";
import type { Recorder } from "./recorder.ts";
import { many, type Member } from "./world.ts";

/** The cases. */
export const commits: readonly Case[] = [
  {
    name: "commit() carries metadata, as long as the broker allows, byte for byte",
    async run(world) {
      const topic = await world.topic(3);
      const { maxCommitMetadataLength } = world.harness.capabilities;
      const metadata = ["", 'a b,"c"\\{1-2}\n~', "x".repeat(maxCommitMetadataLength)];
      const first = await world.consume({ topics: [topic] });
      await Promise.all([0, 1, 2].map((partition) => world.append(topic, ["v"], partition)));
      await first.received(3);
      const marks = metadata.map((text, at) => ({ ownership: first.own(at), next: 1, metadata: text }));
      assert.deepEqual(await first.commit(...marks), ["committed", "committed", "committed"]);
      for (const [at, text] of metadata.entries()) {
        assert.deepEqual(await world.committed(first.group, topic, at), { offset: 1, metadata: text });
      }
      await first.close();
      const second = await world.consume({ topics: [topic], group: first.group });
      await second.recorder.until("all partitions came", () => second.recorder.owned().length === 3);
      for (const [at, text] of metadata.entries()) {
        assert.deepEqual({ ...second.own(at).committed }, { offset: 1, metadata: text });
      }
    },
  },
  {
    name: "commit() of the same offset replaces the metadata",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 3));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(3);
      const ownership = reader.own();
      for (const metadata of ["1", "2"]) {
        assert.deepEqual(await reader.commit({ ownership, next: 2, metadata }), ["committed"]);
        assert.deepEqual(await world.committed(reader.group, topic), { offset: 2, metadata });
      }
    },
  },
  {
    name: "commit() never moves the group back",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 5));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(5);
      const ownership = reader.own();
      assert.deepEqual(await reader.commit({ ownership, next: 4, metadata: "4" }), ["committed"]);
      const [outcome] = await reader.consumer.commit([{ ownership, next: 2, metadata: "2" }]);
      assert.notEqual(outcome, "committed");
      assert.deepEqual(await world.committed(reader.group, topic), { offset: 4, metadata: "4" });
    },
  },
  {
    name: "commit() does not change the partitions that it does not name",
    async run(world) {
      const topic = await world.topic(2);
      await world.append(topic, ["v"], 0);
      const reader = await world.consume({ topics: [topic] });
      await reader.received(1);
      assert.deepEqual(await reader.commit({ ownership: reader.own(0), next: 1, metadata: "" }), ["committed"]);
      assert.deepEqual(await world.broker.admin.committed(reader.group, topic), [
        { partition: 0, offset: 1, metadata: "" },
        { partition: 1, offset: null, metadata: "" },
      ]);
    },
  },
  {
    name: "commit() of no marks returns no outcomes",
    async run(world) {
      const reader = await world.consume({ topics: [await world.topic()] });
      assert.deepEqual(await reader.consumer.commit([]), []);
    },
  },
  {
    name: "the marks that releasing() returns are committed before partitions move",
    async run(world) {
      const topic = await world.topic(2);
      for (const partition of [0, 1]) await world.append(topic, many("a", 5), partition);
      const one = await world.consume({ topics: [topic] });
      await one.received(10);
      // It takes an earlier commit for some adapters to be able to send the last one.
      const first = [0, 1].map((partition) => ({ ownership: one.own(partition), next: 1, metadata: "" }));
      assert.deepEqual(await one.commit(...first), ["committed", "committed"]);
      one.recorder.lastMarks = (owned) => owned.map((ownership) => ({ ownership, next: 4, metadata: "last" }));
      const two = await world.consume({ topics: [topic], group: one.group });
      await two.recorder.until("a partition came", () => two.recorder.owned().length === 1);
      await one.recorder.until("one was lost", () => one.recorder.losses.length === 1);
      const [moved] = two.recorder.live.keys();
      assert.deepEqual({ ...moved!.committed }, { offset: 4, metadata: "last" });
      await two.received(1);
      assert.deepEqual(two.recorder.values(), ["a4"]);
      const [kept] = one.recorder.live.keys();
      // The proof comes after the loss: the last marks are the member's own.
      await one.recorder.until("the other went on", () => one.recorder.assignments.at(-1)!.continued.includes(kept!));
      assert.deepEqual(await world.committed(one.group, topic, kept!.partition), { offset: 4, metadata: "last" });
    },
  },
  {
    name: "a group never falls back and loses nothing while members come and go",
    async run(world) {
      const topic = await world.topic(2);
      const group = world.name("group");
      const fellBack: string[] = [];
      const highest = [0, 0];
      const look = async () => {
        for (const { partition, offset } of await world.broker.admin.committed(group, topic)) {
          const now = offset ?? 0;
          if (now < highest[partition]!) fellBack.push(`${partition}: ${highest[partition]} → ${now}`);
          highest[partition] = Math.max(highest[partition]!, now);
        }
      };
      const members: Member[] = [];
      const join = async () => {
        const member: Member = world.start({ topics: [topic], group, prepare: commitAsItComes(() => member) });
        members.push(member);
        await member.consumer.joined;
        return member;
      };
      await join();
      let count = 0;
      for (let round = 0; round < 3; round++) {
        const guest = await join();
        for (let n = 0; n < 10; n++, count++) {
          for (const partition of [0, 1]) await world.append(topic, [`${partition}-${count}`], partition);
          await look();
        }
        await guest.close();
        await look();
      }
      const stayed = members[0]!;
      const { recorder } = stayed;
      await recorder.until("it owned everything again, to the end", () => {
        return [...recorder.live.values()].filter((next) => next === count).length === 2;
      });
      const last = [...recorder.live.keys()].map((ownership) => ({ ownership, next: count, metadata: "last" }));
      assert.deepEqual(await stayed.commit(...last), ["committed", "committed"]);
      await look();
      assert.deepEqual(highest, [count, count]);
      assert.deepEqual(fellBack, []);
      const values = new Set(members.flatMap(({ recorder }) => recorder.values()));
      assert.equal(values.size, 2 * count);
    },
  },
];

/** Commits each batch at once, and again when partitions may move. A refused mark is not sent again. */
function commitAsItComes(member: () => Member): (recorder: Recorder) => void {
  return (recorder) => {
    const mark = (ownership: Ownership, next: number) => ({ ownership, next, metadata: `up to ${next}` });
    recorder.onRecords = (ownership, { next }) => {
      void member().consumer.commit([mark(ownership, next)]);
    };
    recorder.lastMarks = (owned) =>
      owned.flatMap((ownership) => {
        const next = recorder.live.get(ownership) ?? null;
        return next === null ? [] : [mark(ownership, next)];
      });
  };
}
