/**
 * `deno task bench [short] [name …] [options]`: speed as ratios within one run, measured through the public App and
 * worker, beside kafkajs, `node:sqlite`, Deno KV, and the peers whose servers are at hand (`REDIS_URL` for BullMQ,
 * `POSTGRES_URL` for graphile-worker and pg-boss). Each line has ours, the other side, their ratio, the bar and whether
 * it is met; absolute figures hold for this machine only. `kafka`, `sqlite` and `local` name all benches of a group. A
 * Kafka is started only where a bench needs one.
 *
 * Conditions: fresh processes, interleaved rounds, medians. `short` measures each bar once, in about five minutes.
 * `options.ts` has the options. A bar that is missed does not fail the command; a bench that cannot be
 * measured does, after the others.
 */
import { runTask } from "../tasks/requirements.ts";
import { kafkaForTests } from "../tasks/kafka/for_tests.ts";
import { type Bench, selectBenches } from "./bench.ts";
import { deadLettersBenches } from "./benches/dead_letters.ts";
import { delaysBenches } from "./benches/delays.ts";
import { kafkaClientBenches } from "./benches/kafka_client.ts";
import { kafkaPerformBenches } from "./benches/kafka_perform.ts";
import { sqliteClientBenches } from "./benches/sqlite_client.ts";
import { sqlitePerformBenches } from "./benches/sqlite_perform.ts";
import { startBenches } from "./benches/start.ts";
import { waitingBenches } from "./benches/waiting.ts";
import { conditionsOf, kafkaName } from "./conditions.ts";
import type { Figure } from "./figures.ts";
import { parseCommandLine } from "./options.ts";
import { Peers } from "./peers.ts";
import { formatConditions, formatJson, formatLine, formatMarkdown } from "./report.ts";

/** All benches. */
const BENCHES: readonly Bench[] = [
  ...kafkaPerformBenches,
  ...sqlitePerformBenches,
  ...waitingBenches,
  ...delaysBenches,
  ...deadLettersBenches,
  ...kafkaClientBenches,
  ...sqliteClientBenches,
  ...startBenches,
];

const GROUPS = ["kafka", "sqlite", "local"];

async function main(args: readonly string[]): Promise<boolean> {
  const startMs = performance.now();
  const [load] = Deno.loadavg();
  const commandLine = parseCommandLine(args, [...GROUPS, ...BENCHES.map(({ name }) => name)]);
  const { size, json, markdown } = commandLine;
  const benches = selectBenches(BENCHES, commandLine);
  const needsKafka = benches.some(({ group }) => group === "kafka");
  await using kafka = needsKafka ? await kafkaForTests() : null;
  if (kafka !== null) Deno.env.set("BROKER_URL", kafka.url);
  const peers = new Peers();
  const figures: Figure[] = [];
  let passed = true;
  for (const bench of benches) {
    try {
      for (const figure of await bench.run({ size, peers })) {
        figures.push(figure);
        console.log(formatLine(figure));
      }
    } catch (error) {
      // The figures of the other benches took minutes.
      passed = false;
      console.error(`FAILED: ${bench.name}`, error);
    }
  }
  const conditions = conditionsOf(size, [...needsKafka ? [kafkaName] : [], ...await peers.servers()], load!);
  console.log(`\n${formatConditions(conditions)}`);
  console.log(`It took ${Math.round((performance.now() - startMs) / 1000)} s`);
  if (json !== null) await Deno.writeTextFile(json, formatJson(conditions, figures));
  if (markdown !== null) await Deno.writeTextFile(markdown, formatMarkdown(conditions, figures));
  return passed;
}

if (import.meta.main) await runTask(main);
