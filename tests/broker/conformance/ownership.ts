/** Cases about ownership: its start, its end, and that a commit of an ended ownership is not written. */
import assert from "node:assert/strict";
import type { Case } from "./case.ts";
import { many, type Member, type World } from "./world.ts";

/** The cases. */
export const ownership: readonly Case[] = [
  {
    name: "a member that joins takes some ownerships away; the others are continued",
    async run(world) {
      const { topic, one, two } = await sharing(world);
      const [before] = one.recorder.assignments;
      assert.equal(before!.added.length, 4);
      assert.deepEqual(one.recorder.losses.map(({ reason }) => reason), ["revoked", "revoked"]);
      // releasing() is not checked: it is a hint, and a member of Kafka that rejoins with stale metadata does not call
      // it.
      const { added, continued } = one.recorder.assignments.at(-1)!;
      assert.deepEqual(added, []);
      assert.equal(continued.length, 2);
      for (const kept of continued) {
        assert.ok(before!.added.includes(kept), "Expected the very same object");
        assert.ok(!kept.lost.aborted);
      }
      const moved = one.recorder.losses.map(({ ownership }) => ownership.partition).sort();
      assert.deepEqual(two.recorder.owned(topic), moved);
      const ids = [...before!.added, ...two.recorder.live.keys()].map(({ id }) => id);
      assert.equal(new Set(ids).size, 6);
    },
  },
  {
    name: "a member that leaves gives its partitions back as new ownerships",
    async run(world) {
      const { topic, one, two } = await sharing(world);
      const lost = one.recorder.losses.map(({ ownership }) => ownership);
      const kept = [...one.recorder.live.keys()];
      await two.close();
      await one.recorder.until("all partitions were back", () => one.recorder.owned(topic).length === 4);
      for (const live of one.recorder.live.keys()) assert.ok(!lost.includes(live), "Expected a new object");
      for (const ownership of kept) assert.ok(one.recorder.live.has(ownership), "Expected it to be continued");
    },
  },
  {
    name: "a continued ownership goes on: nothing comes twice, and it commits as before",
    async run(world) {
      const topic = await world.topic(2);
      const one = await world.consume({ topics: [topic] });
      for (const partition of [0, 1]) await world.append(topic, many("a", 5), partition);
      await one.received(10);
      const marks = [0, 1].map((partition) => ({ ownership: one.own(partition), next: 3, metadata: "x" }));
      assert.deepEqual(await one.commit(...marks), ["committed", "committed"]);
      const two = await world.consume({ topics: [topic], group: one.group });
      await two.recorder.until("a partition came", () => two.recorder.owned().length === 1);
      await one.recorder.until("one was lost", () => one.recorder.losses.length === 1);
      const [kept] = one.recorder.live.keys();
      await world.append(topic, many("a", 5, 5), kept!.partition);
      await one.received(10, kept!.partition);
      assert.deepEqual(one.recorder.values(kept!.partition), many("a", 10));
      assert.deepEqual(await one.commit({ ownership: kept!, next: 8, metadata: "y" }), ["committed"]);
      assert.deepEqual(await world.committed(one.group, topic, kept!.partition), { offset: 8, metadata: "y" });
    },
  },
  {
    name: "an ownership is continued although nothing was ever committed",
    async run(world) {
      const { one } = await sharing(world);
      assert.equal(one.recorder.live.size, 2);
      for (const live of one.recorder.live.keys()) assert.ok(one.recorder.assignments[0]!.added.includes(live));
    },
  },
  {
    name: "commit() with an ended ownership writes nothing; what goes on beside it is written",
    async run(world) {
      const { topic, one, two } = await sharing(world);
      const ended = one.recorder.losses[0]!.ownership;
      const [goesOn] = one.recorder.live.keys();
      const outcomes = await one.commit(
        { ownership: ended, next: 1, metadata: "late" },
        { ownership: goesOn!, next: 1, metadata: "" },
      );
      assert.deepEqual(outcomes, ["ended", "committed"]);
      assert.equal((await world.committed(one.group, topic, ended.partition)).offset, null);
      const owner = two.own(ended.partition);
      assert.deepEqual(await two.commit({ ownership: owner, next: 2, metadata: "new" }), ["committed"]);
      assert.deepEqual(await one.commit({ ownership: ended, next: 9, metadata: "late" }), ["ended"]);
      assert.deepEqual(await world.committed(one.group, topic, ended.partition), { offset: 2, metadata: "new" });
    },
  },
  {
    name: "an ownership ends when another member committed the very same offset with its own metadata",
    needs: ["commitAs"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 10));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(10);
      const mine = reader.own();
      assert.deepEqual(await reader.commit({ ownership: mine, next: 5, metadata: "mine" }), ["committed"]);
      await world.harness.commitAs!(reader.group, { topic, partition: 0, offset: 5 }, "theirs");
      await reader.recorder.until(
        "the partition was lost and owned again",
        () => reader.recorder.losses.some(({ ownership }) => ownership === mine) && reader.recorder.live.size === 1,
      );
      assert.ok(mine.lost.aborted);
      assert.equal(reader.own().committed?.offset, 5);
      await reader.received(15);
      assert.deepEqual(reader.recorder.values(), [...many("a", 10), ...many("a", 5, 5)]);
      assert.deepEqual(await reader.commit({ ownership: mine, next: 10, metadata: "mine" }), ["ended"]);
      assert.equal((await world.committed(reader.group, topic)).offset, 5);
    },
  },
  {
    name: "a consumer whose session expired loses what another took over, and joins again",
    needs: ["expire"],
    async run(world) {
      const { topic, one, two } = await sharing(world);
      const before = [...one.recorder.live.keys()];
      const moved = new Set(before.map(({ partition }) => partition));
      await world.harness.expire!(one.consumer);
      // The other member may or may not take them over before: the end is the same.
      await one.recorder.until(
        "it noticed the end of its session and joined again",
        () =>
          before.every(({ lost }) => lost.aborted) && one.recorder.isMember === true &&
          one.recorder.owned(topic).length === 2,
      );
      for (const live of one.recorder.live.keys()) assert.ok(!before.includes(live), "Expected a new object");
      await two.recorder.until("the other one owns two partitions", () => two.recorder.owned(topic).length === 2);
      const outcomes = await one.commit(...before.map((ended) => ({ ownership: ended, next: 7, metadata: "late" })));
      assert.deepEqual(outcomes, ["ended", "ended"]);
      for (const partition of moved) assert.equal((await world.committed(one.group, topic, partition)).offset, null);
    },
  },
  {
    name: "the session is valid once the group was joined, not before and not after the close",
    async run(world) {
      const topic = await world.topic();
      const reader = world.start({ topics: [topic] });
      assert.equal(reader.consumer.sessionValidUntilMs, 0);
      await reader.consumer.joined;
      await reader.recorder.until("membership was told", () => reader.recorder.isMember === true);
      assert.ok(reader.consumer.sessionValidUntilMs > performance.now());
      await reader.close();
      assert.equal(reader.consumer.sessionValidUntilMs, 0);
    },
  },
];

/** A group of two members over a topic of four partitions, two each. */
async function sharing(world: World): Promise<{ topic: string; one: Member; two: Member }> {
  const topic = await world.topic(4);
  const one = await world.consume({ topics: [topic] });
  await one.recorder.until("all partitions came", () => one.recorder.owned().length === 4);
  const two = await world.consume({ topics: [topic], group: one.group });
  await two.recorder.until("two partitions came", () => two.recorder.owned().length === 2);
  await one.recorder.until(
    "the other two are continued",
    () => one.recorder.losses.length === 2 && one.recorder.assignments.at(-1)!.continued.length === 2,
  );
  return { topic, one, two };
}
