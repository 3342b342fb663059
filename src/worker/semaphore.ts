/**
 * Limits the number of jobs that run at once in a worker. A partition takes one slot for each run and gives it back when
 * the job has settled. Partitions get slots in the order in which they ask, so that a busy one does not starve another.
 */
import { Fifo } from "../support/fifo.ts";
import { WaitGroup } from "../support/wait_group.ts";

/** See the module. */
export class Semaphore {
  readonly #size: number;
  readonly #acquired = new WaitGroup();
  readonly #waiting = new Fifo<() => void>();

  /** @param size the number of slots */
  constructor(size: number) {
    this.#size = size;
  }

  /** The number of slots that are taken. */
  get acquired(): number {
    return this.#acquired.count;
  }

  /** Takes a slot if one is free. @returns whether it did */
  tryAcquire(): boolean {
    if (this.#acquired.count >= this.#size) return false;
    this.#acquired.add();
    return true;
  }

  /** Waits for a slot and takes it. */
  async acquire(): Promise<void> {
    if (this.tryAcquire()) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives a slot back. The first waiter takes it over: the count stays the same, so that no newcomer overtakes it. */
  release(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else this.#acquired.done();
  }

  /** Resolves once no slot is taken. */
  idle(): Promise<void> {
    return this.#acquired.whenEmpty();
  }
}
