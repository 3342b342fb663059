import { assertEquals } from "@std/assert";
import { conformance } from "../conformance/mod.ts";
import { sqliteHarness, TemporaryFile } from "./harness.ts";

const file = new TemporaryFile();
globalThis.addEventListener("unload", () => file[Symbol.dispose]());

const skips = conformance(sqliteHarness(file.path), (name, run) => Deno.test(name, run));

Deno.test("sqlite: the conformance suite skips only what takes two members of one group", () => {
  assertEquals(skips.filter(({ missing }) => missing !== "sharedGroups"), []);
  assertEquals(skips.length, 11);
});
