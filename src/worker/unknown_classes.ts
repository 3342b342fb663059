import { LimitedMap } from "../support/limited_map.ts";

/** The names come from records: no more than these are kept. Those that were noted first wait again. */
const MAX_NAMES = 1000;

/**
 * The unknown job classes that this worker has waited for. A deploy may bring a class, so the first record of an unknown
 * class waits (`unknownJobs.retryForMs`). If that was in vain, the next records of this class do not wait again: 500
 * records of a removed class must not hold a partition for 41 hours. One object for each worker.
 */
export class UnknownClasses {
  /** The longest time that a record of the class has waited, in milliseconds, by class name. */
  readonly #waitedMs = new LimitedMap<number>({ entries: MAX_NAMES });

  /** Returns whether a record of this class has waited for at least this time, in milliseconds. */
  hasWaited(jobClass: string, forMs: number): boolean {
    const waitedMs = this.#waitedMs.entries.get(jobClass);
    return waitedMs !== undefined && waitedMs >= forMs;
  }

  /** Notes that a record of this class has waited for this time, in milliseconds, and the class is still unknown. */
  add(jobClass: string, waitedMs: number): void {
    this.#waitedMs.set(jobClass, Math.max(waitedMs, this.#waitedMs.entries.get(jobClass) ?? 0));
  }
}
