/**
 * What a worker has still to say the last word about: jobs that have ended, and records that are given up, until they are
 * finished, wait, or belong to somebody else. They hold no slot, since a dead letter topic that is away must not keep other
 * partitions from working; but a stop gives them a moment.
 */

/** Counts them. */
export class WaitGroup {
  #count = 0;
  #none: PromiseWithResolvers<void> | undefined;

  /** Counts one until its promise has settled. */
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

  /** Resolves once there are none. */
  empty(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    this.#none ??= Promise.withResolvers<void>();
    return this.#none.promise;
  }
}
