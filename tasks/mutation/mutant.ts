import { deno } from "../process.ts";

/** A mutant: a guard of the code, the change that takes it away, and the tests that must fail without it. */
export interface Mutant {
  /** The promise that the guard keeps, in a few words. */
  readonly what: string;
  /** The file of the guard: `"src/worker/drain.ts"`. */
  readonly file: string;
  /** Its exact text, which must be in the file once. */
  readonly find: string;
  /** The text that replaces it. */
  readonly replace: string;
  /** The test files of which at least one test must fail. Those in `tests/kafka` get the Kafka. */
  readonly tests: readonly string[];
  /** Whether the tests notice only on Kafka though they are not in `tests/kafka`: behaviours run on every broker. */
  readonly onKafka?: boolean;
  /** A part of the names of the tests that notice, if the others of the file would only take time. */
  readonly only?: string;
}

/** Whether a mutant's tests need a Kafka. */
export function needsKafka({ tests, onKafka = false }: Mutant): boolean {
  return onKafka || tests.some((path) => path.startsWith("tests/kafka/"));
}

/**
 * Checks that each guard is in its file exactly once.
 *
 * @param read returns the source of a file
 * @returns a sentence for each guard that is not
 */
export function findMisplacedGuards(mutants: readonly Mutant[], read: (file: string) => string): string[] {
  return mutants.flatMap(({ what, file, find }) => {
    const found = read(file).split(find).length - 1;
    if (found === 1) return [];
    return [`"${what}": the text to replace must be in ${file} once, but it is there ${found} times: ${find}`];
  });
}

/**
 * Checks that each changed source can be parsed: a test fails without any assertion where it loads one that cannot.
 *
 * @param read returns the source of a file
 * @returns a sentence for each that cannot
 */
export async function findSyntaxErrors(
  mutants: readonly Mutant[],
  read: (file: string) => string,
): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    for (const [at, { file, find, replace }] of mutants.entries()) {
      await Deno.writeTextFile(`${folder}/${at}.ts`, read(file).replace(find, () => replace));
    }
    const { stdout } = await deno(["lint", "--no-config", "--json", "."], { cwd: folder });
    const { errors } = JSON.parse(stdout) as { errors: readonly { file_path: string; message: string }[] };
    return errors.map(({ file_path, message }) => {
      const mutant = mutants[Number(/(\d+)\.ts$/.exec(file_path)![1])]!;
      return `"${mutant.what}": the changed ${mutant.file} cannot be parsed: ${message.split("\n")[0]}`;
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
