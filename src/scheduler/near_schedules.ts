/**
 * The schedules of a partition whose time is near, with their values: the next ones, up to a limit of memory. Those that wait in
 * the index are read from the log some time before they are due.
 */
import type { StoredRecord } from "../broker/broker.ts";
import { type Candidate, memoryOf, toCandidate } from "./candidate.ts";
import type { SchedulerContext } from "./context.ts";
import { fetchRecords } from "./fetch_records.ts";
import type { ScheduleIndex } from "./schedule_index.ts";
import { Upcoming } from "./upcoming.ts";

/** The values of schedules that are due in so many milliseconds are read. */
export const NEAR_MS = 30_000;

/** The parts of a partition that it works with. */
export interface NearSchedulesOptions {
  readonly context: SchedulerContext;
  readonly partition: number;
  readonly index: ScheduleIndex;
  /** Ends the reading. */
  readonly signal: AbortSignal;
  /** Returns the bytes of values that are held elsewhere, within the same limit. */
  readonly otherBytes: () => number;
  /** Called when something has changed. */
  readonly onProgress: () => void;
  /** Called with a schedule whose value cannot be read. */
  readonly onUnreadable: (offset: number, reason: string) => void;
  /** Called with an error of reading the log. Resolves when it may be read again. */
  readonly waitAfter: (error: unknown) => Promise<unknown>;
}

/** See the module. */
export class NearSchedules {
  readonly #options: NearSchedulesOptions;
  readonly #upcoming = new Upcoming();
  #isFetching = false;

  constructor(options: NearSchedulesOptions) {
    this.#options = options;
  }

  /** The due time of the first one, in milliseconds since 1970; `Infinity` if there is none. */
  get firstDueAtMs(): number {
    return this.#upcoming.first?.dueAtMs ?? Infinity;
  }

  /** Whether a schedule that has just come is due before all that wait, so that its value is kept. It makes space for it. */
  makeSpace(dueAtMs: number, bytes: number): boolean {
    const { context: { clock, maxValueBytes }, index } = this.#options;
    if (dueAtMs > clock.nowMs() + NEAR_MS) return false;
    if (dueAtMs >= (index.nextDueAtMs ?? Infinity)) return false;
    while (this.#heldBytes + bytes > maxValueBytes()) {
      const { last } = this.#upcoming;
      if (last === undefined || last.dueAtMs <= dueAtMs) return false;
      this.#upcoming.pop();
      index.putBack(last.offset);
    }
    return true;
  }

  /** Adds a schedule that was read with its value. */
  add(record: StoredRecord, dueAtMs: number): void {
    this.#upcoming.add({
      offset: record.offset,
      dueAtMs,
      bytes: memoryOf(record),
      candidate: toCandidate(record, dueAtMs),
    });
  }

  /** Removes a schedule, if it is there. */
  remove(offset: number): void {
    this.#upcoming.remove(offset, this.#options.index.dueAtMs(offset));
  }

  /** Removes all. */
  clear(): void {
    this.#upcoming.clear();
  }

  /** Removes those that are due and have their value, up to the first one that has not. */
  takeDue(nowMs: number): Candidate[] {
    return this.#upcoming.takeDue(nowMs);
  }

  /** Reads the values of what is due next, if there is space for them. */
  fetch(nowMs: number): void {
    if (this.#isFetching || !this.#hasNear(nowMs)) return;
    const { context, index } = this.#options;
    const maxBytes = context.maxValueBytes();
    // Many at once: where due times and offsets have different orders, each time most of the log is read.
    if (this.#heldBytes > maxBytes / 2) return;
    const offsets: number[] = [];
    while (this.#hasNear(nowMs)) {
      const offset = index.take()!;
      const [dueAtMs, bytes] = [index.dueAtMs(offset), index.bytes(offset)];
      this.#upcoming.add({ offset, dueAtMs, bytes, candidate: null });
      offsets.push(offset);
      if (this.#heldBytes >= maxBytes) break;
    }
    void this.#fetchValues(offsets);
  }

  /** The size of the records whose values are in memory, in bytes. */
  get #heldBytes(): number {
    return this.#upcoming.bytes + this.#options.otherBytes();
  }

  #hasNear(nowMs: number): boolean {
    return (this.#options.index.nextDueAtMs ?? Infinity) <= nowMs + NEAR_MS;
  }

  async #fetchValues(offsets: readonly number[]): Promise<void> {
    const { context: { admin, topic }, partition, index, signal, onProgress, waitAfter } = this.#options;
    this.#isFetching = true;
    let found = 0;
    try {
      const sorted = Float64Array.from(offsets).sort();
      await fetchRecords([...sorted], { admin, topic, partition, values: true, signal }, (record) => {
        this.#fill(record);
        if (++found % 500 === 0) onProgress();
      });
      // They are not in the log any more: they have their tombstones.
      for (const offset of this.#upcoming.takeUnread()) index.finish(offset);
    } catch (error) {
      for (const offset of this.#upcoming.takeUnread()) index.putBack(offset);
      await waitAfter(error);
    }
    this.#isFetching = false;
    onProgress();
  }

  #fill(record: StoredRecord): void {
    const { index, onUnreadable } = this.#options;
    const { offset } = record;
    const dueAtMs = index.dueAtMs(offset);
    const item = this.#upcoming.find(offset, dueAtMs);
    if (item === undefined) return;
    item.candidate = toCandidate(record, dueAtMs);
    if (item.candidate !== null) return;
    this.#upcoming.remove(offset, dueAtMs);
    index.finish(offset);
    onUnreadable(offset, record.unreadable ?? "its value is gone");
  }
}
