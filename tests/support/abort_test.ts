/** Waiting that a signal ends. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { raceAbort, sleep } from "../../src/support/abort.ts";

Deno.test("raceAbort() has the promise's outcome, or null at the abort", async () => {
  const { signal } = new AbortController();
  assertEquals(await raceAbort(Promise.resolve(1), signal), 1);
  await assertRejects(() => raceAbort(Promise.reject(new RangeError("no")), signal), RangeError, "no");
  const controller = new AbortController();
  const waiting = raceAbort(new Promise(() => {}), controller.signal);
  controller.abort();
  assertEquals(await waiting, null);
  assertEquals(await raceAbort(Promise.reject(new Error("ignored")), controller.signal), null);
});

Deno.test("sleep() ends after its time, or at the abort, and leaves no timer", async () => {
  const startedMs = performance.now();
  await sleep(5, new AbortController().signal);
  assert(performance.now() - startedMs >= 4);
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort();
  await sleeping;
  await sleep(60_000, controller.signal);
});
