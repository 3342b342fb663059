/** The table of the records that count. */
import { assertEquals } from "@std/assert";
import type { TickRecord } from "../../../src/scheduler/recurring/tick_record.ts";
import { TickTable } from "../../../src/scheduler/recurring/tick_table.ts";

const NOW_MS = 2000;
const DAY_MS = 86_400_000;

function record(offset: number, lastAtMs: number | null, id = "a"): TickRecord {
  const position = { topic: "t", partition: 0, offset: 0 };
  const last = lastAtMs === null ? null : { tickAtMs: lastAtMs, jobId: `${id}/${lastAtMs}`, position };
  return { id, offset, dueAtMs: 0, tickAtMs: 0, definition: "", last, ends: null, cancelled: [] };
}

Deno.test("the latest record counts, unless it comes late from a former owner", () => {
  const table = new TickTable();
  const add = (offset: number, lastAtMs: number | null) => table.add(record(offset, lastAtMs), NOW_MS);
  assertEquals([add(1, null), add(2, null), add(3, 1000)], [true, true, true]);
  assertEquals([add(4, null), add(5, 999)], [false, false]);
  assertEquals([table.get("a")!.offset, add(6, 1000), table.get("a")!.offset], [3, true, 6]);
});

Deno.test("a last tick of the future, more than a day from now, counts as none", () => {
  const table = new TickTable();
  const add = (offset: number, lastAtMs: number | null) => table.add(record(offset, lastAtMs), NOW_MS);
  assertEquals([add(1, NOW_MS + DAY_MS + 1), add(2, null)], [true, true]);
  assertEquals([add(3, NOW_MS), add(4, NOW_MS + DAY_MS + 1)], [true, false]);
  assertEquals([add(5, NOW_MS + DAY_MS), add(6, NOW_MS)], [true, false]);
});

Deno.test("only the record that counts can be removed", () => {
  const table = new TickTable();
  table.add(record(1, null), NOW_MS);
  table.add(record(2, null), NOW_MS);
  table.add(record(3, null, "b"), NOW_MS);
  assertEquals([table.remove(1), table.remove(2)?.id, table.remove(2)], [undefined, "a", undefined]);
  assertEquals([table.get("a"), table.get("b")?.offset], [undefined, 3]);
});
