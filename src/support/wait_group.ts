/**
 * Counts what is under way, and lets others wait until nothing is: running jobs, outcomes that are being settled, jobs
 * that are being sent.
 */
export class WaitGroup {
  #count = 0;
  #empty: PromiseWithResolvers<void> | undefined;

  /** The number of those under way. */
  get count(): number {
    return this.#count;
  }

  /** Counts one more. */
  add(): void {
    this.#count++;
  }

  /** Counts one less. Each `add()` has exactly one `done()`. */
  done(): void {
    this.#count--;
    if (this.#count > 0) return;
    this.#empty?.resolve();
    this.#empty = undefined;
  }

  /** Counts a promise until it settles. @returns its result */
  async track<T>(promise: Promise<T>): Promise<T> {
    this.add();
    try {
      return await promise;
    } finally {
      this.done();
    }
  }

  /** Resolves at the next moment at which the count is 0. */
  whenEmpty(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    this.#empty ??= Promise.withResolvers<void>();
    return this.#empty.promise;
  }
}
