/** A map with a limit: its bound, the order of its entries, and its cost. */
import { assert, assertEquals } from "@std/assert";
import { LimitedMap } from "../../src/support/limited_map.ts";

Deno.test("a full map loses a sixteenth of its entries at once: those that were set first", () => {
  const map = new LimitedMap<number>({ entries: 32 });
  for (let n = 0; n < 32; n++) map.set(`${n}`, n);
  map.set("0", 0);
  assertEquals([map.entries.size, [...map.entries.keys()].at(-1)], [32, "0"]);
  map.set("32", 32);
  assertEquals([...map.entries.keys()], [...Array.from({ length: 28 }, (_, n) => `${n + 4}`), "0", "32"]);
});

Deno.test("the entry that was set last stays, however small the limit is", () => {
  const map = new LimitedMap<number>({ entries: 1 });
  for (const n of [1, 2, 3]) map.set(`${n}`, n);
  assertEquals([...map.entries], [["3", 3]]);
});

/** Returns the time of setting so many different keys, in ms. */
function timeOf(inserts: number): number {
  const map = new LimitedMap<true>({ entries: 50_000 });
  const startMs = performance.now();
  for (let n = 0; n < inserts; n++) map.set(`${n}`, true);
  assert(map.entries.size <= 50_000);
  return performance.now() - startMs;
}

Deno.test("the cost of an insert into a full map does not depend on the number of those before it", () => {
  timeOf(50_000);
  const [few, many] = [Math.min(timeOf(100_000), timeOf(100_000)), Math.min(timeOf(200_000), timeOf(200_000))];
  // Single removals take 20 times as long here.
  assert(many < few * 5, `200,000 inserts take ${many} ms, half of them ${few} ms`);
});
