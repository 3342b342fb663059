/** Figures of the bench: medians, ratios and bars. */
import { assertEquals } from "@std/assert";
import {
  compare,
  measured,
  median,
  oursAtMost,
  percentile,
  ratioAtLeast,
  ratioAtMost,
  withoutBase,
} from "../../bench/figures.ts";

const HEADING = { table: "Enqueuing", figure: "a figure", unit: "jobs/s" } as const;

Deno.test("median() is the value in the middle, and the mean of both for an even number of values", () => {
  assertEquals(median([30, 1, 2]), 2);
  assertEquals(median([40, 1, 2, 3]), 2.5);
  assertEquals(median([7]), 7);
});

Deno.test("percentile() is the value below which a share of the values lies", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(percentile(values, 0.5), 51);
  assertEquals(percentile(values, 0.99), 100);
  assertEquals(percentile(values, 1), 100);
});

Deno.test("compare() takes the median of the ratios of the rounds, not the ratio of the medians", () => {
  // The machine became ten times as fast in the second round, for both sides.
  const { ours, base, ratio, met } = compare(HEADING, [20, 100, 30], { name: "bare", values: [10, 100, 10] });
  assertEquals({ ours, base, ratio, met }, { ours: 30, base: 10, ratio: 2, met: null });
});

Deno.test("a bar is met at its limit, and is missed beyond it", () => {
  const base = { name: "bare", values: [100] };
  const met = (ours: number, bar: Parameters<typeof compare>[3]) => compare(HEADING, [ours], base, bar).met;
  assertEquals([met(75, ratioAtLeast(0.75)), met(74, ratioAtLeast(0.75))], [true, false]);
  assertEquals([met(120, ratioAtMost(1.2)), met(121, ratioAtMost(1.2))], [true, false]);
  assertEquals([met(4, oursAtMost(4)), met(5, oursAtMost(4))], [true, false]);
  assertEquals(measured(HEADING, [5], oursAtMost(4)).met, false);
});

Deno.test("withoutBase() gives the reason, and judges ours alone", () => {
  const reason = "REDIS_URL is not set";
  assertEquals(withoutBase(HEADING, [3, 1, 2], "BullMQ", reason, oursAtMost(2)), {
    ...HEADING,
    ours: 2,
    baseName: "BullMQ",
    base: null,
    ratio: null,
    bar: oursAtMost(2),
    met: true,
    missing: reason,
  });
  assertEquals(withoutBase(HEADING, [1], "BullMQ", reason, ratioAtLeast(1)).met, null);
});
