import { assertEquals } from "@std/assert";
import { KeyTable } from "../../src/scheduler/key_table.ts";

/** Two jobs in one bucket: 64 bits of the job, 32 of the key. */
const hashOf = (job: number, rest: number) => ({ high: job, low: 7, rest });

function slotsOf(table: KeyTable, job: number): number[] {
  const slots: number[] = [];
  for (let slot = table.firstOfJob(hashOf(job, 0)); slot >= 0; slot = table.nextOfJob(slot)) slots.push(slot);
  return slots;
}

Deno.test("KeyTable distinguishes jobs and keys of one bucket, the latest slot of a job first", () => {
  const table = new KeyTable(8);
  [[1, 10], [2, 20], [1, 11], [2, 21], [1, 12]].forEach(([job, rest], slot) => table.add(slot, hashOf(job!, rest!)));
  assertEquals([slotsOf(table, 1), slotsOf(table, 2), slotsOf(table, 3)], [[4, 2, 0], [3, 1], []]);
  assertEquals([table.find(hashOf(1, 11)), table.find(hashOf(2, 11)), table.find(hashOf(2, 20))], [2, -1, 1]);
  for (const slot of [2, 4]) table.remove(slot);
  assertEquals([slotsOf(table, 1), slotsOf(table, 2), table.find(hashOf(1, 11))], [[0], [3, 1], -1]);
});

Deno.test("KeyTable keeps the slots of its jobs when they are renumbered into longer and shorter arrays", () => {
  const table = new KeyTable(4);
  [[1, 10], [2, 20], [1, 11], [2, 21]].forEach(([job, rest], slot) => table.add(slot, hashOf(job!, rest!)));
  table.renumber(Int32Array.of(0, -1, 1, 2), 3, 16);
  assertEquals([slotsOf(table, 1), slotsOf(table, 2), table.find(hashOf(2, 20))], [[1, 0], [2], -1]);
  table.renumber(Int32Array.of(-1, 0, 1), 2, 2);
  assertEquals([slotsOf(table, 1), slotsOf(table, 2), table.find(hashOf(2, 21))], [[0], [1], 1]);
});
