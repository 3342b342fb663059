/**
 * Schedules that are removed before they were released: superseded by a later one of their job, or cancelled. Each gets its
 * tombstone here. The index knows hashes only, so the key is read from the log first; if it names another job, the schedule
 * waits again.
 *
 * A cancellation gets its own tombstone after those of all that it cancels are acknowledged.
 */
import { Fifo } from "../support/fifo.ts";
import { type CancelOrder, jobIdOf } from "../dispatch/schedule.ts";
import type { SchedulerContext } from "./context.ts";
import { fetchRecords } from "./fetch_records.ts";
import type { ScheduleIndex } from "./schedule_index.ts";
import type { Tombstone, TombstoneWriter } from "./tombstones.ts";

/** A schedule that is to be removed. */
export interface Removal {
  readonly kind: "superseded" | "cancelled";
  /** The offset of the schedule. */
  readonly offset: number;
  /** The job that is scheduled again, or cancelled. */
  readonly jobId: string;
  /** The operator who cancels it, as far as known. */
  readonly order: CancelOrder;
}

/** A cancellation in the log. */
interface Cancellation {
  readonly kind: "cancellation";
  readonly offset: number;
  readonly key: Uint8Array | string;
  /** The offsets of the schedules that it cancels. */
  readonly cancels: readonly number[];
}

/** The parts of a partition that its removals work with. */
export interface RemovalsOptions {
  readonly context: SchedulerContext;
  readonly partition: number;
  readonly index: ScheduleIndex;
  readonly tombstones: TombstoneWriter;
  readonly signal: AbortSignal;
  /** Whether a schedule must not be removed yet: it is being released, or written with another due time. */
  readonly isHeld: (offset: number) => boolean;
  /** Called once a schedule has its tombstone. */
  readonly onFinished: (removal: Removal) => void;
}

const MAX_AT_ONCE = 1000;

/** See the module. */
export class Removals {
  readonly #options: RemovalsOptions;
  #queue = new Fifo<Removal | Cancellation>();

  constructor(options: RemovalsOptions) {
    this.#options = options;
  }

  /** The number of removals and cancellations that are not finished. */
  get length(): number {
    return this.#queue.length;
  }

  /** The lowest offset of a cancellation that is not finished; `Infinity` if there is none. */
  get front(): number {
    let front = Infinity;
    for (const { kind, offset } of this.#queue) if (kind === "cancellation") front = Math.min(front, offset);
    return front;
  }

  /** Returns the offsets of the schedules that are to be removed. */
  *offsets(): Generator<number> {
    for (const { kind, offset } of this.#queue) if (kind !== "cancellation") yield offset;
  }

  /** Adds a removal. */
  add(removal: Removal): void {
    this.#queue.push(removal);
  }

  /** Adds a cancellation, after the removals of what it cancels. */
  addCancellation(offset: number, key: Uint8Array | string, cancels: readonly number[]): void {
    this.#queue.push({ kind: "cancellation", offset, key, cancels });
  }

  /**
   * Finishes as many as may be finished now, a thousand at most.
   *
   * @returns whether one was finished
   * @throws {BrokerError} if the log cannot be read
   */
  async settle(): Promise<boolean> {
    const { index, isHeld, tombstones } = this.#options;
    const [taken, kept]: [Set<Removal | Cancellation>, Set<Removal | Cancellation>] = [new Set(), new Set()];
    for (const item of this.#queue) {
      if (taken.size >= MAX_AT_ONCE) break;
      const mayFinish = item.kind === "cancellation"
        ? !item.cancels.some((offset) => index.isRemoved(offset))
        : !isHeld(item.offset);
      (mayFinish ? taken : kept).add(item);
    }
    if (taken.size === 0) return false;
    const items = [...taken];
    const keys = await this.#readKeys(items);
    const done = new Set<Removal | Cancellation>();
    const open: Tombstone[] = [];
    for (const item of items) {
      if (item.kind === "cancellation") {
        open.push({ key: item.key, onWritten: () => void done.add(item) });
        continue;
      }
      const key = keys.get(item.offset);
      if (key === undefined || !index.has(item.offset)) {
        // It is not in the log any more: it has its tombstone.
        index.finish(item.offset);
        done.add(item);
      } else if (jobIdOf(key) !== item.jobId) {
        index.restore(item.offset);
        done.add(item);
      } else {
        open.push({ key, onWritten: () => this.#finish(item, done) });
      }
    }
    await tombstones.write(open);
    const queue = new Fifo<Removal | Cancellation>();
    for (const item of this.#queue) if (!done.has(item)) queue.push(item);
    this.#queue = queue;
    return done.size > 0;
  }

  #finish(removal: Removal, done: Set<Removal | Cancellation>): void {
    done.add(removal);
    this.#options.index.finish(removal.offset);
    this.#options.onFinished(removal);
  }

  async #readKeys(items: readonly (Removal | Cancellation)[]): Promise<Map<number, Uint8Array | string>> {
    const { context: { admin, topic }, partition, index, signal } = this.#options;
    const keys = new Map<number, Uint8Array | string>();
    const offsets = items.filter(({ kind, offset }) => kind !== "cancellation" && index.has(offset))
      .map(({ offset }) => offset)
      .sort((a, b) => a - b);
    await fetchRecords(offsets, { admin, topic, partition, values: false, signal }, ({ offset, key, value }) => {
      if (value !== null && key !== null) keys.set(offset, key);
    });
    return keys;
  }
}
