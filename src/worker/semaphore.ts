/**
 * Concurrency: how many jobs run in a worker at once. A partition takes a slot for each run and gives it back when the job
 * has settled. Those who wait get theirs in the order in which they came, so that no busy partition starves another.
 */

/** A worker's slots. */
export class Semaphore {
  readonly #size: number;
  #acquired = 0;
  #waiting: (() => void)[] = [];
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  /** How many are taken. */
  get acquired(): number {
    return this.#acquired;
  }

  /** Takes a slot if one is free and nobody waits. */
  tryAcquire(): boolean {
    if (this.#acquired >= this.#size) return false;
    this.#acquired++;
    return true;
  }

  /** Waits for a slot and takes it. */
  async acquire(): Promise<void> {
    if (this.tryAcquire()) return;
    // Handed over, not freed: `taken` stays as it is.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a slot back, to the first who waits. */
  release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#acquired--;
    if (this.#acquired === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
  }

  /** Resolves once no slot is taken. */
  idle(): Promise<void> {
    if (this.#acquired === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers<void>();
    return this.#idle.promise;
  }
}
