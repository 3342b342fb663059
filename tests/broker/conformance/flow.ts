/** Cases about pausing and resuming. */
import assert from "node:assert/strict";
import type { Ownership } from "../../../src/broker/broker.ts";
import type { Case } from "./case.ts";
import { many, type Member, type World } from "./world.ts";

/** The cases. */
export const flow: readonly Case[] = [
  {
    name: "a partition that is paused while its records are delivered gets no more until it is resumed",
    async run(world) {
      const topic = await world.topic(2);
      const reader = await pausing(world, topic);
      await world.append(topic, ["a0"], 0);
      await reader.received(1, 0);
      await world.append(topic, many("a", 3, 1), 0);
      await awaitOtherPartition(world, topic, reader);
      assert.deepEqual(reader.recorder.values(0), ["a0"]);
      reader.recorder.onRecords = () => {};
      reader.resume(reader.own(0));
      await reader.received(4, 0);
      assert.deepEqual(reader.recorder.values(0), many("a", 4));
    },
  },
  {
    name: "pause() and resume() twice are the same as once",
    async run(world) {
      const topic = await world.topic(2);
      const reader = await world.consume({ topics: [topic] });
      const ownership = reader.own({ topic, partition: 0 });
      reader.resume(ownership);
      reader.pause(ownership);
      reader.pause(ownership);
      await world.append(topic, many("a", 2), 0);
      await awaitOtherPartition(world, topic, reader);
      assert.deepEqual(reader.recorder.values(0), []);
      reader.resume(ownership);
      reader.resume(ownership);
      await reader.received(2, 0);
      assert.deepEqual(reader.recorder.values(0), many("a", 2));
    },
  },
  {
    name: "a partition with a long backlog that is paused and resumed continues at the same place",
    async run(world) {
      const topic = await world.topic();
      for (let from = 0; from < 500; from += 50) await world.append(topic, many("a", 50, from));
      let pauses = 0;
      const reader = await world.consume({
        topics: [topic],
        maxFetchBytes: 200,
        prepare: (recorder) =>
          recorder.onRecords = (ownership) => {
            pauses++;
            reader.consumer.pause(ownership);
            queueMicrotask(() => reader.consumer.resume(ownership));
          },
      });
      await reader.received(500);
      assert.deepEqual(reader.recorder.values(), many("a", 500));
      assert.ok(pauses > 5);
    },
  },
  {
    name: "a continued ownership stays paused over a rebalance",
    async run(world) {
      const topic = await world.topic(4);
      const one = await world.consume({ topics: [topic] });
      await one.recorder.until("all partitions came", () => one.recorder.owned().length === 4);
      for (const ownership of one.recorder.live.keys()) one.pause(ownership);
      const two = await world.consume({ topics: [topic], group: one.group });
      await one.recorder.until(
        "the group had rebalanced",
        () => one.recorder.losses.length === 2 && one.recorder.assignments.at(-1)!.continued.length === 2,
      );
      const [paused, resumed] = [...one.recorder.live.keys()] as [Ownership, Ownership];
      one.resume(resumed);
      for (const { partition } of [paused, resumed]) await world.append(topic, many("a", 2), partition);
      await one.received(2, resumed.partition);
      assert.deepEqual(one.recorder.values(paused.partition), []);
      one.resume(paused);
      await one.received(2, paused.partition);
      await two.close();
    },
  },
  {
    name: "pause() and resume() of an ended ownership do nothing, also to its successor",
    needs: ["commitAs"],
    async run(world) {
      const topic = await world.topic();
      const reader = await world.consume({ topics: [topic] });
      const ended = reader.own();
      await world.harness.commitAs!(reader.group, { topic, partition: 0, offset: 0 }, "theirs");
      await reader.recorder.until(
        "the partition was owned again",
        () => ended.lost.aborted && reader.recorder.live.size === 1,
      );
      reader.pause(ended);
      await world.append(topic, ["a"]);
      await reader.received(1);
      const paused = reader.own();
      reader.pause(paused);
      reader.resume(ended);
      assert.deepEqual(reader.recorder.values(), ["a"]);
    },
  },
];

/** Starts a consumer that pauses partition 0 whenever it gets records of it. */
async function pausing(world: World, topic: string): Promise<Member> {
  let pause: (ownership: Ownership) => void = () => {};
  const reader = await world.consume({
    topics: [topic],
    prepare: (recorder) =>
      recorder.onRecords = (ownership) => {
        if (ownership.partition === 0) pause(ownership);
      },
  });
  pause = (ownership) => reader.consumer.pause(ownership);
  return reader;
}

/** Waits for two deliveries of partition 1: by then, records of partition 0 would have been delivered, too. */
async function awaitOtherPartition(world: World, topic: string, reader: Member): Promise<void> {
  for (let round = 0; round < 2; round++) {
    const count = reader.recorder.values(1).length;
    await world.append(topic, ["n"], 1);
    await reader.received(count + 1, 1);
  }
}
