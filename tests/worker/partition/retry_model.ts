/**
 * The promises about failures, computed record by record, for the tests of the retry state. It shares nothing with the
 * code under test.
 */

/** The number of runs of a record, and its end. */
export interface Fate {
  readonly offset: number;
  readonly runs: number;
  readonly end: "passed" | "dead";
}

/**
 * Computes the fate of each record.
 *
 * @param failuresOf the number of failures of each record before it passes
 * @param maxRetries the number of retries of a record (independent) or of a partition (not independent)
 */
export function fatesOf(failuresOf: readonly number[], maxRetries: number, independent: boolean): Fate[] {
  let strikes = 0;
  return failuresOf.map((failures, offset) => {
    for (let runs = 1;; runs++) {
      if (runs > failures) {
        if (runs === 1) strikes = 0;
        return { offset, runs, end: "passed" };
      }
      strikes++;
      if ((independent ? runs : strikes) > maxRetries) return { offset, runs, end: "dead" };
    }
  });
}
