/**
 * Tracks which records of a partition are finished, and how far the group may be moved. Pure; one tracker for each
 * ownership.
 *
 * Records are ordered by arrival; offsets may have gaps (control records, aborted and compacted ones), so each record
 * says which position comes after it. The *front* is the position up to which every record is finished: only the front
 * is committed. The rest, finished or failed, is in the commit's metadata, which is finite: each record has
 * a place in it, and may start only once its place is within the limit. The record at the front always is.
 */
import { Fifo } from "../../support/fifo.ts";
import { LONGEST_RUN, type OffsetRange } from "./offset_states.ts";

/** A record while it is tracked. */
export interface TrackedRecord {
  /** Its offset. */
  readonly offset: number;
  /** The position after it, beyond offsets that hold no record. */
  readonly next: number;
  /** The time at which it was written, as the broker says; 0 if it is unknown. */
  readonly timestampMs: number;
  /** Whether it is finished. Only the tracker sets it. */
  isFinished: boolean;
  /** The end of its place in the commit's metadata: characters since the start of the ownership. Only the tracker sets it. */
  placeEnd: number;
}

/** See the module. */
export class OffsetTracker {
  /** The ranges that previous owners finished beyond the front at which this ownership started. */
  readonly #inherited: readonly OffsetRange[];
  /** The records from the front on. */
  readonly #records = new Fifo<TrackedRecord>();
  #front: number | null;
  /** The first of the inherited ranges that ends behind the last record. */
  #inheritedIndex = 0;
  /** The end of the place of the last record. */
  #placeEnd = 0;
  /** The last skipped offsets. */
  #filler: (TrackedRecord & { next: number }) | null = null;
  /** The end of the place of the last record that is behind the front. */
  #frontPlaceEnd = 0;

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

  /** The first record that is not finished; `undefined` if there is none. */
  get first(): TrackedRecord | undefined {
    return this.#records.first;
  }

  /** The position after the last record. */
  get end(): number {
    return this.#records.last?.next ?? this.#front ?? 0;
  }

  /**
   * Adds a record, in the order of the log.
   *
   * @returns whether a previous owner finished it: its job must not run again
   */
  add(record: TrackedRecord): boolean {
    const isFirst = this.size === 0;
    const gap = isFirst ? 0 : record.offset - this.end;
    record.placeEnd = this.#placeEnd += 1 + placeOf(gap) + placeOf(record.next - record.offset - 1);
    this.#records.push(record);
    if (isFirst) this.#moveFrontTo(record.offset);
    return this.#inherited.length > 0 && this.#wasFinished(record.offset);
  }

  /**
   * Returns whether a record may start: once it is finished, or has failed, the commit's metadata must have space for it.
   *
   * @param capacity the length of the metadata, in characters
   */
  fits(record: TrackedRecord, capacity: number): boolean {
    return record === this.#records.first || record.placeEnd - this.#frontPlaceEnd <= capacity;
  }

  /** Skips offsets before `next` that hold no record, such as aborted records at the end of a log. */
  skipTo(next: number): void {
    if (this.size === 0) this.#front = Math.max(next, this.#front ?? next);
    else if (next > this.end) this.#skipBehind(next);
  }

  /** Finishes a record. The front moves if all records before it are finished, too. */
  finish(record: TrackedRecord): void {
    record.isFinished = true;
    let first = this.#records.first;
    while (first?.isFinished) {
      this.#moveFrontTo(first.next);
      this.#frontPlaceEnd = first.placeEnd;
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
      if (to > this.end) ranges.push({ from: Math.max(from, this.end), to });
    }
    return ranges;
  }

  /** Skips offsets behind a record that is not finished. Aborted batches come one after the other: they are one run. */
  #skipBehind(next: number): void {
    if (this.#filler !== null && this.#records.last === this.#filler) this.#filler.next = next;
    else {
      this.#placeEnd += 1 + LONGEST_RUN;
      this.#filler = { offset: this.end, next, timestampMs: 0, isFinished: true, placeEnd: this.#placeEnd };
      this.#records.push(this.#filler);
    }
  }

  /** Every record before the first unfinished one is finished: offsets without a record count as finished. */
  #moveFrontTo(offset: number): void {
    this.#front = Math.max(this.#front ?? 0, offset);
  }

  /** Records arrive in the order of the log, and so are the ranges: each is passed once. */
  #wasFinished(offset: number): boolean {
    while (offset >= (this.#inherited[this.#inheritedIndex]?.to ?? Infinity)) this.#inheritedIndex++;
    return offset >= (this.#inherited[this.#inheritedIndex]?.from ?? Infinity);
  }
}

/** Offsets that hold no record are written as a run, at worst. */
function placeOf(gap: number): number {
  return Math.min(gap, LONGEST_RUN);
}
