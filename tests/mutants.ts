/**
 * `deno task mutants [words]`: the guards that must not get lost, each with the tests that miss it. With words, only the
 * mutants whose `what` has one of them. How a mutant lives is said in `tasks/mutants.ts`.
 */
import { kafkaForTests } from "../tasks/kafka/for_tests.ts";
import { KafkaUnavailableError } from "../tasks/kafka/server.ts";
import { CORE_MUTANTS } from "./mutants/core.ts";
import { HEALTH_MUTANTS } from "./mutants/health.ts";
import { KAFKA_MUTANTS } from "./mutants/kafka.ts";
import { SQLITE_MUTANTS } from "./mutants/sqlite.ts";
import { TESTING_MUTANTS } from "./mutants/testing.ts";
import { type Mutant, needsKafka, survivors } from "../tasks/mutants.ts";

/** Every guard. */
export const MUTANTS: readonly Mutant[] = [
  {
    what: "a version is published only under its own tag",
    file: "tasks/check_tag.ts",
    find: "tag === `v${version}`",
    replace: "true",
    tests: ["tests/tasks/check_tag_test.ts"],
  },
  {
    what: "memory: an ownership goes on only if nobody else committed",
    file: "src/broker/memory/group.ts",
    find: "ownership.known === this.committed(ownership)",
    replace: "true",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "memory: a commit never moves the group back",
    file: "src/broker/memory/group.ts",
    find: "mark.next < before.offset",
    replace: "false",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "memory: commits are refused while partitions may move",
    file: "src/broker/memory/group.ts",
    find: 'this.#state === "releasing" ? "refused" :',
    replace: "",
    tests: ["tests/broker/memory/faults_test.ts"],
  },
  {
    what: "memory: a commit for the old log is not written into the new one",
    file: "src/broker/memory/group.ts",
    find: 'if (current !== ownership.source) return "ended";',
    replace: "",
    tests: ["tests/broker/memory/faults_test.ts"],
  },
  {
    what: "memory: a paused partition gets nothing",
    file: "src/broker/memory/consumer.ts",
    find: "if (ownership.paused) continue;",
    replace: "",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "cli: only a second signal that comes a second later forces",
    file: "src/cli/signals.ts",
    find: "nowMs - firstMs >= FORCE_AFTER_MS",
    replace: "nowMs > firstMs",
    tests: ["tests/behaviours/stopping_test.ts"],
  },
  {
    what: "cli: jobs that still run are told in the exit code",
    file: "src/cli/worker.ts",
    find: "report.unfinished.length > 0",
    replace: "false",
    tests: ["tests/behaviours/stopping_test.ts"],
  },
  {
    what: "cli: a promise that a job leaves behind does not end the process",
    file: "src/cli/uncaught_errors.ts",
    find: "event.preventDefault();",
    replace: "",
    tests: ["tests/cli/commands_test.ts"],
  },
  {
    what: "cli: enqueue waits for the acknowledgement",
    file: "src/cli/enqueue.ts",
    find: "await job.delivered()",
    replace: "job.position!",
    tests: ["tests/cli/commands_test.ts"],
  },
  {
    what: "generate: a file that differs is overwritten with --force only",
    file: "src/cli/generate/plan.ts",
    find: "return differing;",
    replace: 'return "force";',
    tests: ["tests/cli/generate_test.ts"],
  },
  {
    what: "the command line: a job that is known not to be written is said so",
    file: "src/cli/enqueue.ts",
    find: 'error?.written === "no"',
    replace: "false",
    tests: ["tests/cli/commands_test.ts"],
  },
  {
    what: "generate: where one file is a conflict, none is written",
    file: "src/cli/generate/apply_plan.ts",
    find: "conflicts.length === 0 && !isDryRun",
    replace: "!isDryRun",
    tests: ["tests/cli/generate_test.ts"],
  },
  {
    what: "generate: --dry-run writes nothing",
    file: "src/cli/generate/apply_plan.ts",
    find: "conflicts.length === 0 && !isDryRun",
    replace: "conflicts.length === 0",
    tests: ["tests/cli/generate_test.ts"],
  },
  {
    what: "generate: no link leads out of the project",
    file: "src/cli/generate/files.ts",
    find: "this.#refuseElsewhere(path);",
    replace: "",
    tests: ["tests/cli/generate_test.ts"],
  },
  {
    what: "generate: no two jobs get one name in jobs/mod.ts",
    file: "src/cli/generate/job_list.ts",
    find: "own === undefined && used > 0",
    replace: "false",
    tests: ["tests/cli/generate/job_list_test.ts"],
  },
  ...CORE_MUTANTS,
  ...HEALTH_MUTANTS,
  ...SQLITE_MUTANTS,
  ...KAFKA_MUTANTS,
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
