/** The event loop's checkpoint before each job. */
import { assertEquals } from "@std/assert";
import { EventLoopYield } from "../../src/worker/event_loop_yield.ts";

Deno.test("EventLoopYield requests a turn of the event loop if none has come for long, one for all callers", async () => {
  const yielding = new EventLoopYield();
  let timers = 0;
  setTimeout(() => timers++, 0);
  const nowMs = performance.now();
  assertEquals([nowMs, nowMs + 5, nowMs + 50].map((ms) => yielding.checkpoint(ms)), [false, false, true]);
  await Promise.all([yielding.wait(), yielding.wait()]);
  assertEquals(timers, 1, "a timer that was due before has fired");
  assertEquals(yielding.checkpoint(nowMs + 100), false, "the event loop turns again");
  yielding.stop();
});
