/**
 * `deno task test:mutation [--require kafka] [words]`: takes away one guard of the code at a time, and runs the tests
 * that must notice. The guards are listed in `tests/mutation/`; `tasks/mutation/runner.ts` says how a mutant is run.
 * With words, only mutants run whose description has one of them.
 *
 * Mutants that need a Kafka are left out where there is none; with `--require kafka` that is a failure.
 */
import { MUTANTS } from "../tests/mutation/mod.ts";
import { kafkaForTests } from "./kafka/for_tests.ts";
import { KafkaUnavailableError } from "./kafka/server.ts";
import { findMisplacedGuards, findSyntaxErrors, type Mutant, needsKafka } from "./mutation/mutant.ts";
import { runMutants } from "./mutation/runner.ts";
import { abortOnInterrupt, root } from "./process.ts";
import { runTask, takeRequired } from "./requirements.ts";
import { formatSeconds } from "./test/plan.ts";

/**
 * The number of mutants at once: one more than processors, since their tests mostly wait. Those on Kafka run beside them.
 */
const AT_ONCE = Math.max(1, Math.min(navigator.hardwareConcurrency + 1, 4));

/** The number of mutants at once that use the one Kafka. */
const AT_ONCE_ON_KAFKA = 2;

/** The time that a mutant takes, in seconds, measured on two cores. Only for the expected time. */
const SECONDS_EACH = 2.5;

async function main(args: readonly string[]): Promise<boolean> {
  const { required, rest: words } = takeRequired(args);
  const chosen = MUTANTS.filter(({ what }) => words.length === 0 || words.some((word) => what.includes(word)));
  if (chosen.length === 0) {
    console.error(`No mutant's description has ${words.map((word) => `"${word}"`).join(" or ")}`);
    return false;
  }
  const read = (file: string) => Deno.readTextFileSync(new URL(file, root));
  const misplaced = findMisplacedGuards(chosen, read);
  const wrong = misplaced.length > 0 ? misplaced : await findSyntaxErrors(chosen, read);
  for (const line of wrong) console.error(line);
  if (wrong.length > 0) {
    console.error(`${wrong.length} of ${chosen.length} mutants do not fit the source: correct tests/mutation/`);
    return false;
  }
  return await runAll(chosen, required.has("kafka"));
}

async function runAll(mutants: readonly Mutant[], requiresKafka: boolean): Promise<boolean> {
  const startedMs = performance.now();
  const problems: string[] = [];
  let done = 0;
  const ended = ({ what }: Mutant, problem: string | null) => {
    done++;
    const leftS = (performance.now() - startedMs) / 1000 / done * (mutants.length - done);
    const outcome = problem === null ? "noticed" : `NOT NOTICED, ${problem}`;
    console.log(`${done}/${mutants.length} ${what}: ${outcome} (${formatSeconds(leftS)} left)`);
    if (problem !== null) problems.push(`"${what}": ${problem}`);
  };
  const onKafka = mutants.filter(needsKafka);
  const others = mutants.filter((mutant) => !needsKafka(mutant));
  const expectedS = mutants.length * SECONDS_EACH / AT_ONCE;
  console.log(
    `${mutants.length} mutants, ${onKafka.length} of them on Kafka: expected time ${formatSeconds(expectedS)}`,
  );
  const signal = abortOnInterrupt();
  const [leftOut] = await Promise.all([
    runOnKafka(onKafka, signal, ended),
    runMutants(others, { atOnce: AT_ONCE, signal, ended }),
  ]);
  for (const problem of problems) console.error(problem);
  console.log(`${done - problems.length} mutants were noticed, ${problems.length} were not, ${leftOut} were left out`);
  if (signal.aborted) console.log("The run was interrupted");
  return problems.length === 0 && (leftOut === 0 || !requiresKafka) && !signal.aborted;
}

/** @returns how many were left out, since there is no Kafka */
async function runOnKafka(
  mutants: readonly Mutant[],
  signal: AbortSignal,
  ended: (mutant: Mutant, problem: string | null) => void,
): Promise<number> {
  if (mutants.length === 0) return 0;
  try {
    await using kafka = await kafkaForTests();
    await runMutants(mutants, { atOnce: AT_ONCE_ON_KAFKA, kafkaUrl: kafka.url, signal, ended });
    return 0;
  } catch (error) {
    if (!(error instanceof KafkaUnavailableError)) throw error;
    console.error(`The mutants that need a Kafka are left out: ${error.message}`);
    return mutants.length;
  }
}

if (import.meta.main) await runTask(main);
