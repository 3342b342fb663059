/**
 * Reads the log of a partition of delayed jobs: each record adds a schedule, or removes earlier ones (a tombstone, a
 * cancellation, a schedule of the same job). A record that is not one of them is set aside: it is reported, and stays.
 */
import type { StoredRecord } from "../broker/broker.ts";
import { textOf } from "../broker/record_text.ts";
import {
  type CancelOrder,
  NO_ORDER,
  readScheduled,
  type Schedule,
  type ScheduledRecord,
} from "../dispatch/schedule.ts";
import type { TopicPartition } from "../support/position.ts";
import { memoryOf } from "./candidate.ts";
import type { SchedulerContext } from "./context.ts";
import type { NearSchedules } from "./near_schedules.ts";
import type { RecurringJobs } from "./recurring/recurring_jobs.ts";
import { decodeTick } from "./recurring/tick_record.ts";
import type { Releases } from "./releases.ts";
import type { Removal, Removals } from "./removals.ts";
import type { ScheduleIndex } from "./schedule_index.ts";

/** The parts of a partition on which its records act. */
export interface ScheduleReaderOptions {
  readonly place: TopicPartition;
  readonly context: SchedulerContext;
  /** The position at which the reading starts; `null` for the start of the log. */
  readonly from: number | null;
  /** Records before this offset that cannot be read were reported already. */
  readonly reported: number;
  readonly index: ScheduleIndex;
  readonly near: NearSchedules;
  readonly releases: Releases;
  readonly removals: Removals;
  /** `null` where no record of a recurring job may be. */
  readonly recurring: RecurringJobs | null;
}

/** See the module. */
export class ScheduleReader {
  readonly #options: ScheduleReaderOptions;
  /** Everything before it was read; `null` while nothing is known. */
  #live: number | null;
  #keepsValues = false;
  #unreadable = 0;

  constructor(options: ScheduleReaderOptions) {
    this.#options = options;
    this.#live = options.from;
  }

  /** Everything before it was read; `null` while nothing is known. */
  get live(): number | null {
    return this.#live;
  }

  /** The number of records that could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Keeps the values of the schedules that come and are due next, from now on. */
  keepValues(): void {
    this.#keepsValues = true;
  }

  /** Reads records. @param next everything before it was read */
  read(records: readonly StoredRecord[], next: number): void {
    const live = this.#live ?? 0;
    for (const record of records) if (record.offset >= live) this.#read(record);
    this.#live = Math.max(next, live);
  }

  /** Sets a record aside that cannot be read. */
  setAside(offset: number, reason: string): void {
    const { context: { monitor }, place: { topic, partition }, reported } = this.#options;
    this.#unreadable++;
    if (offset >= reported) monitor.emit("schedule.unreadable", { topic, partition, offset, reason });
  }

  #read(record: StoredRecord): void {
    const read = readScheduled(record);
    switch (read.kind) {
      case "schedule":
        return this.#addSchedule(record, read);
      case "unreadable":
        return this.setAside(record.offset, read.reason);
      case "tombstone":
        return this.#finish(textOf(record.key!));
      case "cancellation":
        return this.#cancel(record, read);
    }
  }

  #addSchedule(record: StoredRecord, schedule: Schedule): void {
    const { index, near, releases, recurring } = this.#options;
    const { offset } = record;
    const { jobId, rewrites } = schedule;
    const tick = schedule.recurring === undefined ? undefined : decodeTick(offset, schedule);
    if (tick === null || (tick !== undefined && recurring === null)) {
      return this.setAside(offset, "it is not the next tick of a recurring job");
    }
    const isLate = tick !== undefined && !recurring!.read(tick);
    const key = textOf(record.key!);
    const dueAtMs = this.#dueAtMs(record, schedule);
    const bytes = memoryOf(record);
    const isNear = this.#keepsValues && near.makeSpace(dueAtMs, bytes);
    const earlier = index.add({ offset, key, jobIdLength: jobId.length, dueAtMs, bytes }, isNear);
    if (isNear) near.add(record, dueAtMs);
    // The schedule that it replaces was cancelled, or moved, before this was written.
    const isVoid = rewrites !== null && index.isRemoved(rewrites);
    if (isVoid || isLate) this.#remove(isLate ? "superseded" : "cancelled", offset, jobId);
    else for (const each of earlier) if (!index.isRemoved(each)) this.#remove("superseded", each, jobId);
    if (rewrites !== null) releases.endRewriting(rewrites);
  }

  #finish(key: string): void {
    const { index, near, recurring } = this.#options;
    const removed = index.find(key, Math.max(0, key.lastIndexOf(":")));
    if (removed === null) return;
    near.remove(removed);
    index.finish(removed);
    recurring?.remove(removed);
  }

  #cancel(
    { offset, key }: StoredRecord,
    { jobId, isForgotten, order }: ScheduledRecord & { kind: "cancellation" },
  ): void {
    const { index, recurring, removals } = this.#options;
    const cancelled = index.offsetsOf(jobId).filter((each) => !index.isRemoved(each));
    for (const each of cancelled) {
      recurring?.remove(each, isForgotten);
      this.#remove("cancelled", each, jobId, order);
    }
    removals.addCancellation(offset, textOf(key!), cancelled);
  }

  #remove(kind: Removal["kind"], offset: number, jobId: string, order: CancelOrder = NO_ORDER): void {
    const { index, near, removals, recurring } = this.#options;
    near.remove(offset);
    index.markRemoved(offset);
    removals.add({ kind, offset, jobId, order });
    recurring?.remove(offset);
  }

  /** Returns the time at which a schedule counts as due: its record may be forged. */
  #dueAtMs({ offset, timestampMs }: StoredRecord, { jobId, dueAtMs }: Schedule): number {
    const { context: { clock, maxDelayMs, monitor }, place, reported } = this.#options;
    const nowMs = clock.nowMs();
    const longestMs = (timestampMs >= 0 ? Math.min(timestampMs, nowMs) : nowMs) + maxDelayMs;
    if (dueAtMs <= longestMs) return dueAtMs;
    if (offset >= reported) {
      const { topic, partition } = place;
      monitor.emit("schedule.clamped", { topic, partition, offset, jobId, dueAtMs, clampedToMs: longestMs });
    }
    return longestMs;
  }
}
