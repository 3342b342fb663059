/** The queue of a partition and the memory budget of the worker: when fetching pauses, and when it goes on. */
import { assert, assertEquals } from "@std/assert";
import type { Ownership } from "../../../src/broker/broker.ts";
import { MemoryBudget } from "../../../src/worker/memory_budget.ts";
import { toQueuedRecord } from "../../../src/worker/partition/queued_record.ts";
import { RecordQueue } from "../../../src/worker/partition/record_queue.ts";
import { recordOf } from "../../support/worker.ts";

/** A partition's queue, and the calls of its consumer. */
function setUp(memoryBudget: MemoryBudget, maxRecords: number, maxBytes = Infinity) {
  const calls: string[] = [];
  const consumer = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
  const queue = new RecordQueue({ ownership: {} as Ownership, consumer, memoryBudget, maxRecords, maxBytes });
  let offset = 0;
  const push = (bytes: number) => {
    const value = new Uint8Array(bytes);
    queue.push(toQueuedRecord(recordOf(value, { offset: offset++ }), offset));
    queue.pauseIfFull();
  };
  return { queue, calls, push };
}

Deno.test("RecordQueue pauses its partition when too many records wait, and resumes it below that", () => {
  const { queue, calls, push } = setUp(new MemoryBudget(1e9), 4);
  for (let count = 0; count < 6; count++) push(1);
  assertEquals(calls, ["pause"]);
  const offsets: number[] = [];
  for (const expected of [[], [], ["resume"], ["resume"], ["resume"], ["resume"]]) {
    offsets.push(queue.first.offset);
    queue.shift();
    assertEquals(calls.slice(1), expected);
  }
  assertEquals([offsets, queue.length], [[0, 1, 2, 3, 4, 5], 0]);
});

Deno.test("RecordQueue pauses its partition when the waiting records are too large, and resumes it below that", () => {
  const { queue, calls, push } = setUp(new MemoryBudget(1e9), 100, 10);
  for (const bytes of [6, 3, 1, 6]) push(bytes);
  assertEquals(calls, ["pause"]);
  queue.shift();
  assertEquals(calls, ["pause"], "3 + 1 + 6 bytes are enough");
  queue.shift();
  assertEquals(calls, ["pause", "resume"]);
  queue.clear();
  push(9);
  assertEquals(calls, ["pause", "resume"], "nothing is left of the records that were cleared");
});

Deno.test("RecordQueue pauses when the budget of the worker is spent, and resumes when any partition frees some", () => {
  const budget = new MemoryBudget(100);
  const [full, other] = [setUp(budget, 1000), setUp(budget, 1000)];
  for (let count = 0; count < 3; count++) full.push(40);
  for (let count = 0; count < 2; count++) other.push(0);
  assertEquals([full.calls, other.calls, budget.isFull], [["pause"], ["pause"], true]);
  other.queue.shift();
  assertEquals(other.calls, ["pause"], "there is no space yet");
  full.queue.shift();
  assertEquals([full.calls, other.calls, budget.isFull], [["pause", "resume"], ["pause", "resume"], false]);
});

Deno.test("RecordQueue without records is fetched from, also if stuck partitions have spent the budget", () => {
  const budget = new MemoryBudget(100);
  const [stuck, other] = [setUp(budget, 1000), setUp(budget, 1000)];
  for (let count = 0; count < 3; count++) stuck.push(40);
  for (let count = 0; count < 2; count++) {
    other.push(40);
    other.queue.shift();
  }
  other.queue.pauseIfFull();
  assertEquals([stuck.calls, other.calls, budget.isFull], [["pause"], ["pause", "resume", "pause", "resume"], true]);
});

Deno.test("clear() returns the bytes of all waiting records to the budget", () => {
  const budget = new MemoryBudget(100);
  const [lost, other] = [setUp(budget, 1000), setUp(budget, 1000)];
  for (let count = 0; count < 3; count++) lost.push(40);
  lost.queue.shift();
  lost.push(40);
  other.push(0);
  lost.queue.clear();
  assertEquals([lost.queue.length, budget.isFull, other.calls], [0, false, ["pause", "resume"]]);
  for (let count = 0; count < 2; count++) other.push(49);
  assertEquals(budget.isFull, false, "lost records do not count any longer");
});

Deno.test("RecordQueue's memory follows the number of waiting records, also while a backlog lasts", () => {
  const { queue } = setUp(new MemoryBudget(1e9), 1000);
  const record = toQueuedRecord(recordOf("x"), 1);
  const heapMb = () => Deno.memoryUsage().heapUsed / 1e6;
  queue.push(record);
  const beforeMb = heapMb();
  // Two million slots of a pointer each would take 16 MB.
  for (let passed = 0; passed < 2_000_000; passed++) {
    queue.push(record);
    queue.shift();
  }
  assert(heapMb() - beforeMb < 10, `${heapMb() - beforeMb} MB more`);
  assertEquals(queue.length, 1);
});
