/**
 * The number of releases of a worker that have no acknowledged tombstone: each of them may be released again after the process
 * is killed, so there are 1,000 at most, over all partitions.
 */

/** The most releases without an acknowledged tombstone. */
export const MAX_OPEN_RELEASES = 1000;

/** See the module. */
export class ReleaseLimit {
  #free = MAX_OPEN_RELEASES;
  readonly #waiting = new Set<() => void>();

  /**
   * Takes up to so many, but at most half of what is free, so that a target that does not respond never gets all.
   *
   * @param wanted more than 0
   * @param onFree called once some are free again, if there are none
   * @returns the number; 0 if there are none
   */
  take(wanted: number, onFree: () => void): number {
    const count = Math.min(wanted, Math.ceil(this.#free / 2));
    if (count === 0) this.#waiting.add(onFree);
    this.#free -= count;
    return count;
  }

  /** Gives some back. */
  give(count: number): void {
    if (count === 0) return;
    this.#free += count;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const onFree of waiting) onFree();
  }
}
