/**
 * How much is waiting in a worker, over all partitions: the bound of its memory. A partition that would go over it pauses;
 * once there is room again, all that paused for this reason are told. What one fetch brings of each partition comes on top.
 */

/** A worker's intake. */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #paused = new Set<() => void>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether no more should be fetched. */
  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Counts what was taken in. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Counts what has left. */
  remove(bytes: number): void {
    const wasFull = this.isFull;
    this.#bytes -= bytes;
    if (!wasFull || this.isFull) return;
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const resume of paused) resume();
  }

  /** Calls once when there is room again; the same function is kept once. */
  whenRoom(resume: () => void): void {
    this.#paused.add(resume);
  }
}
