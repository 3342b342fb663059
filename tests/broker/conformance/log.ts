/** Cases about changes of the log: deleted records, offsets without a record, topics that are created again. */
import assert from "node:assert/strict";
import type { Case } from "./case.ts";
import { many } from "./world.ts";

/** The cases. */
export const log: readonly Case[] = [
  {
    name:
      "records that were deleted while no consumer was open are reported as a range, and reading continues after it",
    needs: ["deleteRecords"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 60));
      const first = await world.consume({ topics: [topic] });
      await first.received(60);
      assert.deepEqual(await first.commit({ ownership: first.own(), next: 10, metadata: "" }), ["committed"]);
      await first.close();
      await world.harness.deleteRecords!({ topic, partition: 0, offset: 50 });
      const second = await world.consume({ topics: [topic], group: first.group });
      await second.received(10);
      assert.deepEqual(second.recorder.gaps.map(({ from, to }) => [from, to]), [[10, 50]]);
      assert.deepEqual(second.recorder.values(), many("a", 10, 50));
    },
  },
  {
    name: "records that were deleted while the partition was paused are reported as a range",
    needs: ["deleteRecords"],
    async run(world) {
      for (let attempt = 1;; attempt++) {
        const topic = await world.topic();
        const reader = await world.consume({ topics: [topic] });
        await world.append(topic, many("a", 5));
        await reader.received(5);
        const ownership = reader.own();
        reader.pause(ownership);
        // The first one ends a fetch that was under way when it was paused: the others are seldom fetched.
        await world.append(topic, many("a", 1, 5));
        await world.append(topic, many("a", 44, 6));
        await world.harness.deleteRecords!({ topic, partition: 0, offset: 50 });
        await world.append(topic, many("a", 5, 50));
        reader.resume(ownership);
        await reader.recorder.until("the last one came", () => reader.recorder.values().at(-1) === "a54");
        const [gap] = reader.recorder.gaps;
        if (gap === undefined && attempt < 5) continue;
        assert.equal(reader.recorder.gaps.length, 1);
        assert.equal(gap!.to, 50);
        assert.deepEqual(reader.recorder.values(), [...many("a", gap!.from), ...many("a", 5, 50)]);
        assert.deepEqual(await reader.commit({ ownership, next: 55, metadata: "" }), ["committed"]);
        return;
      }
    },
  },
  {
    name: "a new group starts at the first record that is left, and nothing is reported as expired",
    needs: ["deleteRecords"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 10));
      await world.harness.deleteRecords!({ topic, partition: 0, offset: 7 });
      const [end] = await world.broker.admin.ends(topic);
      assert.deepEqual(end, { partition: 0, low: 7, high: 10 });
      const reader = await world.consume({ topics: [topic] });
      await reader.received(3);
      assert.deepEqual(reader.recorder.values(), many("a", 3, 7));
      assert.deepEqual(reader.recorder.gaps, []);
    },
  },
  {
    name: "a topic that is created again ends the ownership as recreated, and is read from its start",
    needs: ["recreateTopic"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("old", 10));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(10);
      const old = reader.own();
      assert.deepEqual(await reader.commit({ ownership: old, next: 10, metadata: "old" }), ["committed"]);
      await world.harness.recreateTopic!(topic, 1);
      await world.append(topic, many("new", 3));
      await reader.received(13);
      assert.deepEqual(reader.recorder.losses.map(({ ownership, reason }) => [ownership, reason]), [[
        old,
        "recreated",
      ]]);
      assert.deepEqual(reader.recorder.values().slice(10), many("new", 3));
      assert.deepEqual(await reader.commit({ ownership: old, next: 11, metadata: "old" }), ["ended"]);
      assert.deepEqual(await reader.commit({ ownership: reader.own(), next: 2, metadata: "new" }), ["committed"]);
      assert.deepEqual(await world.committed(reader.group, topic), { offset: 2, metadata: "new" });
    },
  },
  {
    name: "a topic that is created again ends the ownership also if nothing was committed",
    needs: ["recreateTopic"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("old", 10));
      const reader = await world.consume({ topics: [topic] });
      await reader.received(10);
      const old = reader.own();
      await world.harness.recreateTopic!(topic, 1);
      await world.append(topic, many("new", 3));
      await reader.received(13);
      assert.deepEqual(reader.recorder.losses.map(({ ownership, reason }) => [ownership, reason]), [[
        old,
        "recreated",
      ]]);
      assert.deepEqual(reader.recorder.values().slice(10), many("new", 3));
    },
  },
  {
    name: "the next offset of a batch lies beyond offsets without a record, also at the end of the log",
    needs: ["appendControl"],
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 2));
      await world.harness.appendControl!({ topic, partition: 0 });
      await world.append(topic, many("a", 2, 2));
      await world.harness.appendControl!({ topic, partition: 0 });
      const [end] = await world.broker.admin.ends(topic);
      assert.ok(end!.high > 5);
      const reader = await world.consume({ topics: [topic] });
      await reader.recorder.until("the end was reached", () => [...reader.recorder.live.values()].includes(end!.high));
      assert.deepEqual(reader.recorder.values(), many("a", 4));
      assert.deepEqual(await reader.commit({ ownership: reader.own(), next: end!.high, metadata: "" }), ["committed"]);
    },
  },
];
