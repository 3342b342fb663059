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

Deno.test("UnknownClasses is bounded, and forgets the classes that were noted first", () => {
  const classes = new UnknownClasses();
  const noted = Array.from({ length: 1001 }, (_, n) => `Job${n}`);
  for (const jobClass of noted) classes.add(jobClass, 1);
  const known = noted.filter((jobClass) => classes.hasWaited(jobClass, 1));
  assertEquals(known, noted.slice(-938));
});
