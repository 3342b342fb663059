import { assertEquals } from "@std/assert";
import { conformance } from "../conformance/mod.ts";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

const skips = conformance(memoryHarness(new MemoryLog()), (name, run) => Deno.test(name, run));

Deno.test("memory: no case of the conformance suite is skipped", () => {
  assertEquals(skips, []);
});
