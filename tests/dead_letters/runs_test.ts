/** Positions that lie near each other are handled together. */
import { assertEquals } from "@std/assert";
import { runsOf } from "../../src/dead_letters/runs.ts";

const at = (partition: number, offset: number) => ({ topic: "dead", partition, offset });

Deno.test("near positions of a partition are one run, in the order of the log and each once", () => {
  assertEquals(runsOf([at(1, 7), at(0, 3), at(1, 5), at(1, 7), at(1, 1007), at(1, 2008)]), [
    { partition: 1, from: 5, to: 1008, wanted: new Set([5, 7, 1007]) },
    { partition: 1, from: 2008, to: 2009, wanted: new Set([2008]) },
    { partition: 0, from: 3, to: 4, wanted: new Set([3]) },
  ]);
  assertEquals(runsOf([]), []);
});
