/**
 * `deno task mutants [words]`: the guards that must not get lost, each with the tests that miss it. With words, only the
 * mutants whose `what` has one of them. How a mutant lives is said in `tasks/mutants.ts`.
 */
import { kafkaForTests } from "../../tasks/kafka/for_tests.ts";
import { KafkaUnavailableError } from "../../tasks/kafka/server.ts";
import { CLI_MUTANTS } from "./cli.ts";
import { CORE_MUTANTS } from "./core.ts";
import { HEALTH_MUTANTS } from "./health.ts";
import { JOB_MUTANTS } from "./job.ts";
import { KAFKA_MUTANTS } from "./kafka.ts";
import { MEMORY_MUTANTS } from "./memory.ts";
import { SQLITE_MUTANTS } from "./sqlite.ts";
import { TASKS_MUTANTS } from "./tasks.ts";
import { TESTING_MUTANTS } from "./testing.ts";
import { type Mutant, needsKafka, survivors } from "../../tasks/mutants.ts";

/** Every guard. */
export const MUTANTS: readonly Mutant[] = [
  ...CLI_MUTANTS,
  ...CORE_MUTANTS,
  ...HEALTH_MUTANTS,
  ...JOB_MUTANTS,
  ...MEMORY_MUTANTS,
  ...SQLITE_MUTANTS,
  ...KAFKA_MUTANTS,
  ...TASKS_MUTANTS,
  ...TESTING_MUTANTS,
];

async function main(words: readonly string[]): Promise<boolean> {
  const chosen = MUTANTS.filter(({ what }) => words.length === 0 || words.some((word) => what.includes(word)));
  const onKafka = chosen.filter(needsKafka);
  const others = chosen.filter((mutant) => !needsKafka(mutant));
  let leftOut = 0;
  const withKafka = async (): Promise<string[]> => {
    if (onKafka.length === 0) return [];
    try {
      await using kafka = await kafkaForTests();
      return await survivors(onKafka, console.log, kafka.url);
    } catch (error) {
      if (!(error instanceof KafkaUnavailableError)) throw error;
      leftOut = onKafka.length;
      console.error(`The mutants that need a Kafka were left out: ${error.message}`);
      return [];
    }
  };
  // Side by side, each in a copy of its own: much of the time tests wait.
  const half = Math.ceil(others.length / 2);
  const wrong = (await Promise.all([
    survivors(others.slice(0, half), console.log),
    survivors(others.slice(half), console.log),
    withKafka(),
  ])).flat();
  for (const line of wrong) console.error(line);
  console.log(
    `${chosen.length - leftOut - wrong.length} mutants were noticed, ${wrong.length} were not, ${leftOut} left out`,
  );
  return wrong.length === 0 && chosen.length > 0 && (leftOut === 0 || Deno.env.get("CI") !== "true");
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
