/**
 * `deno task soak [minutes]`: the long forms of what the tests can only show for seconds, on a real Kafka. Each part has its
 * share of the minutes, says what it saw, and the command fails if a job was lost or a bound was broken.
 *
 * Partitions that move every second under load; a job as long as its part, with a session of two seconds; workers that are
 * killed each second; a ninth worker that comes to 24 partitions and goes again; a worker that is stopped with TERM at a
 * random instant, and with STOP for two sessions. What is killed and stopped is so on an SQLite file, too.
 */
import { kafkaForTests } from "./kafka/for_tests.ts";

/** A part: its name, its share of the time, and the module's export that runs it. */
const PARTS = ["rebalances", "longJob", "kills", "killsOnSqlite", "ninthWorker", "signals", "signalsOnSqlite"] as const;

const minutes = Number(Deno.args[0] ?? 5);
if (!(minutes > 0)) {
  console.error(`Cannot read the minutes: they must be a number above 0, but they are "${Deno.args[0]}"`);
  Deno.exit(2);
}
await using kafka = await kafkaForTests();
// Before the tests' own modules are loaded: they find their Kafka in the environment.
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
