/**
 * Limits the fetched data that waits until its partitions are resumed. Without a limit each of many partitions would keep
 * the rest of a response: 256 partitions a megabyte each.
 *
 * While the budget is used up nothing is fetched. Partitions that take their data free a part of it, in turn; one that has
 * not taken anything for a second (a long job, a wait) gives its data back, so that it does not hold up the others: it is
 * fetched again when it is resumed.
 */
import type { FetchedPartition } from "./fetched_partition.ts";

/** A partition that takes nothing for so long gives its data back, in milliseconds. */
export const STALLED_MS = 1000;

/** See the module. */
export class FetchBudget {
  readonly #partitions: Iterable<FetchedPartition>;
  readonly #maxBytes: number;
  #isFull = false;

  /** @param partitions all that are fetched, at any time */
  constructor(partitions: Iterable<FetchedPartition>, maxBytes: number) {
    this.#partitions = partitions;
    this.#maxBytes = maxBytes;
  }

  /** Whether the budget was used up at the last check. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Checks whether another response may be fetched. @returns whether it may */
  check(): boolean {
    if (this.#bytes() >= this.#maxBytes) this.#takeBack();
    this.#isFull = this.#bytes() >= this.#maxBytes;
    return !this.#isFull;
  }

  #bytes(): number {
    let bytes = 0;
    for (const { waiting } of this.#partitions) {
      for (const { open, data } of waiting) bytes += data.length + (open === null ? 0 : open.bytes.length);
    }
    return bytes;
  }

  #takeBack(): void {
    const nowMs = performance.now();
    for (const at of this.#partitions) {
      const [first] = at.waiting;
      const isStalled = at.isPaused && at.parts === null && nowMs - at.takenMs > STALLED_MS;
      if (first !== undefined && isStalled) at.seek(first.from);
    }
  }
}
