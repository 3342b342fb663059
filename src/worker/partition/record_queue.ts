/**
 * The records of one ownership that are in the process and not finished.
 *
 *     push ──▶ (behind its lane) ──▶ (beyond the window) ──▶ ready ──▶ take ──▶ remove
 *                                                              ▲         │
 *                                                              └─ retry ─┘
 *
 * - A *lane* is a sequence of records that run one by one, in the order of the log: a record is ready once the one before
 *   it in its lane is removed. The topic's `ordering` says what a lane is, and only this file knows of it: the partition,
 *   a key, or each record for itself. A lane is a chain of its records; it costs one entry of a map while it has any.
 * - A record is ready only if the commit's metadata has space for it: see `OffsetTracker.fits`.
 * - If too many records wait, here or in the whole worker, the partition is not fetched from until there is space again:
 *   the next fetch is under way while the last records run. A partition with no waiting record is always fetched from, so
 *   that stuck partitions which fill the memory budget do not starve the others.
 */
import type { Consumer, Ownership } from "../../broker/broker.ts";
import type { PauseScope } from "../../monitor/events.ts";
import type { Ordering } from "../../routing/topic.ts";
import { Fifo } from "../../support/fifo.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import { dropContent, type QueuedRecord } from "./queued_record.ts";

/** The parts and limits of a queue. */
export interface RecordQueueOptions {
  readonly ordering: Ordering;
  readonly ownership: Ownership;
  readonly consumer: Pick<Consumer, "pause" | "resume">;
  readonly memoryBudget: MemoryBudget;
  /** The number of records at which fetching pauses. */
  readonly maxRecords: number;
  /** The size of the records at which fetching pauses, in bytes. */
  readonly maxBytes: number;
  /** Returns whether the commit's metadata has space for a record. */
  readonly fits: (record: QueuedRecord) => boolean;
  /** Called with a record that was ready and has no space any more: by a getter, so it must change nothing at once. */
  readonly onKeptBack: (record: QueuedRecord) => void;
}

/** One value of `ordering`. */
interface Lanes {
  /** Returns the lane of a record; `null` for a record that is in order with no other. */
  readonly laneOf: (record: QueuedRecord) => string | null;
  /** The records that wait together with one that failed. */
  readonly scope: PauseScope;
}

const LANES: Readonly<Record<Ordering, Lanes>> = {
  partition: { laneOf: () => "", scope: "partition" },
  key: { laneOf: (record) => record.key, scope: "key" },
  none: { laneOf: () => null, scope: "record" },
};

/** See the module. */
export class RecordQueue {
  readonly #options: RecordQueueOptions;
  readonly #laneOf: Lanes["laneOf"];
  readonly #memoryBudget: MemoryBudget;
  /** The last record of each lane. */
  readonly #lanes = new Map<string, QueuedRecord>();
  readonly #ready = new Fifo<QueuedRecord>();
  /** The records that are only kept back by the window, in the order of the log. */
  #beyond: QueuedRecord[] = [];
  #length = 0;
  #taken = 0;
  #bytes = 0;
  #isPaused = false;

  /** The records that wait together with one that failed. */
  readonly scope: PauseScope;

  constructor(options: RecordQueueOptions) {
    const { laneOf, scope } = LANES[options.ordering];
    this.#options = options;
    this.#laneOf = laneOf;
    this.scope = scope;
    this.#memoryBudget = options.memoryBudget;
  }

  /** The number of records, those that were taken included. */
  get length(): number {
    return this.#length;
  }

  /** The number of records that were taken: they run, or wait for their next try. */
  get taken(): number {
    return this.#taken;
  }

  /** The number of records that are ready. */
  get ready(): number {
    return this.#ready.length;
  }

  /** Whether a record is ready. */
  get hasReady(): boolean {
    // The space in the commit may have shrunk since it became ready.
    for (let { first } = this.#ready; first !== undefined && !this.#options.fits(first); { first } = this.#ready) {
      this.#ready.shift();
      this.#keepBack(first);
      this.#options.onKeptBack(first);
    }
    return this.#ready.length > 0;
  }

  /** The number of lanes that have a record: for tests of its memory. */
  get lanes(): number {
    return this.#lanes.size;
  }

  /** The number of records that were taken or are ready. */
  get active(): number {
    return this.#taken + this.#ready.length;
  }

  /** Whether the records that are not active stay so, and no more is read, while no active one is removed. */
  get isKeptBack(): boolean {
    return this.#isPaused || this.#beyond.length > 0;
  }

  /** Whether the lookahead is used up: no record is ready, and none can become so. The order of the partition has none. */
  get isExhausted(): boolean {
    return this.scope !== "partition" && !this.hasReady && this.isKeptBack;
  }

  /** Adds a record at the end of the log. */
  push(record: QueuedRecord): void {
    this.#length++;
    this.#bytes += record.memoryBytes;
    this.#memoryBudget.add(record.memoryBytes);
    const lane = this.#laneOf(record);
    if (lane !== null) {
      const last = this.#lanes.get(lane);
      this.#lanes.set(lane, record);
      if (last !== undefined) {
        last.behind = record;
        return;
      }
    }
    this.#makeReady(record);
  }

  /** Takes the record that became ready first; there must be one. */
  take(): QueuedRecord {
    this.#taken++;
    return this.#ready.shift()!;
  }

  /** Makes a record ready again that was taken. */
  retry(record: QueuedRecord): void {
    this.#taken--;
    this.#ready.push(record);
  }

  /** Removes a record that was taken and is finished: its lane goes on. */
  remove(record: QueuedRecord): void {
    this.#taken--;
    this.#length--;
    const { memoryBytes, behind } = record;
    this.#bytes -= memoryBytes;
    this.#memoryBudget.remove(memoryBytes);
    if (behind !== null) this.#makeReady(behind);
    else {
      const lane = this.#laneOf(record);
      if (lane !== null) this.#lanes.delete(lane);
    }
    dropContent(record);
    if (this.#beyond.length > 0) this.#moveWindow();
    if (this.#isPaused) this.#resumeIfRoom();
  }

  /** Removes all records. */
  clear(): void {
    this.#ready.clear();
    this.#lanes.clear();
    this.#beyond = [];
    this.#length = 0;
    this.#taken = 0;
    this.#memoryBudget.remove(this.#bytes);
    this.#bytes = 0;
  }

  /** Pauses fetching if enough records wait. */
  pauseIfFull(): void {
    if (this.#isPaused || (!this.#hasEnough && !this.#exceedsBudget)) return;
    this.#isPaused = true;
    this.#options.consumer.pause(this.#options.ownership);
    if (this.#exceedsBudget) this.#memoryBudget.whenRoom(this.#resumeIfRoom);
  }

  #makeReady(record: QueuedRecord): void {
    if (this.#options.fits(record)) this.#ready.push(record);
    else this.#keepBack(record);
  }

  #keepBack(record: QueuedRecord): void {
    // A binary search: with a thousand keys, as many records may be kept back.
    let [at, end] = [0, this.#beyond.length];
    while (at < end) {
      const middle = (at + end) >> 1;
      if (this.#beyond[middle]!.offset < record.offset) at = middle + 1;
      else end = middle;
    }
    this.#beyond.splice(at, 0, record);
  }

  /** Makes ready what the window has come to. */
  #moveWindow(): void {
    let count = 0;
    while (count < this.#beyond.length && this.#options.fits(this.#beyond[count]!)) {
      this.#ready.push(this.#beyond[count++]!);
    }
    if (count > 0) this.#beyond.splice(0, count);
  }

  /** Whether enough wait. */
  get #hasEnough(): boolean {
    const { maxRecords, maxBytes } = this.#options;
    return this.#length >= maxRecords || (this.#length > 0 && this.#bytes >= maxBytes);
  }

  /** Whether the worker's memory budget is spent, and this partition has a part in it. */
  get #exceedsBudget(): boolean {
    return this.#length > 0 && this.#memoryBudget.isFull;
  }

  // One function object, since the memory budget keeps each only once.
  readonly #resumeIfRoom = (): void => {
    if (!this.#isPaused || this.#hasEnough) return;
    if (this.#exceedsBudget) return this.#memoryBudget.whenRoom(this.#resumeIfRoom);
    this.#isPaused = false;
    this.#options.consumer.resume(this.#options.ownership);
  };
}
