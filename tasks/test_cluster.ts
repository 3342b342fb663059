/**
 * `deno task test:cluster [--require kafka] [options of deno test]`: runs `tests/kafka/cluster`, which starts three brokers and
 * kills, freezes and restarts them under load. It takes about six minutes. Without Java or Maven the tests are left out, and
 * a line says so; with `--require kafka` that is a failure.
 *
 * The last line is `N passed, N failed`.
 */
import { fetchJars, KafkaUnavailableError } from "./kafka/server.ts";
import { deno } from "./process.ts";
import { runTask, takeRequired } from "./requirements.ts";
import { CLUSTER_FOLDER } from "./test/plan.ts";
import { type Counts, readCounts } from "./test/runner.ts";

async function main(args: readonly string[]): Promise<boolean> {
  const { required, rest } = takeRequired(args);
  const reason = await fetchJars().then(() => null, (error: Error) => error);
  let counts: Counts = { passed: 0, failed: 0 };
  if (reason === null) counts = readCounts(await deno(["test", "-A", ...rest, CLUSTER_FOLDER], { echo: true }));
  else if (!(reason instanceof KafkaUnavailableError)) throw reason;
  else {
    console.log(`The tests of the cluster were left out: ${reason.message}`);
    if (required.has("kafka")) counts = { passed: 0, failed: 1 };
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0;
}

if (import.meta.main) await runTask(main);
