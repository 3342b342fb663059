/** The unknown classes that a worker has waited for. */
import { assertEquals } from "@std/assert";
import { UnknownClasses } from "../../src/worker/unknown_classes.ts";

Deno.test("UnknownClasses keeps the longest wait of each class", () => {
  const classes = new UnknownClasses();
  assertEquals(classes.hasWaited("AJob", 0), false);
  classes.add("AJob", 100);
  classes.add("AJob", 50);
  assertEquals([classes.hasWaited("AJob", 100), classes.hasWaited("AJob", 101)], [true, false]);
  assertEquals(classes.hasWaited("BJob", 0), false);
});

Deno.test("UnknownClasses is bounded, and drops the class that was added first", () => {
  const classes = new UnknownClasses();
  for (let n = 0; n <= 1000; n++) classes.add(`Job${n}`, 1);
  assertEquals([0, 1, 1000].map((n) => classes.hasWaited(`Job${n}`, 1)), [false, true, true]);
});
