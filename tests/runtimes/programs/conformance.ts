/**
 * Runs the conformance suite of the brokers that its arguments name, and prints the counts and the failures. Cases run side by
 * side, since each has topics and groups of its own.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { MemoryLog } from "../../../src/broker/memory/log.ts";
import { conformance, type Harness } from "../../broker/conformance/mod.ts";
import { sqliteHarness } from "../../broker/sqlite/harness.ts";
import { kafkaHarness } from "../../support/kafka/harness.ts";
import { memoryHarness } from "../../support/memory_harness.ts";

/** Cases that run at once. */
const AT_ONCE = 6;

async function runSuite(harness: Harness): Promise<boolean> {
  const tests: (readonly [name: string, run: () => Promise<void>])[] = [];
  const skips = conformance(harness, (name, run) => tests.push([name, run]));
  const rest = tests.values();
  let failed = 0;
  const runRest = async () => {
    for (const [name, run] of rest) {
      try {
        await run();
      } catch (error) {
        failed++;
        console.log(`FAILED: ${name}:`, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runRest));
  console.log(`${harness.name}: ${tests.length} cases, ${failed} failed, ${skips.length} left out`);
  return failed === 0;
}

const folder = mkdtempSync(join(tmpdir(), "conformance-"));
const harnesses: Record<string, () => Harness> = {
  memory: () => memoryHarness(new MemoryLog()),
  sqlite: () => sqliteHarness(join(folder, "jobs.db")),
  kafka: () => kafkaHarness,
};
const passed = await Promise.all(process.argv.slice(2).map((name) => runSuite(harnesses[name]!())));
rmSync(folder, { recursive: true });
process.exit(passed.every(Boolean) ? 0 : 1);
