/**
 * The records of one ownership that wait in the process, in the order of the log. When too many wait, here or in the whole
 * worker, the partition is not fetched from until there is room again: the next fetch is on its way while the last of them
 * run. One with nothing waiting is always fetched from, so that partitions which stand still and fill the worker never
 * starve the others.
 */
import type { Consumer, Ownership } from "../../broker/broker.ts";
import type { QueuedRecord } from "./decode.ts";
import type { MemoryBudget } from "../memory_budget.ts";

/** A partition's queue. */
export class RecordQueue {
  readonly #ownership: Ownership;
  readonly #consumer: Pick<Consumer, "pause" | "resume">;
  readonly #memoryBudget: MemoryBudget;
  readonly #max: number;
  // A queue with a moving head: shifting an array at each record would move all the others.
  // What is behind the head is let go of at once, since it would survive one collection after the other.
  #records: (QueuedRecord | undefined)[] = [];
  #head = 0;
  #paused = false;

  constructor(
    ownership: Ownership,
    consumer: Pick<Consumer, "pause" | "resume">,
    memoryBudget: MemoryBudget,
    max: number,
  ) {
    this.#ownership = ownership;
    this.#consumer = consumer;
    this.#memoryBudget = memoryBudget;
    this.#max = max;
  }

  /** How many wait. */
  get count(): number {
    return this.#records.length - this.#head;
  }

  /** The first; there must be one. */
  get first(): QueuedRecord {
    return this.#records[this.#head]!;
  }

  /** How long ago the first was written, in milliseconds, as far as clocks agree; `null` where that cannot be told. */
  oldestAgeMs(nowMs: number): number | null {
    if (this.count === 0 || this.first.timestampMs <= 0) return null;
    return Math.max(0, nowMs - this.first.timestampMs);
  }

  /** Adds one at the end. */
  push(record: QueuedRecord): void {
    this.#records.push(record);
    this.#memoryBudget.add(record.memoryBytes);
  }

  /** Takes the first away. */
  shift(): void {
    const { memoryBytes } = this.first;
    this.#records[this.#head++] = undefined;
    if (this.count === 0) {
      this.#records = [];
      this.#head = 0;
    }
    this.#memoryBudget.remove(memoryBytes);
    if (this.#paused) this.#resumeIfRoom();
  }

  /** Takes all away. */
  clear(): void {
    let bytes = 0;
    for (let index = this.#head; index < this.#records.length; index++) bytes += this.#records[index]!.memoryBytes;
    this.#records = [];
    this.#head = 0;
    this.#memoryBudget.remove(bytes);
  }

  /** Stops fetching where enough wait. */
  pauseIfFull(): void {
    if (this.#paused || (this.count < this.#max && !this.#crowded)) return;
    this.#paused = true;
    this.#consumer.pause(this.#ownership);
    if (this.#crowded) this.#memoryBudget.whenRoom(this.#resumeIfRoom);
  }

  /** Whether the whole worker holds too much, and this partition a part of it. */
  get #crowded(): boolean {
    return this.count > 0 && this.#memoryBudget.isFull;
  }

  // One function, which the intake keeps once however often it is told.
  readonly #resumeIfRoom = (): void => {
    if (!this.#paused || this.count >= this.#max) return;
    if (this.#crowded) return this.#memoryBudget.whenRoom(this.#resumeIfRoom);
    this.#paused = false;
    this.#consumer.resume(this.#ownership);
  };
}
