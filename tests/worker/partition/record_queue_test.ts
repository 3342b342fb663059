/** The queue of a partition and the memory budget of the worker: when fetching pauses, and when it goes on. */
import { assert, assertEquals } from "@std/assert";
import type { Ownership } from "../../../src/broker/broker.ts";
import { MemoryBudget } from "../../../src/worker/memory_budget.ts";
import { type QueuedRecord, toQueuedRecord } from "../../../src/worker/partition/queued_record.ts";
import { RecordQueue, type RecordQueueOptions } from "../../../src/worker/partition/record_queue.ts";
import { recordOf } from "../../support/worker.ts";

/** The part of a queue's options that the tests vary. */
type Options = Partial<Pick<RecordQueueOptions, "ordering" | "maxRecords" | "maxBytes" | "fits">>;

/** A partition's queue, and the calls of its consumer. */
function setUp(memoryBudget: MemoryBudget, options: Options = {}) {
  const calls: string[] = [];
  const consumer = { pause: () => void calls.push("pause"), resume: () => void calls.push("resume") };
  const queue = new RecordQueue({
    ordering: "partition",
    maxRecords: 1000,
    maxBytes: Infinity,
    fits: () => true,
    onKeptBack: () => {},
    ...options,
    ownership: {} as Ownership,
    consumer,
    memoryBudget,
  });
  let offset = 0;
  const push = (bytes: number, key: string | null = null) => {
    const value = new Uint8Array(bytes);
    queue.push(toQueuedRecord(recordOf(value, { offset: offset++, key }), offset));
    queue.pauseIfFull();
  };
  const shift = () => {
    const record = queue.take();
    queue.remove(record);
    return record.offset;
  };
  const takeAll = () => {
    const taken: QueuedRecord[] = [];
    while (queue.hasReady) taken.push(queue.take());
    return taken;
  };
  return { queue, calls, push, shift, takeAll };
}

Deno.test("RecordQueue pauses its partition when too many records wait, and resumes it below that", () => {
  const { queue, calls, push, shift } = setUp(new MemoryBudget(1e9), { maxRecords: 4 });
  for (let count = 0; count < 6; count++) push(1);
  assertEquals(calls, ["pause"]);
  const offsets: number[] = [];
  for (const expected of [[], [], ["resume"], ["resume"], ["resume"], ["resume"]]) {
    offsets.push(shift());
    assertEquals(calls.slice(1), expected);
  }
  assertEquals([offsets, queue.length], [[0, 1, 2, 3, 4, 5], 0]);
});

Deno.test("RecordQueue pauses its partition when the waiting records are too large, and resumes it below that", () => {
  const { queue, calls, push, shift } = setUp(new MemoryBudget(1e9), { maxBytes: 10 });
  for (const bytes of [6, 3, 1, 6]) push(bytes);
  assertEquals(calls, ["pause"]);
  shift();
  assertEquals(calls, ["pause"], "3 + 1 + 6 bytes are enough");
  shift();
  assertEquals(calls, ["pause", "resume"]);
  queue.clear();
  push(9);
  assertEquals(calls, ["pause", "resume"], "nothing is left of the records that were cleared");
});

Deno.test("RecordQueue pauses when the budget of the worker is spent, and resumes when any partition frees some", () => {
  const budget = new MemoryBudget(100);
  const [full, other] = [setUp(budget), setUp(budget)];
  for (let count = 0; count < 3; count++) full.push(40);
  for (let count = 0; count < 2; count++) other.push(0);
  assertEquals([full.calls, other.calls, budget.isFull], [["pause"], ["pause"], true]);
  other.shift();
  assertEquals(other.calls, ["pause"], "there is no space yet");
  full.shift();
  assertEquals([full.calls, other.calls, budget.isFull], [["pause", "resume"], ["pause", "resume"], false]);
});

Deno.test("RecordQueue without records is fetched from, also if stuck partitions have spent the budget", () => {
  const budget = new MemoryBudget(100);
  const [stuck, other] = [setUp(budget), setUp(budget)];
  for (let count = 0; count < 3; count++) stuck.push(40);
  for (let count = 0; count < 2; count++) {
    other.push(40);
    other.shift();
  }
  other.queue.pauseIfFull();
  assertEquals([stuck.calls, other.calls, budget.isFull], [["pause"], ["pause", "resume", "pause", "resume"], true]);
});

Deno.test("clear() returns the bytes of all waiting records to the budget", () => {
  const budget = new MemoryBudget(100);
  const [lost, other] = [setUp(budget), setUp(budget)];
  for (let count = 0; count < 3; count++) lost.push(40);
  lost.shift();
  lost.push(40);
  other.push(0);
  lost.queue.clear();
  assertEquals([lost.queue.length, budget.isFull, other.calls], [0, false, ["pause", "resume"]]);
  for (let count = 0; count < 2; count++) other.push(49);
  assertEquals(budget.isFull, false, "lost records do not count any longer");
});

Deno.test("RecordQueue's memory follows the number of waiting records, also while a backlog lasts", () => {
  const { queue, push, shift } = setUp(new MemoryBudget(1e9));
  const heapMb = () => Deno.memoryUsage().heapUsed / 1e6;
  push(1);
  const beforeMb = heapMb();
  // Two million slots of a pointer each would take 16 MB.
  for (let passed = 0; passed < 2_000_000; passed++) {
    push(1);
    shift();
  }
  assert(heapMb() - beforeMb < 10, `${heapMb() - beforeMb} MB more`);
  assertEquals(queue.length, 1);
});

const offsetsOf = (records: readonly QueuedRecord[]): number[] => records.map(({ offset }) => offset);

Deno.test('RecordQueue with ordering "partition" has one record ready at a time, and retries it before the next', () => {
  const { queue, push, takeAll } = setUp(new MemoryBudget(1e9));
  for (const key of ["a", "b", null]) push(1, key);
  const [first, ...more] = takeAll();
  assertEquals([first!.offset, more.length, queue.taken, queue.active], [0, 0, 1, 1]);
  queue.retry(first!);
  assertEquals(offsetsOf(takeAll()), [0]);
  queue.remove(first!);
  assertEquals(offsetsOf(takeAll()), [1]);
  assertEquals(queue.isExhausted, false);
});

Deno.test('RecordQueue with ordering "key" has the first record of each key ready, and any record without a key', () => {
  const { queue, push, takeAll } = setUp(new MemoryBudget(1e9), { ordering: "key" });
  for (const key of ["a", "b", "a", null, "b", "a", null, ""]) push(1, key);
  const taken = takeAll();
  assertEquals(offsetsOf(taken), [0, 1, 3, 6, 7]);
  assertEquals([queue.length, queue.taken], [8, 5]);
  const [a, b] = taken;
  queue.retry(b!);
  queue.remove(a!);
  assertEquals(offsetsOf(takeAll()), [1, 2], "the key of a record that is tried again goes on only after it");
  for (const record of taken.slice(1)) queue.remove(record);
  assertEquals(offsetsOf(takeAll()), [4]);
});

Deno.test('RecordQueue with ordering "none" has all records ready', () => {
  const { push, takeAll } = setUp(new MemoryBudget(1e9), { ordering: "none" });
  for (const key of ["a", "a", null]) push(1, key);
  assertEquals(offsetsOf(takeAll()), [0, 1, 2]);
});

Deno.test("RecordQueue keeps nothing of a key whose records are finished", () => {
  const { queue, push, takeAll } = setUp(new MemoryBudget(1e9), { ordering: "key" });
  for (const key of ["a", "b", "a"]) push(1, key);
  assertEquals(queue.lanes, 2);
  const [a, b] = takeAll();
  queue.remove(a!);
  assertEquals(queue.lanes, 2, "another record of a waits");
  queue.remove(b!);
  for (const record of takeAll()) queue.remove(record);
  assertEquals([queue.lanes, queue.length], [0, 0]);
  push(1, "a");
  queue.clear();
  assertEquals(queue.lanes, 0);
});

Deno.test("RecordQueue keeps back what has no space in the commit, in the order of the log, and says when that is all", () => {
  let end = 2;
  const { queue, push, takeAll } = setUp(new MemoryBudget(1e9), {
    ordering: "key",
    fits: ({ offset }) => offset < end,
  });
  for (const key of ["a", "b", "a", "c", "b", null]) push(1, key);
  const [a, b] = takeAll();
  assertEquals([a!.offset, b!.offset, queue.isExhausted], [0, 1, true]);
  queue.remove(b!);
  assertEquals([queue.hasReady, queue.isKeptBack], [false, true], "offset 4 follows b, and has no space either");
  end = 5;
  queue.remove(a!);
  assertEquals(offsetsOf(takeAll()), [2, 3, 4]);
  assertEquals([queue.length, queue.active, queue.isExhausted], [4, 3, true]);
  end = 6;
  queue.clear();
  assertEquals([queue.length, queue.active, queue.isExhausted], [0, 0, false]);
});

Deno.test("RecordQueue keeps a record back that was ready when the space in the commit shrinks", () => {
  let end = 4;
  const { queue, push, takeAll } = setUp(new MemoryBudget(1e9), {
    ordering: "none",
    fits: ({ offset }) => offset < end,
  });
  for (let count = 0; count < 4; count++) push(1);
  end = 2;
  const [first, ...more] = takeAll();
  assertEquals([offsetsOf(more), queue.isExhausted], [[1], true]);
  end = 3;
  queue.remove(first!);
  assertEquals(offsetsOf(takeAll()), [2]);
});
