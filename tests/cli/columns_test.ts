import { assertEquals } from "@std/assert";
import { alignColumns } from "../../src/cli/columns.ts";

Deno.test("alignColumns() pads each cell to its column, numbers on the left", () => {
  const rows = [["a", "10"], ["bcd", "7"]];
  assertEquals(alignColumns(rows), [["a  ", "10"], ["bcd", "7 "]]);
  assertEquals(alignColumns(rows, (column) => column === 1), [["a  ", "10"], ["bcd", " 7"]]);
  assertEquals(alignColumns([]), []);
});
