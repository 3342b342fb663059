/** The style sheet and the script: small, and nothing from another site. */
import { assert, assertEquals } from "@std/assert";
import { barsPath, renderHour } from "../../../src/web/dashboard/charts.ts";
import { SCRIPT } from "../../../src/web/dashboard/script.ts";
import { STYLE } from "../../../src/web/dashboard/style.ts";

const KIB = 1024;
const bytesOf = (text: string) => new TextEncoder().encode(text).byteLength;

Deno.test("the style sheet has at most 12 KiB, the script 8 KiB, and neither names another site", () => {
  assert(bytesOf(STYLE) <= 12 * KIB, `${bytesOf(STYLE)} bytes of CSS`);
  assert(bytesOf(SCRIPT) <= 8 * KIB, `${bytesOf(SCRIPT)} bytes of JavaScript`);
  for (const asset of [STYLE, SCRIPT]) assertEquals(/https?:|\/\/[a-z]|@import|url\(/i.exec(asset), null);
});

Deno.test("barsPath() draws a bar for each count above 0, and a small one is still seen", () => {
  assertEquals(barsPath([0, 10, 1], 10, 100), "M11 0h8V100h-8zM21 90h8V100h-8z");
  assertEquals(barsPath([1], 100_000, 100), "M1 98.5h8V100h-8z");
  assertEquals(barsPath([20], 10, 100), "M1 0h8V100h-8z");
  assertEquals(barsPath([0, 0], 1, 100), "");
});

Deno.test("renderHour() describes the hour in words, and has no style attribute", () => {
  const hour = (newest: number) => Array.from({ length: 60 }, (_, at) => at === 59 ? newest : 0);
  const { text } = renderHour({ done: hour(1200), failed: hour(1) });
  assert(text.includes("Jobs in the last hour: 1,200 done, at most 1,200 a minute; 1 run failed"), text);
  assert(!text.includes("style="));
});
