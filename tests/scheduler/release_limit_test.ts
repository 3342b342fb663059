/** The limit of releases without a tombstone: a target never gets all of it. */
import { assert, assertEquals } from "@std/assert";
import { MAX_OPEN_RELEASES, ReleaseLimit } from "../../src/scheduler/release_limit.ts";

Deno.test("each take gets half of what is free at most, and nothing beyond the limit", () => {
  const limit = new ReleaseLimit();
  const taken: number[] = [];
  let calls = 0;
  for (let count = 1; count > 0;) taken.push(count = limit.take(MAX_OPEN_RELEASES, () => calls++));
  assertEquals(taken.slice(0, 3), [500, 250, 125]);
  assertEquals(taken.reduce((sum, count) => sum + count, 0), MAX_OPEN_RELEASES);
  assert(taken.length > 10);
  limit.give(0);
  assertEquals(calls, 0);
  limit.give(10);
  assertEquals([calls, limit.take(3, () => {}), limit.take(100, () => {})], [1, 3, 4]);
});
