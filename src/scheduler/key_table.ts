/**
 * A hash table of the slots of a `ScheduleIndex` by their keys: the first 64 bits of a hash are those of the job id, the rest
 * those of the key. Slots of one bucket are linked in a chain, the latest one first; so are those of one job.
 */
import type { KeyHash } from "./hash.ts";
import { moveSlots } from "./slots.ts";

/** See the module. */
export class KeyTable {
  #high: Uint32Array<ArrayBuffer>;
  #low: Uint32Array<ArrayBuffer>;
  #rest: Uint32Array<ArrayBuffer>;
  /** The next slot of the same bucket, -1 for none; and the first one of each bucket. */
  #next: Int32Array;
  #first: Int32Array;

  /** @param capacity the number of slots, a power of two */
  constructor(capacity: number) {
    this.#high = new Uint32Array(capacity);
    this.#low = new Uint32Array(capacity);
    this.#rest = new Uint32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#first = new Int32Array(capacity).fill(-1);
  }

  /** Adds a slot. */
  add(slot: number, { high, low, rest }: KeyHash): void {
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#rest[slot] = rest;
    this.#link(slot);
  }

  /** Removes a slot. */
  remove(slot: number): void {
    const bucket = this.#bucketOf(this.#low[slot]!);
    let at = this.#first[bucket]!;
    if (at === slot) {
      this.#first[bucket] = this.#next[slot]!;
      return;
    }
    while (this.#next[at] !== slot) at = this.#next[at]!;
    this.#next[at] = this.#next[slot]!;
  }

  /** Returns the slot of a key; -1 if there is none. */
  find(hash: KeyHash): number {
    let slot = this.firstOfJob(hash);
    while (slot >= 0 && this.#rest[slot] !== hash.rest) slot = this.nextOfJob(slot);
    return slot;
  }

  /** Returns the latest slot of a job; -1 if there is none. */
  firstOfJob({ high, low }: KeyHash): number {
    return this.#findJob(this.#first[this.#bucketOf(low)]!, high, low);
  }

  /** Returns the slot of the same job before this one; -1 if there is none. */
  nextOfJob(slot: number): number {
    return this.#findJob(this.#next[slot]!, this.#high[slot]!, this.#low[slot]!);
  }

  /**
   * Moves the slots into arrays of another length.
   *
   * @param numbers the new number of each slot, or -1 if it is removed
   * @param end the number of slots that are kept
   * @param capacity the length: a power of two
   */
  renumber(numbers: Int32Array, end: number, capacity: number): void {
    // One array after the other: each old one may be freed before the next new one is made.
    this.#high = moveSlots(this.#high, numbers, new Uint32Array(capacity));
    this.#low = moveSlots(this.#low, numbers, new Uint32Array(capacity));
    this.#rest = moveSlots(this.#rest, numbers, new Uint32Array(capacity));
    if (capacity !== this.#next.length) {
      this.#next = new Int32Array(capacity);
      this.#first = new Int32Array(capacity);
    }
    this.#first.fill(-1);
    for (let slot = 0; slot < end; slot++) this.#link(slot);
  }

  #link(slot: number): void {
    const bucket = this.#bucketOf(this.#low[slot]!);
    this.#next[slot] = this.#first[bucket]!;
    this.#first[bucket] = slot;
  }

  #findJob(from: number, high: number, low: number): number {
    let slot = from;
    while (slot >= 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = this.#next[slot]!;
    return slot;
  }

  #bucketOf(low: number): number {
    return low & (this.#first.length - 1);
  }
}
