/** Outcomes of actions: shown once, to their user, within a minute, and in bounded number. */
import { assertEquals } from "@std/assert";
import { Outcomes } from "../../../src/web/dashboard/outcomes.ts";

const DONE = { outcome: "done", target: "dead/0@1", message: "Requeued 1 dead letter" } as const;

Deno.test("an outcome is returned once, to its user", () => {
  const outcomes = new Outcomes();
  const id = outcomes.add("ada", DONE);
  for (const [wrong, user] of [[id, "ben"], [id, null], [null, "ada"], ["", "ada"], [`${id} `, "ada"]] as const) {
    assertEquals(outcomes.take(wrong, user), null);
  }
  assertEquals(outcomes.take(id, "ada"), DONE);
  assertEquals(outcomes.take(id, "ada"), null);
});

Deno.test("an id says nothing of the outcome, and follows from no other one", () => {
  const outcomes = new Outcomes();
  const ids = [outcomes.add("ada", DONE), outcomes.add("ada", DONE)];
  assertEquals(ids.map((id) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)), [true, true]);
  assertEquals(ids[0]!.slice(0, 8) === ids[1]!.slice(0, 8), false);
});

Deno.test("an outcome is forgotten after a minute", () => {
  let nowMs = 1000;
  const outcomes = new Outcomes(() => nowMs);
  const [first, second] = [outcomes.add("ada", DONE), outcomes.add("ada", DONE)];
  nowMs += 60_000;
  assertEquals(outcomes.take(first, "ada"), DONE);
  nowMs += 1;
  assertEquals(outcomes.take(second, "ada"), null);
});

Deno.test("no more than 100 outcomes wait, each with a message that is cut at 2,000 characters", () => {
  const outcomes = new Outcomes();
  const ids = Array.from({ length: 200 }, () => outcomes.add("ada", { ...DONE, message: "x".repeat(10_000) }));
  const found = ids.map((id) => outcomes.take(id, "ada")).filter((outcome) => outcome !== null);
  assertEquals([found.length <= 100, found.length > 80], [true, true]);
  assertEquals(found.every(({ message }) => message === `${"x".repeat(2000)}…`), true);
});
