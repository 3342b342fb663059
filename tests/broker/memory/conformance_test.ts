/**
 * The memory broker passes the conformance suite: the log of the library all cases without faults, the log with faults
 * all cases.
 */
import { assertEquals } from "@std/assert";
import { conformance } from "../conformance/mod.ts";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { FaultInjectionLog } from "../../support/fault_injection_log.ts";
import { faultInjectionHarness, memoryHarness } from "../../support/memory_harness.ts";

const test = (name: string, run: () => Promise<void>) => Deno.test(name, run);
const skips = conformance(memoryHarness(new MemoryLog()), test);
const skipsWithFaults = conformance(faultInjectionHarness(new FaultInjectionLog()), test);

Deno.test("memory: the conformance suite skips only the cases that need a fault", () => {
  assertEquals(
    Object.fromEntries(Map.groupBy(skips, ({ missing }) => missing).entries().map(([k, v]) => [k, v.length])),
    {
      commitAs: 2,
      deleteRecords: 4,
      recreateTopic: 3,
      appendControl: 2,
      expire: 1,
      ageRecords: 3,
    },
  );
});

Deno.test("memory with faults: no case of the conformance suite is skipped", () => {
  assertEquals(skipsWithFaults, []);
});
