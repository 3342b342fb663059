/**
 * The index of all schedules of a partition that are not finished: numbers only, in typed arrays, 45 bytes for each (measured:
 * 47 MB a million; a `Map` of objects 167 MB). The strings stay in the log, and are read again when a schedule's time comes.
 *
 * Schedules come in the order of their offsets, each into the next slot; so the slots are sorted by offset. A finished one
 * frees its slot, and the rest is moved together once half of the slots are free.
 *
 *     waiting ──take──▶ taken ──finish──▶ finished
 *        ▲               │
 *        └───putBack─────┘
 *
 * A schedule may also be *removed*: it is superseded or cancelled, and its tombstone is to be written. Job ids are compared
 * by 64 bits of a hash: one that is removed by mistake waits again once its key is read (`restore`). A tombstone's key is
 * compared by 96 bits, which are not read again: with a million schedules and a million tombstones that is wrong once in 10^16.
 */
import { DueHeap } from "./due_heap.ts";
import { createHash, type HashKey, type KeyHash } from "./hash.ts";
import { KeyTable } from "./key_table.ts";
import { moveSlots } from "./slots.ts";

/** Bits of a slot's state. */
const TAKEN = 1;
const REMOVED = 2;
const FINISHED = 4;

const FIRST_CAPACITY = 256;
/** More schedules get space as they come. */
const MAX_RESERVED = 2 ** 21;

/** A schedule, as far as the index keeps it. */
export interface NewSchedule {
  /** Its offset, higher than that of each one before it. */
  readonly offset: number;
  /** Its key: the job id, a colon, and something random. */
  readonly key: string;
  readonly jobIdLength: number;
  /** The time at which it is due, in milliseconds since 1970. */
  readonly dueAtMs: number;
  /** The size of the record, in bytes. */
  readonly bytes: number;
}

/** See the module. */
export class ScheduleIndex {
  readonly #hashKey: HashKey;
  readonly #hash: KeyHash = { high: 0, low: 0, rest: 0 };
  readonly #heap: DueHeap;
  readonly #keys = new KeyTable(FIRST_CAPACITY);
  #offset = new Float64Array(FIRST_CAPACITY);
  #due = new Float64Array(FIRST_CAPACITY);
  #bytes = new Uint32Array(FIRST_CAPACITY);
  #state = new Uint8Array(FIRST_CAPACITY);
  /** The number of slots in use, finished ones included, and the lowest one that is not finished. */
  #end = 0;
  #front = 0;
  #size = 0;

  /** @param hashKey hashes keys @default one with a random seed */
  constructor(hashKey: HashKey = createHash()) {
    this.#hashKey = hashKey;
    this.#heap = new DueHeap((a, b) => {
      const [dueA, dueB] = [this.#due[a]!, this.#due[b]!];
      return dueA < dueB || (dueA === dueB && a < b);
    });
  }

  /** The number of schedules that are not finished. */
  get size(): number {
    return this.#size;
  }

  /** The offset of the first schedule that is not finished; `null` if there is none. */
  get front(): number | null {
    return this.#size === 0 ? null : this.#offset[this.#front]!;
  }

  /** The earliest due time of those that are waiting; `null` if there is none. */
  get nextDueAtMs(): number | null {
    const slot = this.#firstWaiting();
    return slot < 0 ? null : this.#due[slot]!;
  }

  /**
   * Makes space for so many schedules at once: arrays that grow leave as much memory behind. Memory that is not used costs
   * nothing until it is.
   */
  reserve(count: number): void {
    const capacity = 2 ** Math.ceil(Math.log2(Math.min(Math.max(count, 1), MAX_RESERVED)));
    if (capacity > this.#offset.length) this.#makeSpace(capacity);
  }

  /**
   * Adds a schedule, and returns the offsets of those before it that are not finished and have the same job id, as far as
   * hashes tell. It is waiting, or else taken already.
   */
  add({ offset, key, jobIdLength, dueAtMs, bytes }: NewSchedule, isTaken = false): number[] {
    if (this.#end === this.#offset.length) this.#makeSpace(nextCapacity(this.#size, this.#end));
    this.#hashKey(key, jobIdLength, this.#hash);
    const earlier = this.#offsetsOfJob();
    const slot = this.#end++;
    this.#offset[slot] = offset;
    this.#due[slot] = dueAtMs;
    this.#bytes[slot] = bytes;
    this.#state[slot] = isTaken ? TAKEN : 0;
    this.#keys.add(slot, this.#hash);
    this.#size++;
    if (!isTaken) this.#heap.push(slot);
    return earlier;
  }

  /** Returns the offsets of the schedules of a job that are not finished, as far as hashes tell. */
  offsetsOf(jobId: string): number[] {
    this.#hashKey(jobId, jobId.length, this.#hash);
    return this.#offsetsOfJob();
  }

  /** Returns the offset of the schedule with this key that is not finished; `null` if there is none. */
  find(key: string, jobIdLength: number): number | null {
    this.#hashKey(key, jobIdLength, this.#hash);
    const slot = this.#keys.find(this.#hash);
    return slot < 0 ? null : this.#offset[slot]!;
  }

  /** Takes the schedule that is due first. @returns its offset; `null` if none is waiting */
  take(): number | null {
    const slot = this.#firstWaiting();
    if (slot < 0) return null;
    this.#heap.pop();
    this.#state[slot]! |= TAKEN;
    return this.#offset[slot]!;
  }

  /** Lets a taken schedule wait again. */
  putBack(offset: number): void {
    const slot = this.#slotOf(offset);
    if (slot < 0 || (this.#state[slot]! & TAKEN) === 0) return;
    this.#state[slot]! &= ~TAKEN;
    this.#heap.push(slot);
  }

  /** Notes that a schedule is superseded or cancelled: it is not taken any more. */
  markRemoved(offset: number): void {
    const slot = this.#slotOf(offset);
    if (slot >= 0) this.#state[slot]! |= REMOVED;
  }

  /** Takes a removal back: it was meant for another job. */
  restore(offset: number): void {
    const slot = this.#slotOf(offset);
    if (slot < 0) return;
    this.#state[slot]! &= ~REMOVED;
    this.putBack(offset);
  }

  /** Ends a schedule. */
  finish(offset: number): void {
    const slot = this.#slotOf(offset);
    if (slot < 0) return;
    this.#keys.remove(slot);
    this.#state[slot] = FINISHED;
    this.#size--;
    while (this.#front < this.#end && this.#state[this.#front] === FINISHED) this.#front++;
  }

  /** Whether a schedule is not finished. */
  has(offset: number): boolean {
    return this.#slotOf(offset) >= 0;
  }

  /** Whether a schedule that is not finished is superseded or cancelled. */
  isRemoved(offset: number): boolean {
    const slot = this.#slotOf(offset);
    return slot >= 0 && (this.#state[slot]! & REMOVED) !== 0;
  }

  /** Whether an earlier schedule of the same job still awaits its tombstone, which must come first. */
  hasRemovedBefore(offset: number): boolean {
    const slot = this.#slotOf(offset);
    if (slot < 0) return false;
    for (let other = this.#keys.nextOfJob(slot); other >= 0; other = this.#keys.nextOfJob(other)) {
      if ((this.#state[other]! & REMOVED) !== 0) return true;
    }
    return false;
  }

  /** Returns the due time of a schedule that is not finished, in milliseconds since 1970. */
  dueAtMs(offset: number): number {
    const slot = this.#slotOf(offset);
    return slot < 0 ? Infinity : this.#due[slot]!;
  }

  /** Returns the size of the record of a schedule that is not finished, in bytes. */
  bytes(offset: number): number {
    const slot = this.#slotOf(offset);
    return slot < 0 ? 0 : this.#bytes[slot]!;
  }

  #firstWaiting(): number {
    for (let slot = this.#heap.first; slot >= 0; slot = this.#heap.first) {
      if (this.#state[slot] === 0) return slot;
      this.#heap.pop();
      // Not in the heap any more: `restore` adds it again.
      if (this.#state[slot] !== FINISHED) this.#state[slot]! |= TAKEN;
    }
    return -1;
  }

  /** Returns the offsets of the job whose id was hashed last. */
  #offsetsOfJob(): number[] {
    const offsets: number[] = [];
    for (let slot = this.#keys.firstOfJob(this.#hash); slot >= 0; slot = this.#keys.nextOfJob(slot)) {
      offsets.push(this.#offset[slot]!);
    }
    return offsets;
  }

  /** Finds the slot of a schedule that is not finished; -1 if there is none. */
  #slotOf(offset: number): number {
    let [from, to] = [this.#front, this.#end];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#offset[middle]! < offset) from = middle + 1;
      else to = middle;
    }
    return from < this.#end && this.#offset[from] === offset && this.#state[from] !== FINISHED ? from : -1;
  }

  /** Moves the slots together, into arrays of this length: a power of two. */
  #makeSpace(capacity: number): void {
    const numbers = new Int32Array(this.#end);
    let end = 0;
    for (let slot = 0; slot < this.#end; slot++) numbers[slot] = this.#state[slot] === FINISHED ? -1 : end++;
    // One array after the other: each old one may be freed before the next new one is made.
    this.#offset = moveSlots(this.#offset, numbers, new Float64Array(capacity));
    this.#due = moveSlots(this.#due, numbers, new Float64Array(capacity));
    this.#bytes = moveSlots(this.#bytes, numbers, new Uint32Array(capacity));
    this.#state = moveSlots(this.#state, numbers, new Uint8Array(capacity));
    this.#keys.renumber(numbers, end, capacity);
    this.#heap.renumber(numbers);
    this.#end = end;
    this.#front = 0;
  }
}

/** Doubles what is more than half full, and halves what is nearly empty. */
function nextCapacity(size: number, capacity: number): number {
  if (size > capacity / 2) return capacity * 2;
  return size < capacity / 8 ? Math.max(FIRST_CAPACITY, capacity / 2) : capacity;
}
