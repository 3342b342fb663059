/**
 * `deno task mutants [words]`: the guards that must not get lost, each with the tests that miss it. With words, only the
 * mutants whose `what` has one of them. How a mutant lives is said in `tasks/mutants.ts`.
 */
import { kafkaForTests } from "../tasks/kafka/for_tests.ts";
import { KafkaUnavailableError } from "../tasks/kafka/server.ts";
import { type Mutant, needsKafka, survivors } from "../tasks/mutants.ts";

const MUTANTS: readonly Mutant[] = [
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
    tests: ["tests/broker/memory_test.ts"],
  },
  {
    what: "memory: a commit never moves the group back",
    file: "src/broker/memory/group.ts",
    find: "mark.next < before.offset",
    replace: "false",
    tests: ["tests/broker/memory_test.ts"],
  },
  {
    what: "memory: commits are refused while partitions may move",
    file: "src/broker/memory/group.ts",
    find: 'this.#state === "releasing" ? "refused" :',
    replace: "",
    tests: ["tests/broker/memory_faults_test.ts"],
  },
  {
    what: "memory: a commit for the old log is not written into the new one",
    file: "src/broker/memory/group.ts",
    find: 'if (current !== ownership.source) return "ended";',
    replace: "",
    tests: ["tests/broker/memory_faults_test.ts"],
  },
  {
    what: "memory: a paused partition gets nothing",
    file: "src/broker/memory/consumer.ts",
    find: "if (ownership.paused) continue;",
    replace: "",
    tests: ["tests/broker/memory_test.ts"],
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
    file: "src/cli/worker.ts",
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
    what: "kafka: an ownership goes on only if the group's commit is its own",
    file: "src/broker/kafka/share.ts",
    find: "ownership !== null && ownership.provedBy(now)",
    replace: "ownership !== null",
    tests: ["tests/kafka/consumer_test.ts"],
  },
  {
    what: "kafka: who comes back as another member has lost what he owned",
    file: "src/broker/kafka/share.ts",
    find: "memberId !== this.#memberId",
    replace: "false",
    tests: ["tests/kafka/conformance_test.ts"],
  },
  {
    what: "kafka: a commit never moves the group back",
    file: "src/broker/kafka/share.ts",
    find: "intake.proved && next >= intake.ownership!.floor",
    replace: "intake.proved",
    tests: ["tests/kafka/conformance_test.ts"],
  },
  {
    what: "kafka: nothing of an ended ownership is committed",
    file: "src/broker/kafka/share.ts",
    find: "intake !== null && intake.ownership === ownership ? intake : null",
    replace: "intake",
    tests: ["tests/kafka/conformance_test.ts"],
  },
  {
    what: "kafka: a client whose batch was given up is thrown away",
    file: "src/broker/kafka/producer.ts",
    find: "if (maybeWritten) this.#throwAway();",
    replace: "",
    tests: ["tests/kafka/producer_test.ts"],
  },
  {
    what: "kafka: a batch whose answer was lost may be written",
    file: "src/broker/kafka/producer.ts",
    find: "if (sent && (type === null || AMBIGUOUS.has(type) || batches.length > 1)) mark(batches);",
    replace: "",
    tests: ["tests/kafka/producer_test.ts"],
  },
  {
    what: "kafka: of two claims the younger is true",
    file: "src/broker/kafka/assigner.ts",
    find: "b.sinceMs - a.sinceMs ||",
    replace: "",
    tests: ["tests/broker/kafka/assigner_test.ts"],
  },
  {
    what: "kafka: a heartbeat counts from when it was sent",
    file: "src/broker/kafka/session.ts",
    find: "performance.now() - Math.max(0, Date.now() - sentAt)",
    replace: "performance.now() + Math.min(0, sentAt)",
    tests: ["tests/broker/kafka/session_test.ts"],
  },
];

async function main(words: readonly string[]): Promise<boolean> {
  const chosen = MUTANTS.filter(({ what }) => words.length === 0 || words.some((word) => what.includes(word)));
  const onKafka = chosen.filter(needsKafka);
  const wrong = await survivors(chosen.filter((mutant) => !needsKafka(mutant)), console.log);
  let leftOut = 0;
  if (onKafka.length > 0) {
    try {
      await using kafka = await kafkaForTests();
      wrong.push(...await survivors(onKafka, console.log, kafka.url));
    } catch (error) {
      if (!(error instanceof KafkaUnavailableError)) throw error;
      leftOut = onKafka.length;
      console.error(`The mutants that need a Kafka were left out: ${error.message}`);
    }
  }
  for (const line of wrong) console.error(line);
  console.log(
    `${chosen.length - leftOut - wrong.length} mutants were noticed, ${wrong.length} were not, ${leftOut} left out`,
  );
  return wrong.length === 0 && chosen.length > 0 && (leftOut === 0 || Deno.env.get("CI") !== "true");
}

if (import.meta.main) Deno.exit(await main(Deno.args) ? 0 : 1);
