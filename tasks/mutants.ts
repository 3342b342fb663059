/**
 * The mutants: a guard of the code is taken away in a copy of the project, and the tests that should miss it run there. A
 * mutant that no test notices means that the guard could be lost without anybody knowing. The list is in
 * `tests/mutation/mod.ts`, which is also what `deno task mutants` runs.
 *
 * Types are not checked in the copy: a test has to notice, not the compiler.
 */
import { copyProject } from "./copy.ts";
import { deno } from "./process.ts";

/** One guard, and how it is taken away. */
export interface Mutant {
  /** What the guard is there for, in a few words. */
  readonly what: string;
  /** The file it stands in: `"src/worker/partition/offset_tracker.ts"`. */
  readonly file: string;
  /** Its exact text, which stands in the file once. */
  readonly find: string;
  /** What stands there instead. */
  readonly replace: string;
  /** The test files of which at least one test must fail. Those in `tests/kafka` get the Kafka. */
  readonly tests: readonly string[];
  /** Whether those tests show it only on the Kafka, though they lie elsewhere: rows run on every broker. */
  readonly onKafka?: boolean;
  /** A part of the name of those tests that miss it, where the others of the file would only take their time. */
  readonly only?: string;
}

/** A mutant that does not end is noticed, too: the tests wait for something that no longer comes. */
const LIMIT_MS = 60_000;

/** Whether a mutant's tests need a Kafka. */
export function needsKafka({ tests, onKafka = false }: Mutant): boolean {
  return onKafka || tests.some((path) => path.startsWith("tests/kafka/"));
}

/**
 * Lets each mutant live for one run of its tests.
 *
 * @param say told of each mutant that was noticed
 * @param kafkaUrl the Kafka for those that need one
 * @returns a sentence for each one that was not noticed, or could not be made; none if all is well
 */
export async function survivors(
  mutants: readonly Mutant[],
  say: (line: string) => void,
  kafkaUrl?: string,
): Promise<string[]> {
  await using copy = await copyProject();
  const wrong: string[] = [];
  for (const [name, [mutant]] of Map.groupBy(mutants, nameOfTests)) {
    const outcome = await runTests(copy.url, mutant!, kafkaUrl);
    if (outcome !== "passed") wrong.push(`Without any change, ${name} ${outcome}: they can notice nothing`);
  }
  if (wrong.length > 0) return wrong;
  for (const mutant of mutants) {
    const { what, file, find, replace } = mutant;
    const url = new URL(file, copy.url);
    const source = await Deno.readTextFile(url);
    const found = source.split(find).length - 1;
    if (found !== 1) {
      wrong.push(`${what}: the guard must stand once in ${file}, but it stands there ${found} times`);
      continue;
    }
    // A function, since "$&" and its like mean something in a text.
    await Deno.writeTextFile(url, source.replace(find, () => replace));
    const outcome = await runTests(copy.url, mutant, kafkaUrl);
    await Deno.writeTextFile(url, source);
    if (outcome === "failed" || outcome === "did not end") say(`noticed (${outcome}): ${what}`);
    else wrong.push(`${what}: ${file} lost it, and ${nameOfTests(mutant)} ${outcome}`);
  }
  return wrong;
}

type Outcome = "passed" | "failed" | "did not end" | "could not be run";

function nameOfTests({ tests, only }: Mutant): string {
  return only === undefined ? tests.join(" ") : `"${only}" in ${tests.join(" ")}`;
}

async function runTests(cwd: URL, { tests, only }: Mutant, kafkaUrl?: string): Promise<Outcome> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const env = { BROKER_URL: kafkaUrl };
  const filter = only === undefined ? [] : [`--filter=${only}`];
  const { code, stdout } = await deno(["test", "-A", "--no-check", "--fail-fast", ...filter, ...tests], {
    cwd,
    env,
    signal,
  });
  if (signal.aborted) return "did not end";
  // A file that cannot be loaded fails as well, but no test of it does.
  if (/ \.\.\. FAILED \(/.test(stdout)) return "failed";
  return code === 0 && / [1-9]\d* passed/.test(stdout) ? "passed" : "could not be run";
}
