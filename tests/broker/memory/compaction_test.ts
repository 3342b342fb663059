/** Compaction of a partition in memory: keys, tombstones, and the work of one step. */
import { assert, assertEquals } from "@std/assert";
import { MemoryPartition } from "../../../src/broker/memory/partition.ts";
import { NO_HEADERS } from "../../../src/broker/record.ts";
import { processorMs } from "../../support/until.ts";

/** Appends a record. @returns its offset */
function append(partition: MemoryPartition, key: string | Uint8Array, value: string | null, timestampMs = Date.now()) {
  return partition.append({ key, value, headers: NO_HEADERS, timestampMs });
}

function offsetsOf(partition: MemoryPartition): number[] {
  return partition.read(0, Infinity)?.records.map(({ offset }) => offset) ?? [];
}

Deno.test("a superseded tombstone does not remove its successor", () => {
  const partition = new MemoryPartition(true);
  const reader = { position: 0 };
  partition.readers.add(reader);
  append(partition, "a", "1");
  append(partition, "a", null);
  append(partition, "a", "2");
  append(partition, "b", null);
  reader.position = 4;
  partition.clean();
  assertEquals(offsetsOf(partition), [2]);
  append(partition, "a", "3");
  assertEquals(offsetsOf(partition), [4]);
});

Deno.test("a key that is not UTF-8 is never that of a text", () => {
  const partition = new MemoryPartition(true);
  const keys = [
    new Uint8Array([0xff]),
    "ÿ",
    "\ufffd",
    new Uint8Array([0xed, 0xa0, 0x80]),
    new Uint8Array([0xff, 0xff]),
  ];
  for (const key of keys) append(partition, key, "x");
  assertEquals(offsetsOf(partition), [0, 1, 2, 3, 4]);
  append(partition, new Uint8Array([0xff]), "y");
  assertEquals(offsetsOf(partition), [1, 2, 3, 4, 5]);
});

Deno.test("tombstones are removed at most a thousand at a time, also where none is needed any more", () => {
  const partition = new MemoryPartition(true);
  const reader = { position: 0 };
  partition.readers.add(reader);
  for (let n = 0; n < 2500; n++) append(partition, `k${n}`, null);
  reader.position = 2500;
  const left: number[] = [];
  for (let n = 0; n < 4; n++) {
    partition.clean();
    left.push(offsetsOf(partition).length);
  }
  assertEquals(left, [1500, 500, 0, 0]);
  assertEquals(partition.high, 2500);
});

Deno.test("records are found and removed in a few steps, however many there are and wherever they are", async () => {
  const partition = new MemoryPartition(true);
  const count = 200_000;
  for (let n = 0; n < count; n++) append(partition, `k${n}`, "x");
  const appendMs = await processorMs(() => {
    // Each one supersedes an earlier one, in an order that jumps over the whole partition.
    for (let n = 0; n < count; n += 2) append(partition, `k${(n * 7919) % count}`, "y");
  });
  const readMs = await processorMs(() => {
    for (let n = 0; n < 10_000; n++) partition.read((n * 7919) % partition.high, 1);
  });
  assertEquals(offsetsOf(partition).length, count);
  // A list that moves all records behind the removed one takes a minute.
  assert(appendMs < 5000 && readMs < 5000, `${appendMs} ms, ${readMs} ms`);
});

Deno.test("reading starts behind a gap, and ends before a record that does not fit", () => {
  const partition = new MemoryPartition(true);
  for (let n = 0; n < 5000; n++) append(partition, `k${n % 2500}`, "x".repeat(10));
  assertEquals(partition.read(0, 1)!.records.map(({ offset }) => offset), [2500]);
  const { records, next } = partition.read(10, 150)!;
  assertEquals([records.length, records[0]!.offset, next], [12, 2500, 2512]);
  assertEquals(partition.read(5000, 1), null);
});
