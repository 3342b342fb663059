import { assertEquals } from "@std/assert";
import { MinuteRing, RecentHistogram } from "../../src/reports/recent_counts.ts";

const NOW = 29_000_000;

Deno.test("MinuteRing has 60 minutes, oldest first, and forgets older ones", () => {
  const ring = new MinuteRing();
  for (const minute of [NOW, NOW, NOW + 1, NOW + 59]) ring.count(minute);
  const at = (minute: number) => ring.until(minute).flatMap((count, index) => count === 0 ? [] : [[index, count]]);
  assertEquals(ring.until(NOW).length, 60);
  assertEquals(at(NOW), [[59, 2]]);
  assertEquals(at(NOW + 59), [[0, 2], [1, 1], [59, 1]]);
  assertEquals(at(NOW + 60), [[0, 1], [58, 1]]);
  ring.count(NOW + 60);
  assertEquals(at(NOW + 60), [[0, 1], [58, 1], [59, 1]]);
  assertEquals(at(NOW + 1000), []);
});

Deno.test("MinuteRing goes on under a clock that was set back", () => {
  const ring = new MinuteRing();
  ring.count(NOW + 120);
  ring.count(NOW);
  assertEquals(ring.until(NOW).reduce((sum, count) => sum + count), 1);
});

Deno.test("RecentHistogram sums its last six slots of ten minutes", () => {
  const histogram = new RecentHistogram([10, 100]);
  histogram.observe(5, NOW);
  histogram.observe(50, NOW + 30);
  histogram.observe(500, NOW + 59);
  assertEquals(histogram.until(NOW + 59), { counts: [1, 1, 1], sum: 555 });
  assertEquals(histogram.until(NOW + 60), { counts: [0, 1, 1], sum: 550 });
  assertEquals(histogram.until(NOW + 29), { counts: [1, 0, 0], sum: 5 });
  histogram.observe(6, NOW + 61);
  assertEquals(histogram.until(NOW + 61), { counts: [1, 1, 1], sum: 556 });
  assertEquals(histogram.until(NOW + 500), { counts: [0, 0, 0], sum: 0 });
});
