/**
 * A wait group: counts operations that are not finished (running jobs, outcomes that are being settled, jobs that are being
 * sent), so that a stop can wait for them.
 */
export class WaitGroup {
  #count = 0;
  #empty: PromiseWithResolvers<void> | undefined;

  /** Number of operations that are not finished. */
  get count(): number {
    return this.#count;
  }

  /** Counts one more operation. */
  add(): void {
    this.#count++;
  }

  /** Counts one operation less. Each `add()` has exactly one `done()`. */
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
