/** Topics that change while a worker runs or is stopped: recreated, shortened, or ended by an aborted transaction. */
import { assertEquals } from "@std/assert";
import { Job } from "../../mod.ts";
import { abortTransaction, cuttableConnection, deleteBefore, recreateQueue } from "../support/behaviours/faults.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";

class NumberedJob extends Job {
  perform(_n: number) {}
}

/** Records of NumberedJob with these numbers. */
function numbered(from: number, to: number): { value: string }[] {
  return Array.from({ length: to - from }, (_, n) => ({
    value: JSON.stringify({ job_class: "NumberedJob", arguments: [from + n] }),
  }));
}

function offsets(events: readonly { readonly offset: number }[]): number[] {
  return events.map(({ offset }) => offset);
}

function span(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, n) => from + n);
}

// The new log ends before the position in the old one, at it, or beyond it.
for (const performedBefore of [40, 30, 10]) {
  behaviour(
    `B11: after ${performedBefore} jobs a topic is deleted and created again with 30 jobs: 30 are performed`,
    async (world) => {
      const process = await world.process({ jobs: [NumberedJob] });
      await world.append(numbered(0, performedBefore));
      await process.start();
      await process.untilEvents("job.performed", performedBefore);
      await world.untilCommitted(performedBefore);
      await recreateQueue(world, 1);
      await world.append(numbered(0, 30));
      const performed = await process.untilEvents("job.performed", performedBefore + 30);
      assertEquals(offsets(performed), [...span(0, performedBefore), ...span(0, 30)]);
      assertEquals(process.events("topic.recreated"), [{ topic: world.topic(), partition: 0 }]);
      await world.untilCommitted(30);
      await process.stop();
      await process.drain();
      assertEquals(process.events("job.performed").length, performedBefore + 30);
    },
  );
}

behaviour("B11: a topic is deleted and created again with 30 jobs while the worker cannot see it: 30 are performed", {
  on: ["kafka"],
  because: "while the memory log is offline, no client can append to it",
}, async (world) => {
  await using connection = cuttableConnection(world);
  const process = await world.process({ jobs: [NumberedJob], broker: connection.source });
  await world.append(numbered(0, 10));
  await process.start();
  await process.untilEvents("job.performed", 10);
  await world.untilCommitted(10);
  connection.cut();
  await recreateQueue(world, 1);
  await world.append(numbered(0, 30));
  connection.restore();
  // Its position exists in the new log, so that no fetch shows the change.
  const performed = await process.untilEvents("job.performed", 40);
  assertEquals(offsets(performed), [...span(0, 10), ...span(0, 30)]);
  assertEquals(process.events("topic.recreated"), [{ topic: world.topic(), partition: 0 }]);
  await world.untilCommitted(30);
  await process.close();
});

behaviour(
  "B12: records before offset 50 are deleted while the worker is stopped: records.expired is emitted, the rest is performed",
  async (world) => {
    const process = await world.process({ jobs: [NumberedJob] });
    await world.append(numbered(0, 10));
    await process.drain();
    await world.append(numbered(10, 100));
    await deleteBefore(world, 50);
    await process.start();
    const performed = await process.untilEvents("job.performed", 60);
    assertEquals(offsets(performed), [...span(0, 10), ...span(50, 100)]);
    assertEquals(process.events("records.expired"), [{ topic: world.topic(), partition: 0, from: 10, to: 50 }]);
    assertEquals(process.events("topic.recreated"), []);
    await world.untilCommitted(100);
  },
);

behaviour("B13: a topic ends with an aborted transaction: --once ends, and the lag is 0", async (world) => {
  const process = await world.process({ jobs: [NumberedJob] });
  await world.append(numbered(0, 5));
  await abortTransaction(world);
  const report = await process.drain();
  assertEquals(report, { unfinished: [], stuck: [] });
  assertEquals(offsets(process.events("job.performed")), span(0, 5));
  const [end] = await world.client.admin.ends(world.topic());
  // Two aborted records and their marker, or as many offsets without a record.
  assertEquals(end!.high, 8);
  assertEquals((await world.committed()).offset, end!.high);
});
