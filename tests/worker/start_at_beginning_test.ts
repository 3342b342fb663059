/** The report of a group without offsets that starts on a log which is not empty. */
import { assertEquals } from "@std/assert";
import type { Ownership, PartitionEnds } from "../../src/broker/broker.ts";
import type { EventMap } from "../../src/monitor/events.ts";
import { LINES } from "../../src/monitor/log_lines.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { emitStartAtBeginning } from "../../src/worker/start_at_beginning.ts";

type StartEvent = EventMap["group.started_at_beginning"];

const ENDS: Readonly<Record<string, PartitionEnds[]>> = {
  full: [{ partition: 0, low: 0, high: 7 }, { partition: 1, low: 20, high: 25 }],
  empty: [{ partition: 0, low: 9, high: 9 }],
};

async function eventsOf(...owned: readonly [topic: string, partition: number, committed: number | null][]) {
  const monitor = new Monitor();
  const events: StartEvent[] = [];
  monitor.on("group.started_at_beginning", (event) => void events.push(event));
  const ownerships = owned.map(([topic, partition, offset]) => {
    const committed = offset === null ? null : { offset, metadata: "" };
    return { topic, partition, committed } as Ownership;
  });
  const admin = {
    ends: (topic: string) => topic in ENDS ? Promise.resolve(ENDS[topic]!) : Promise.reject(new Error("away")),
  };
  await emitStartAtBeginning(admin, monitor, "shop", ownerships);
  return events;
}

Deno.test("emitStartAtBeginning() names the partitions that have records and no commit, in one event", async () => {
  const events = await eventsOf(["full", 0, null], ["full", 1, null], ["empty", 0, null]);
  assertEquals(events.map(({ group, partitions }) => ({ group, partitions })), [{
    group: "shop",
    partitions: [
      { topic: "full", partition: 0, offset: 0, records: 7 },
      { topic: "full", partition: 1, offset: 20, records: 5 },
    ],
  }]);
  assertEquals(
    LINES["group.started_at_beginning"].message(events[0]!),
    "Group shop has no offsets for full/0@0, full/1@20: up to 12 records are performed from the beginning of the log, " +
      "also those that were performed before the group was deleted or its offsets expired",
  );
});

Deno.test("emitStartAtBeginning() says nothing of an empty log, a commit, or a broker that does not respond", async () => {
  assertEquals(await eventsOf(["full", 0, 0], ["full", 1, 21], ["empty", 0, null], ["unknown", 0, null]), []);
  assertEquals(await eventsOf(), []);
});
