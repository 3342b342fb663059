/** Cases about closing: at any time, twice, and without a call of the sink afterwards. */
import assert from "node:assert/strict";
import type { Case } from "./case.ts";
import { many } from "./world.ts";

/** The deadline for closing, in ms. */
const DEADLINE_MS = 5000;

/** The cases. */
export const closing: readonly Case[] = [
  {
    name: "close() ends every ownership, and the sink is not called afterwards",
    async run(world) {
      const topic = await world.topic(2);
      const reader = await world.consume({ topics: [topic] });
      await reader.recorder.until("both partitions came", () => reader.recorder.owned().length === 2);
      const owned = [...reader.recorder.live.keys()];
      await reader.close();
      assert.deepEqual(reader.recorder.losses.map(({ reason }) => reason), ["closed", "closed"]);
      for (const { lost } of owned) assert.ok(lost.aborted);
      assert.deepEqual(await reader.consumer.commit([{ ownership: owned[0]!, next: 1, metadata: "" }]), ["ended"]);
      const { calls } = reader.recorder;
      const next = await world.consume({ topics: [topic], group: reader.group });
      await world.append(topic, many("a", 3));
      await next.received(3);
      assert.equal(reader.recorder.calls, calls);
    },
  },
  {
    name: "close() leaves the group, which can be moved at once",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, many("a", 5));
      const reader = await world.consume({ topics: [topic] });
      await reader.close();
      await world.broker.admin.seek(reader.group, [{ topic, partition: 0, offset: 2 }]);
      assert.equal((await world.committed(reader.group, topic)).offset, 2);
    },
  },
  {
    name: "close() during the first join ends in time, and no member is left",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, ["a"]);
      const reader = world.start({ topics: [topic] });
      const startedMs = performance.now();
      await reader.consumer.close(DEADLINE_MS);
      assert.ok(performance.now() - startedMs < DEADLINE_MS + 1000);
      await Promise.allSettled([reader.consumer.joined]);
      assert.equal(reader.recorder.live.size, 0);
      const { calls } = reader.recorder;
      const next = await world.consume({ topics: [topic], group: reader.group });
      await next.received(1);
      assert.equal(reader.recorder.calls, calls);
    },
  },
  {
    name: "close() twice, and disposing after it, are the same as once",
    async run(world) {
      const topic = await world.topic();
      const reader = await world.consume({ topics: [topic] });
      await reader.recorder.until("the partition came", () => reader.recorder.live.size === 1);
      await Promise.all([reader.close(), reader.close()]);
      await reader.consumer[Symbol.asyncDispose]();
      assert.equal(reader.recorder.losses.length, 1);
    },
  },
  {
    name: "close() can be called from within the sink",
    async run(world) {
      const topic = await world.topic();
      await world.append(topic, ["a"]);
      let closed: Promise<void> | null = null;
      const reader = world.start({
        topics: [topic],
        prepare: (recorder) => recorder.onAssigned = () => closed ??= reader.close(),
      });
      await reader.recorder.until("it was closed", () => reader.recorder.losses.length === 1);
      await closed;
      assert.deepEqual(reader.recorder.losses.map(({ reason }) => reason), ["closed"]);
      assert.deepEqual(reader.recorder.values(), []);
    },
  },
  {
    name: "a broker that is disposed of closes its consumers",
    async run(world) {
      const topic = await world.topic();
      const broker = world.open();
      const joined = await world.consume({ topics: [topic], broker });
      const joining = world.start({ topics: [topic], broker });
      await joined.recorder.until("the partition came", () => joined.recorder.live.size === 1);
      await broker[Symbol.asyncDispose]();
      assert.equal(joined.recorder.live.size, 0);
      assert.equal(joining.recorder.live.size, 0);
      await Promise.allSettled([joining.consumer.joined]);
      await broker[Symbol.asyncDispose]();
    },
  },
];
