/** A part of a page that fails or takes too long leaves the others as they are. */
import { assertEquals } from "@std/assert";
import { PartLoader } from "../../../src/web/dashboard/part_loader.ts";

Deno.test("a part that fails, and one that takes too long, become notes", async () => {
  const parts = new PartLoader(5);
  const loaded = await Promise.all([
    parts.load("The workers are not known", () => Promise.resolve(7)),
    parts.load("The topics are not known", () => Promise.reject(new Error("no leader"))),
    parts.load("The dead letters are not known", () => new Promise(() => {})),
  ]);
  assertEquals(loaded, [7, null, null]);
  assertEquals(parts.notes.toSorted(), [
    "The dead letters are not known: No response within 5 ms",
    "The topics are not known: no leader",
  ]);
});
