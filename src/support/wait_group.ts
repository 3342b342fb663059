/**
 * A wait group: counts promises that are not settled yet. A worker counts the outcomes that are still being settled (the job
 * has ended, but is not yet marked, scheduled for retry or dead-lettered), so that a stop can wait for them.
 */

/** Counts promises until they are settled. */
export class WaitGroup {
  #count = 0;
  #none: PromiseWithResolvers<void> | undefined;

  /** Counts a promise until it is settled, and returns its result. */
  async track<T>(settling: Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await settling;
    } finally {
      this.#count--;
      if (this.#count === 0) {
        this.#none?.resolve();
        this.#none = undefined;
      }
    }
  }

  /** Resolves once no promise is counted. */
  whenEmpty(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    this.#none ??= Promise.withResolvers<void>();
    return this.#none.promise;
  }
}
