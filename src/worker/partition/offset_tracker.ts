/**
 * Which records of a partition are finished, and how far the group may be moved.
 *
 * Its order is the order in which records were taken, never integer neighbourhood: offsets have gaps where control
 * records, aborted and compacted ones lie, and each taken record says which position comes after it. The front is the
 * position up to which everything taken is finished; only the front is ever committed. One tracker an ownership; pure.
 */

/** A record from its taking to its end. */
export interface Taken {
  /** Its offset. */
  readonly offset: number;
  /** The position after it, beyond what will never be handed over. */
  readonly next: number;
  /** Whether it is finished. Set by the tracker alone. */
  finished: boolean;
}

/** Positions from `from` up to, not including, `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** Follows the records of one ownership. */
export class OffsetTracker {
  readonly #before: readonly OffsetRange[];
  // A queue with a moving head: shifting an array at each record would move all the others.
  #taken: (Taken | undefined)[] = [];
  #head = 0;
  #front: number | null;

  /**
   * @param front what the group has committed; `null` for nothing
   * @param finished what an earlier owner had finished beyond that
   */
  constructor(front: number | null, finished: readonly OffsetRange[] = []) {
    this.#front = front;
    this.#before = finished;
  }

  /** The position to commit; `null` while nothing is known of the partition. */
  get front(): number | null {
    return this.#front;
  }

  /** How many records are taken and not behind the front. */
  get open(): number {
    return this.#taken.length - this.#head;
  }

  /** Whether an earlier owner finished this offset: it must not be performed again. */
  wasFinished(offset: number): boolean {
    return this.#before.some(({ from, to }) => offset >= from && offset < to);
  }

  /** Takes a record, in the order of the log. */
  take(record: Taken): void {
    this.#taken.push(record);
    if (this.open === 1) this.#frontReaches(record);
  }

  /** Passes what lies before `next` and was never taken, such as the aborted records at the end of a log. */
  passTo(next: number): void {
    if (this.open === 0) this.#front = Math.max(next, this.#front ?? next);
    else if (next > this.#end) this.#taken.push({ offset: this.#end, next, finished: true });
  }

  /** A record is done. The front moves if all before it are done too. */
  finish(record: Taken): void {
    record.finished = true;
    for (let first = this.#taken[this.#head]; first?.finished; first = this.#taken[this.#head]) {
      this.#front = Math.max(this.#front!, first.next);
      this.#taken[this.#head++] = undefined;
    }
    const first = this.#taken[this.#head];
    if (first !== undefined) this.#frontReaches(first);
    if (this.#head === this.#taken.length || this.#head > 1024) {
      this.#taken = this.#taken.slice(this.#head);
      this.#head = 0;
    }
  }

  /**
   * What is finished beyond the front, in order: contiguous records make one range. What an earlier owner finished and
   * this one has not taken yet is told on, for the owner after this one.
   */
  finishedBeyond(): OffsetRange[] {
    const ranges: OffsetRange[] = [];
    let open: { from: number; to: number } | null = null;
    for (let index = this.#head; index < this.#taken.length; index++) {
      const { offset, next, finished } = this.#taken[index]!;
      if (!finished) open = null;
      else if (open !== null) open.to = next;
      else ranges.push(open = { from: offset, to: next });
    }
    for (const { from, to } of this.#before) {
      if (to > this.#end) ranges.push({ from: Math.max(from, this.#end), to });
    }
    return ranges;
  }

  /** All before the first record that is open is done: also what was never handed over. */
  #frontReaches({ offset }: Taken): void {
    this.#front = Math.max(this.#front ?? 0, offset);
  }

  /** The position after the last that was taken or passed. */
  get #end(): number {
    return this.open > 0 ? this.#taken[this.#taken.length - 1]!.next : this.#front ?? 0;
  }
}
