import { assertEquals } from "@std/assert";
import { conformance } from "../conformance/mod.ts";
import { sqliteHarness, TemporaryFile } from "./harness.ts";

const file = new TemporaryFile();
globalThis.addEventListener("unload", () => file[Symbol.dispose]());

const skips = conformance(sqliteHarness(file.path), (name, run) => Deno.test(name, run));

Deno.test("sqlite: no case of the conformance suite is skipped", () => {
  assertEquals(skips, []);
});
