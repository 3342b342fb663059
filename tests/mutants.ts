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
