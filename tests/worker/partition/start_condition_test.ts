/** The start condition: which reasons block which step, and the wait for a change. */
import { assertEquals } from "@std/assert";
import { StartCondition } from "../../../src/worker/partition/start_condition.ts";

Deno.test("StartCondition allows starts when no reason is left and the session is valid; quiet allows commits", () => {
  let validUntilMs = 100;
  const condition = new StartCondition(() => validUntilMs);
  const state = () => [condition.canStart(99), condition.canCommit(99)];
  assertEquals(state(), [true, true]);
  condition.block("quiet");
  assertEquals(state(), [false, true]);
  for (const reason of ["releasing", "membership"] as const) {
    condition.block(reason);
    assertEquals(state(), [false, false]);
    condition.unblock(reason);
  }
  assertEquals(state(), [false, true]);
  condition.unblock("quiet");
  assertEquals([condition.canStart(100), condition.canCommit(100)], [false, false], "the session may have expired");
  validUntilMs = Infinity;
  assertEquals([condition.canStart(100), condition.canCommit(100)], [true, true]);
});

Deno.test("nextChange() resolves for all that wait at the next change, and by itself, since the clock goes on", async () => {
  const condition = new StartCondition(() => Infinity);
  const waiting = [condition.nextChange(), condition.nextChange()];
  condition.block("releasing");
  await Promise.all(waiting);
  await condition.nextChange();
});
