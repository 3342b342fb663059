/**
 * Limits the bytes of fetched records that wait in a worker, over all partitions. A partition that would exceed the
 * limit pauses its fetching; as soon as there is space again, all partitions that paused for this reason are resumed.
 * The records of one fetch of each partition may exceed the limit.
 */
export class MemoryBudget {
  readonly #maxBytes: number;
  readonly #paused = new Set<() => void>();
  #bytes = 0;

  /** @param maxBytes the limit */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether no more should be fetched. */
  get isFull(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Counts the bytes of a record that was added. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Subtracts the bytes of records that were removed. */
  remove(bytes: number): void {
    const wasFull = this.isFull;
    this.#bytes -= bytes;
    if (!wasFull || this.isFull) return;
    const paused = [...this.#paused];
    this.#paused.clear();
    for (const resume of paused) resume();
  }

  /** Calls `resume` once when there is space again. The same function is kept only once. */
  whenRoom(resume: () => void): void {
    this.#paused.add(resume);
  }
}
