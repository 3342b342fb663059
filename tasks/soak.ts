/**
 * `deno task soak [minutes] [--cluster]`: long tests on a real Kafka. Each part runs for its share of the minutes and prints
 * figures. The command fails if a job was lost or a limit was exceeded.
 *
 * - `rebalances`: partitions move every second under load
 * - `longJob`: a job takes as long as its part, with a session of two seconds
 * - `kills`, `killsOnSqlite`: workers are killed each second
 * - `ninthWorker`: a ninth worker joins 24 partitions and leaves again
 * - `signals`, `signalsOnSqlite`: a worker gets TERM at a random moment, and STOP for two sessions
 *
 * With `--cluster` there is one other part: `clusterFaults`, three brokers of which one or two are killed, frozen or restarted.
 */
import { parseArgs } from "@std/cli/parse-args";
import { kafkaForTests } from "./kafka/for_tests.ts";

/** The parts on one broker, each an export of `tests/soak/mod.ts`. All have the same share of the time. */
const PARTS = ["rebalances", "longJob", "kills", "killsOnSqlite", "ninthWorker", "signals", "signalsOnSqlite"] as const;
const MIN_SECONDS = 10;

/** Runs a part for a number of seconds. @returns the failures */
type Part = (seconds: number) => Promise<string[]>;

async function runPart(name: string, part: Part, seconds: number): Promise<number> {
  const startedMs = performance.now();
  console.log(`${name}: ${seconds} s`);
  const failures = await part(seconds);
  for (const failure of failures) console.error(`  FAILED: ${failure}`);
  const result = failures.length === 0 ? "ok" : "not ok";
  console.log(`  ${result} after ${Math.round((performance.now() - startedMs) / 1000)} s`);
  return failures.length;
}

async function runOnCluster(seconds: number): Promise<number> {
  const { clusterFaults } = await import("../tests/soak/cluster.ts");
  return await runPart("clusterFaults", clusterFaults, Math.max(MIN_SECONDS, Math.round(seconds)));
}

async function runOnBroker(seconds: number): Promise<number> {
  await using kafka = await kafkaForTests();
  // The modules of the tests read it when they are loaded.
  Deno.env.set("BROKER_URL", kafka.url);
  const parts = await import("../tests/soak/mod.ts");
  let failed = 0;
  for (const name of PARTS) {
    failed += await runPart(name, parts[name], Math.max(MIN_SECONDS, Math.round(seconds / PARTS.length)));
  }
  return failed;
}

const flags = parseArgs(Deno.args, { boolean: ["cluster"] });
const minutes = Number(flags._[0] ?? 5);
if (!(minutes > 0)) {
  console.error(`Cannot read the minutes: they must be a number above 0, but they are "${flags._[0]}"`);
  Deno.exit(2);
}
const failed = await (flags.cluster ? runOnCluster(minutes * 60) : runOnBroker(minutes * 60));
Deno.exitCode = failed === 0 ? 0 : 1;
