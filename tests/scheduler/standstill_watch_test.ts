/** The watch for a reader that stood still: either clock shows it, and a reader that asks in time did not. */
import { assertEquals } from "@std/assert";
import { StandstillWatch } from "../../src/scheduler/standstill_watch.ts";

function setUp(limitMs = 1000) {
  const at = { clockMs: 5_000_000, steadyMs: 100 };
  const watch = new StandstillWatch({ nowMs: () => at.clockMs }, () => limitMs, () => at.steadyMs);
  const pass = (clockMs: number, steadyMs: number) => {
    at.clockMs += clockMs;
    at.steadyMs += steadyMs;
    return watch.hasStoodStill();
  };
  return { watch, pass };
}

Deno.test("a reader that asks in time did not stand still, however long it works", () => {
  const { watch, pass } = setUp();
  assertEquals(watch.intervalMs, 250);
  assertEquals(Array.from({ length: 100 }, () => pass(250, 250)).filter(Boolean), []);
  assertEquals(pass(1000, 1000), false);
});

Deno.test("a process that was suspended is noticed by either clock, once", () => {
  const { pass } = setUp();
  assertEquals([pass(1001, 1001), pass(1, 1)], [true, false]);
  // The steady clock of a machine that sleeps does not move.
  assertEquals([pass(1001, 0), pass(1, 1)], [true, false]);
  // The other clock was set back meanwhile.
  assertEquals([pass(-5000, 1001), pass(1, 1)], [true, false]);
});

Deno.test("the interval is short for a short limit, and a minute at most", () => {
  assertEquals([setUp(8).watch.intervalMs, setUp(43_200_000).watch.intervalMs], [10, 60_000]);
});
