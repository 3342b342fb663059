/** Runs the conformance suite of the brokers that are in a process, and prints the counts and the failures. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { conformance, type Harness } from "../../broker/conformance/mod.ts";
import { sqliteHarness } from "../../broker/sqlite/harness.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

async function runSuite(harness: Harness): Promise<boolean> {
  const tests: (readonly [name: string, run: () => Promise<void>])[] = [];
  const skips = conformance(harness, (name, run) => tests.push([name, run]));
  let failed = 0;
  for (const [name, run] of tests) {
    try {
      await run();
    } catch (error) {
      failed++;
      console.log(`FAILED: ${name}:`, error);
    }
  }
  console.log(`${harness.name}: ${tests.length} cases, ${failed} failed, ${skips.length} left out`);
  return failed === 0;
}

const folder = mkdtempSync(join(tmpdir(), "conformance-"));
const passed = await Promise.all([
  runSuite(memoryHarness(new MemoryLog())),
  runSuite(sqliteHarness(join(folder, "jobs.db"))),
]);
rmSync(folder, { recursive: true });
process.exit(passed.every(Boolean) ? 0 : 1);
