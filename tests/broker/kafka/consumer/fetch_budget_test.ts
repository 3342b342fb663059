/** The limit of fetched data that waits: nothing more is fetched, and a stalled partition gives its data back. */
import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { AbortedFilter } from "../../../../src/broker/kafka/batch/aborted_filter.ts";
import { FetchedPartition } from "../../../../src/broker/kafka/consumer/fetched_partition.ts";
import { FetchBudget, STALLED_MS } from "../../../../src/broker/kafka/consumer/fetch_budget.ts";

/** A paused partition at offset 50, with data that waits from offset 20 on. */
function holding(partition: number, bytes: number, takenMs: number): FetchedPartition {
  const at = new FetchedPartition({ topic: "t", partition }, 50, "id");
  at.isPaused = true;
  at.takenMs = takenMs;
  at.waiting.push({
    open: null,
    data: Buffer.alloc(bytes),
    from: 20,
    aborted: new AbortedFilter([]),
    highWatermark: 60,
  });
  return at;
}

Deno.test("FetchBudget is used up while so many bytes wait, and not once they are taken", () => {
  const nowMs = performance.now();
  const [a, b] = [holding(0, 60, nowMs), holding(1, 39, nowMs)];
  const room = new FetchBudget([a, b], 100);
  assertEquals([room.check(), room.isFull], [true, false]);
  b.waiting.push({ ...b.waiting[0]!, data: Buffer.alloc(1) });
  assertEquals([room.check(), room.isFull], [false, true]);
  assertEquals([a.position, a.version], [50, 0]);
  b.waiting.shift();
  assertEquals([room.check(), room.isFull], [true, false]);
});

Deno.test("FetchBudget takes back what a stalled partition holds, for those that go on", () => {
  const nowMs = performance.now();
  const [stalled, active, unpacking] = [
    holding(0, 60, nowMs - STALLED_MS - 1),
    holding(1, 30, nowMs),
    holding(2, 30, nowMs - STALLED_MS - 1),
  ];
  unpacking.parts = Promise.withResolvers();
  const room = new FetchBudget([stalled, active, unpacking], 100);
  assertEquals(room.check(), true);
  assertEquals([stalled.waiting.length, stalled.position, stalled.version], [0, 20, 1]);
  assertEquals([active.waiting.length, unpacking.waiting.length], [1, 1]);
});
