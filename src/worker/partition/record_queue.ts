/**
 * The records of one ownership that wait in the process, in the order of the log. If too many wait, in this partition
 * or in the whole worker, the partition is not fetched from until there is space again: the next fetch is under way
 * while the last records run. A partition with no waiting record is always fetched from, so that stuck partitions which
 * fill the memory budget do not starve the others.
 */
import type { Consumer, Ownership } from "../../broker/broker.ts";
import { Fifo } from "../../support/fifo.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import type { QueuedRecord } from "./queued_record.ts";

/** The parts and limits of a queue. */
export interface RecordQueueOptions {
  readonly ownership: Ownership;
  readonly consumer: Pick<Consumer, "pause" | "resume">;
  readonly memoryBudget: MemoryBudget;
  /** The number of waiting records at which fetching pauses. */
  readonly maxRecords: number;
  /** The size of the waiting records at which fetching pauses, in bytes. */
  readonly maxBytes: number;
}

/** See the module. */
export class RecordQueue {
  readonly #options: RecordQueueOptions;
  readonly #memoryBudget: MemoryBudget;
  readonly #records = new Fifo<QueuedRecord>();
  #bytes = 0;
  #isPaused = false;

  constructor(options: RecordQueueOptions) {
    this.#options = options;
    this.#memoryBudget = options.memoryBudget;
  }

  /** The number of waiting records, the one that runs included. */
  get length(): number {
    return this.#records.length;
  }

  /** The first record; there must be one. */
  get first(): QueuedRecord {
    return this.#records.first!;
  }

  /** Returns the age of the first record in milliseconds, as far as clocks agree; `null` if it is unknown. */
  oldestAgeMs(nowMs: number): number | null {
    if (this.length === 0 || this.first.timestampMs <= 0) return null;
    return Math.max(0, nowMs - this.first.timestampMs);
  }

  /** Adds a record at the end. */
  push(record: QueuedRecord): void {
    this.#records.push(record);
    this.#bytes += record.memoryBytes;
    this.#memoryBudget.add(record.memoryBytes);
  }

  /** Removes the first record; there must be one. */
  shift(): void {
    const { memoryBytes } = this.#records.shift()!;
    this.#bytes -= memoryBytes;
    this.#memoryBudget.remove(memoryBytes);
    if (this.#isPaused) this.#resumeIfRoom();
  }

  /** Removes all records. */
  clear(): void {
    this.#records.clear();
    this.#memoryBudget.remove(this.#bytes);
    this.#bytes = 0;
  }

  /** Pauses fetching if enough records wait. */
  pauseIfFull(): void {
    if (this.#isPaused || (!this.#isFull && !this.#exceedsBudget)) return;
    this.#isPaused = true;
    this.#options.consumer.pause(this.#options.ownership);
    if (this.#exceedsBudget) this.#memoryBudget.whenRoom(this.#resumeIfRoom);
  }

  /** Whether enough wait. */
  get #isFull(): boolean {
    const { maxRecords, maxBytes } = this.#options;
    return this.length >= maxRecords || (this.length > 0 && this.#bytes >= maxBytes);
  }

  /** Whether the worker's memory budget is spent, and this partition has a part in it. */
  get #exceedsBudget(): boolean {
    return this.length > 0 && this.#memoryBudget.isFull;
  }

  // One function object, since the memory budget keeps each only once.
  readonly #resumeIfRoom = (): void => {
    if (!this.#isPaused || this.#isFull) return;
    if (this.#exceedsBudget) return this.#memoryBudget.whenRoom(this.#resumeIfRoom);
    this.#isPaused = false;
    this.#options.consumer.resume(this.#options.ownership);
  };
}
