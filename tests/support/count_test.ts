import { assertEquals } from "@std/assert";
import { countOf, formatCount } from "../../src/support/count.ts";

Deno.test("formatCount has a comma before each third digit", () => {
  assertEquals([0, 999, 1000, 1_234_567, -1000].map(formatCount), ["0", "999", "1,000", "1,234,567", "-1,000"]);
});

Deno.test("countOf has the noun in its number", () => {
  assertEquals(countOf(1, "job"), "1 job");
  assertEquals(countOf(0, "job"), "0 jobs");
  assertEquals(countOf(1200, "more topic", "more topics"), "1,200 more topics");
});
