/**
 * What is promised about failures, spelled out record by record, for the tests of the failure policy. It shares nothing
 * with the code under test.
 */

/** How a record behaves, and what must become of it. */
export interface Fate {
  readonly offset: number;
  readonly runs: number;
  readonly end: "passed" | "dead";
}

/**
 * @param failuresOf how often each record fails before it passes
 * @param maxRetries how often a record (independent) or a partition (not independent) may fail more than once
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
