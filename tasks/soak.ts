/**
 * `deno task soak [minutes]`: long tests on a real Kafka. Each part runs for its share of the minutes and prints
 * figures. The command fails if a job was lost or a limit was exceeded.
 *
 * - `rebalances`: partitions move every second under load
 * - `longJob`: a job takes as long as its part, with a session of two seconds
 * - `kills`, `killsOnSqlite`: workers are killed each second
 * - `ninthWorker`: a ninth worker joins 24 partitions and leaves again
 * - `signals`, `signalsOnSqlite`: a worker gets TERM at a random moment, and STOP for two sessions
 */
import { kafkaForTests } from "./kafka/for_tests.ts";

/** The parts, each an export of `tests/soak/mod.ts`. All have the same share of the time. */
const PARTS = ["rebalances", "longJob", "kills", "killsOnSqlite", "ninthWorker", "signals", "signalsOnSqlite"] as const;

const minutes = Number(Deno.args[0] ?? 5);
if (!(minutes > 0)) {
  console.error(`Cannot read the minutes: they must be a number above 0, but they are "${Deno.args[0]}"`);
  Deno.exit(2);
}
await using kafka = await kafkaForTests();
// The modules of the tests read it when they are loaded.
Deno.env.set("BROKER_URL", kafka.url);
const parts = await import("../tests/soak/mod.ts");
const seconds = Math.max(10, Math.round(minutes * 60 / PARTS.length));
let failed = 0;
for (const part of PARTS) {
  const startedMs = performance.now();
  console.log(`${part}: ${seconds} s`);
  const failures = await parts[part](seconds);
  for (const failure of failures) console.error(`  FAILED: ${failure}`);
  failed += failures.length;
  console.log(
    `  ${failures.length === 0 ? "ok" : "not ok"} after ${Math.round((performance.now() - startedMs) / 1000)} s`,
  );
}
Deno.exitCode = failed === 0 ? 0 : 1;
