/**
 * Tracks which records of a partition are finished, and how far the group may be moved. Pure; one tracker for each
 * ownership.
 *
 * Records are ordered by arrival; offsets may have gaps (control records, aborted and compacted ones), so each record
 * says which position comes after it. The *front* is the position up to which every record is finished: only the front
 * is committed. Ranges that are finished beyond the front are in the commit's metadata.
 */
import { Fifo } from "../../support/fifo.ts";

/** A record while it is tracked. */
export interface TrackedRecord {
  /** Its offset. */
  readonly offset: number;
  /** The position after it, beyond offsets that hold no record. */
  readonly next: number;
  /** Whether it is finished. Only the tracker sets it. */
  isFinished: boolean;
}

/** The positions from `from` up to, but without, `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** See the module. */
export class OffsetTracker {
  /** The ranges that previous owners finished beyond the front at which this ownership started. */
  readonly #inherited: readonly OffsetRange[];
  /** The records from the front on. */
  readonly #records = new Fifo<TrackedRecord>();
  #front: number | null;

  /**
   * @param front what the group has committed; `null` for nothing
   * @param inherited what previous owners finished beyond it
   */
  constructor(front: number | null, inherited: readonly OffsetRange[] = []) {
    this.#front = front;
    this.#inherited = inherited;
  }

  /** The position to commit; `null` while nothing is known of the partition. */
  get front(): number | null {
    return this.#front;
  }

  /** The number of tracked records that are not behind the front. */
  get size(): number {
    return this.#records.length;
  }

  /** Returns whether a previous owner finished this offset: its job must not run again. */
  wasFinished(offset: number): boolean {
    return this.#inherited.some(({ from, to }) => offset >= from && offset < to);
  }

  /** Adds a record, in the order of the log. */
  add(record: TrackedRecord): void {
    this.#records.push(record);
    if (this.size === 1) this.#moveFrontTo(record.offset);
  }

  /** Skips offsets before `next` that hold no record, such as aborted records at the end of a log. */
  skipTo(next: number): void {
    if (this.size === 0) this.#front = Math.max(next, this.#front ?? next);
    else if (next > this.#end) this.#records.push({ offset: this.#end, next, isFinished: true });
  }

  /** Finishes a record. The front moves if all records before it are finished, too. */
  finish(record: TrackedRecord): void {
    record.isFinished = true;
    let first = this.#records.first;
    while (first?.isFinished) {
      this.#moveFrontTo(first.next);
      this.#records.shift();
      first = this.#records.first;
    }
    if (first !== undefined) this.#moveFrontTo(first.offset);
  }

  /**
   * Returns what is finished beyond the front, in order; adjacent records make one range. Ranges that a previous owner
   * finished and that have not arrived yet are passed on to the next owner.
   */
  finishedRanges(): OffsetRange[] {
    const ranges: OffsetRange[] = [];
    let current: { from: number; to: number } | null = null;
    for (const { offset, next, isFinished } of this.#records) {
      if (!isFinished) current = null;
      else if (current !== null) current.to = next;
      else ranges.push(current = { from: offset, to: next });
    }
    for (const { from, to } of this.#inherited) {
      if (to > this.#end) ranges.push({ from: Math.max(from, this.#end), to });
    }
    return ranges;
  }

  /** Every record before the first unfinished one is finished: offsets without a record count as finished. */
  #moveFrontTo(offset: number): void {
    this.#front = Math.max(this.#front ?? 0, offset);
  }

  /** The position after the last record. */
  get #end(): number {
    return this.#records.last?.next ?? this.#front ?? 0;
  }
}
