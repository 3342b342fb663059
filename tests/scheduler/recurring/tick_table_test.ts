/** The table of the records that count. */
import { assertEquals } from "@std/assert";
import type { TickRecord } from "../../../src/scheduler/recurring/tick_record.ts";
import { TickTable } from "../../../src/scheduler/recurring/tick_table.ts";

function record(offset: number, lastAtMs: number | null, id = "a"): TickRecord {
  const position = { topic: "t", partition: 0, offset: 0 };
  const last = lastAtMs === null ? null : { tickAtMs: lastAtMs, jobId: `${id}/${lastAtMs}`, position };
  return { id, offset, dueAtMs: 0, tickAtMs: 0, definition: "", last, ends: null };
}

Deno.test("the latest record counts, unless it comes late from a former owner", () => {
  const table = new TickTable();
  assertEquals([table.add(record(1, null)), table.add(record(2, null)), table.add(record(3, 1000))], [
    true,
    true,
    true,
  ]);
  assertEquals([table.add(record(4, null)), table.add(record(5, 999))], [false, false]);
  assertEquals([table.get("a")!.offset, table.add(record(6, 1000)), table.get("a")!.offset], [3, true, 6]);
});

Deno.test("only the record that counts can be removed", () => {
  const table = new TickTable();
  table.add(record(1, null));
  table.add(record(2, null));
  table.add(record(3, null, "b"));
  assertEquals([table.remove(1), table.remove(2)?.id, table.remove(2)], [undefined, "a", undefined]);
  assertEquals([table.get("a"), table.get("b")?.offset], [undefined, 3]);
});
