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
