/**
 * The jobs that wait in a partition of delayed jobs, as one reading of its log from a position on knows them.
 *
 * 1. `read` takes records: schedules into the index, and records that remove earlier ones (tombstones, cancellations, moves).
 * 2. `begin` is called once nothing that was there at the start is unread: a record that removes a schedule may lie further on.
 * 3. `run` reads the values of those whose time is near, and releases those that are due. It starts what can be started, and
 *    never loops.
 * 4. `front` is the first schedule that is not finished.
 */
import type { StoredRecord } from "../broker/broker.ts";
import { textOf } from "../broker/record_text.ts";
import { type CancelOrder, NO_ORDER, readScheduled, type Schedule } from "../dispatch/schedule.ts";
import type { TopicPartition } from "../support/position.ts";
import type { GroupContext } from "../worker/partition/context.ts";
import { type Candidate, memoryOf } from "./candidate.ts";
import type { SchedulerContext } from "./context.ts";
import { NEAR_MS, NearSchedules } from "./near_schedules.ts";
import { RecurringJobs } from "./recurring/recurring_jobs.ts";
import { decodeTick, RECURRING_PARTITION } from "./recurring/tick_record.ts";
import { waitAfterReadError } from "./read_error.ts";
import { Releases } from "./releases.ts";
import { type Removal, Removals } from "./removals.ts";
import { ScheduleIndex } from "./schedule_index.ts";
import { TombstoneWriter } from "./tombstones.ts";

/** Schedules that wait for the tombstone of an earlier one of their job. */
const MAX_DEFERRED = 1000;

/** The partition, and the parts of the worker that it works with. */
export interface PartitionSchedulesOptions {
  readonly place: TopicPartition;
  readonly context: SchedulerContext;
  readonly group: Pick<GroupContext, "group" | "settling">;
  /** The position at which the reading starts; `null` for the start of the log. */
  readonly from: number | null;
  /** Records before this offset that cannot be read were reported already. */
  readonly reported: number;
  /** Whether records may be appended: the ownership is proved, and the worker does not stop. */
  readonly canAppend: () => boolean;
  /** Called when something has changed. */
  readonly onProgress: () => void;
}

/** See the module. */
export class PartitionSchedules {
  readonly #options: PartitionSchedulesOptions;
  readonly #index = new ScheduleIndex();
  readonly #near: NearSchedules;
  readonly #releases: Releases;
  readonly #removals: Removals;
  /** The recurring jobs, in the partition that has their records. */
  readonly #recurring: RecurringJobs | null;
  readonly #ended = new AbortController();
  /** Everything before it was read; `null` while nothing is known. */
  #live: number | null;
  #hasBegun = false;
  #isSettling = false;
  #deferred: Candidate[] = [];
  #unreadable = 0;

  constructor(options: PartitionSchedulesOptions) {
    const { place: { topic, partition }, context, group: { group, settling }, canAppend, onProgress } = options;
    this.#options = options;
    this.#live = options.from;
    const { signal } = this.#ended;
    const index = this.#index;
    const tombstones = new TombstoneWriter(context, partition, signal);
    const shared = { context, partition, index, tombstones, signal, onProgress };
    this.#releases = new Releases({
      ...shared,
      group,
      canAppend,
      track: (promise) => void settling.track(promise),
    });
    this.#removals = new Removals({
      ...shared,
      isHeld: (offset) => this.#releases.isHeld(offset) || this.#recurring?.isHeld(offset) === true,
      onFinished: ({ kind, offset, jobId, order }) => {
        if (kind !== "cancelled") return;
        const job = { topic, partition, offset, jobId, jobClass: null };
        context.monitor.emit("job.cancelled", { ...job, state: "delayed", durationMs: null, ...order });
      },
    });
    this.#near = new NearSchedules({
      ...shared,
      otherBytes: () => this.#releases.bytes,
      onUnreadable: (offset, reason) => this.#setAside(offset, reason),
      waitAfter: (error) => this.#waitAfter(error),
    });
    this.#recurring = partition !== RECURRING_PARTITION || context.recurring === undefined ? null : new RecurringJobs({
      ...context,
      ...context.recurring,
      group,
      signal,
      canAppend,
      track: (promise) => void settling.track(promise),
      putBack: (offset) => {
        index.putBack(offset);
        return index.dueAtMs(offset) > context.clock.nowMs();
      },
      onProgress,
    });
  }

  /** The number of jobs that wait. */
  get size(): number {
    return this.#index.size;
  }

  /** The number of records that could not be read. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** The number of schedules that are to be removed, and of cancellations. */
  get removals(): number {
    return this.#removals.length;
  }

  /** Everything before it was read; `null` while nothing is known. */
  get live(): number | null {
    return this.#live;
  }

  /** The first offset that is not finished; `null` while nothing is known. */
  get front(): number | null {
    if (this.#live === null) return null;
    return Math.min(this.#index.front ?? this.#live, this.#removals.front, this.#live);
  }

  /** Whether no record that it appends is on its way. */
  get isIdle(): boolean {
    return this.#releases.isIdle && !this.#isSettling && this.#recurring?.isBusy !== true;
  }

  /** Makes space for so many schedules at once. */
  reserve(count: number): void {
    this.#index.reserve(count);
  }

  /** Reads records. @param next everything before it was read */
  read(records: readonly StoredRecord[], next: number): void {
    const live = this.#live ?? 0;
    for (const record of records) if (record.offset >= live) this.#read(record);
    this.#live = Math.max(next, live);
  }

  /** Releases what is due from now on. */
  begin(): void {
    this.#hasBegun = true;
  }

  /** Ends everything. Jobs that were released get their tombstones, once more at most. */
  end(): void {
    this.#ended.abort();
    this.#recurring?.close();
    this.#near.clear();
  }

  /**
   * Starts what can be started. Only while records may be appended.
   *
   * @returns the time after which to call it again, in milliseconds; `Infinity` if nothing waits for a time
   */
  run(nowMs: number): number {
    if (this.#removals.length > 0 && !this.#isSettling) void this.#settleRemovals();
    if (!this.#hasBegun) return Infinity;
    this.#moveDue(nowMs);
    this.#recurring?.run(nowMs);
    const waitMs = this.#releases.run();
    this.#near.fetch(nowMs);
    return waitMs;
  }

  /** Returns the next time at which `run` has something to do, in milliseconds since 1970; `Infinity` if there is none. */
  nextTimeMs(nowMs: number): number {
    // A time that was past already waits for something else: space, a value, or a tombstone.
    const times = [this.#near.firstDueAtMs, (this.#index.nextDueAtMs ?? Infinity) - NEAR_MS];
    return Math.min(...times.map((timeMs) => timeMs > nowMs ? timeMs : Infinity));
  }

  /** Whether everything that was due at a time is released, as far as its target takes it. */
  isReleasedUntil(dueAtMs: number): boolean {
    const isEmpty = this.#releases.releasing === 0 && this.#deferred.length === 0 && this.#removals.length === 0;
    if (!isEmpty || this.#releases.hasDue || this.#recurring?.isSettled === false) return false;
    return (this.#index.nextDueAtMs ?? Infinity) > dueAtMs && this.#near.firstDueAtMs > dueAtMs;
  }

  /** Returns the earliest due time of all that wait, in milliseconds since 1970; `Infinity` if none waits. */
  oldestDueAtMs(): number {
    let oldest = Math.min(
      this.#index.nextDueAtMs ?? Infinity,
      this.#near.firstDueAtMs,
      this.#releases.oldestDueAtMs(),
      this.#recurring?.dueAtMs ?? Infinity,
    );
    for (const { dueAtMs } of this.#deferred) oldest = Math.min(oldest, dueAtMs);
    for (const offset of this.#removals.offsets()) oldest = Math.min(oldest, this.#index.dueAtMs(offset));
    return oldest;
  }

  #read(record: StoredRecord): void {
    const { offset } = record;
    const read = readScheduled(record);
    if (read.kind === "schedule") return this.#addSchedule(record, read);
    if (read.kind === "unreadable") return this.#setAside(offset, read.reason);
    const key = textOf(record.key!);
    if (read.kind === "tombstone") {
      const removed = this.#index.find(key, Math.max(0, key.lastIndexOf(":")));
      if (removed === null) return;
      this.#near.remove(removed);
      this.#index.finish(removed);
      this.#recurring?.remove(removed);
      return;
    }
    const cancelled = this.#index.offsetsOf(read.jobId).filter((each) => !this.#index.isRemoved(each));
    for (const each of cancelled) {
      this.#recurring?.remove(each, read.isForgotten);
      this.#remove("cancelled", each, read.jobId, read.order);
    }
    this.#removals.addCancellation(offset, key, cancelled);
  }

  #addSchedule(record: StoredRecord, schedule: Schedule): void {
    const { offset } = record;
    const { jobId, rewrites } = schedule;
    const tick = schedule.recurring === undefined ? undefined : decodeTick(offset, schedule);
    if (tick === null || (tick !== undefined && this.#recurring === null)) {
      return this.#setAside(offset, "it is not the next tick of a recurring job");
    }
    const isLate = tick !== undefined && !this.#recurring!.read(tick);
    const key = textOf(record.key!);
    const dueAtMs = this.#dueAtMs(record, schedule);
    const bytes = memoryOf(record);
    const isNear = this.#hasBegun && this.#near.makeSpace(dueAtMs, bytes);
    const earlier = this.#index.add({ offset, key, jobIdLength: jobId.length, dueAtMs, bytes }, isNear);
    if (isNear) this.#near.add(record, dueAtMs);
    // The schedule that it replaces was cancelled, or moved, before this was written.
    const isVoid = rewrites !== null && this.#index.isRemoved(rewrites);
    if (isVoid || isLate) this.#remove(isLate ? "superseded" : "cancelled", offset, jobId);
    else for (const each of earlier) if (!this.#index.isRemoved(each)) this.#remove("superseded", each, jobId);
    if (rewrites !== null) this.#releases.endRewriting(rewrites);
  }

  /** The time at which a schedule counts as due: its record may be forged. */
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

  #setAside(offset: number, reason: string): void {
    const { context: { monitor }, place: { topic, partition }, reported } = this.#options;
    this.#unreadable++;
    if (offset >= reported) monitor.emit("schedule.unreadable", { topic, partition, offset, reason });
  }

  #remove(kind: Removal["kind"], offset: number, jobId: string, order: CancelOrder = NO_ORDER): void {
    this.#near.remove(offset);
    this.#index.markRemoved(offset);
    this.#removals.add({ kind, offset, jobId, order });
    this.#recurring?.remove(offset);
  }

  async #settleRemovals(): Promise<void> {
    const { group: { settling }, onProgress } = this.#options;
    this.#isSettling = true;
    let isFinished = false;
    try {
      isFinished = await settling.track(this.#removals.settle());
    } catch (error) {
      isFinished = await this.#waitAfter(error);
    }
    this.#isSettling = false;
    // If none could be finished, the end of a release is awaited, which calls `run`.
    if (isFinished) onProgress();
  }

  /** Reports an error of reading the log, and waits. @returns whether to try again */
  #waitAfter(error: unknown): Promise<boolean> {
    return waitAfterReadError(error, this.#options.context, this.#ended.signal);
  }

  /** Hands over what is due. An earlier schedule of the same job must have its tombstone first. */
  #moveDue(nowMs: number): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const candidate of deferred) this.#hand(candidate);
    if (this.#deferred.length >= MAX_DEFERRED) return;
    for (const candidate of this.#near.takeDue(nowMs)) this.#hand(candidate);
  }

  #hand(candidate: Candidate): void {
    const { offset } = candidate;
    if (!this.#index.has(offset) || this.#index.isRemoved(offset)) return;
    // It gets its tombstone from the record of the next tick, in their order.
    if (candidate.schedule.recurring !== undefined) return this.#recurring!.setDue(offset);
    if (this.#index.hasRemovedBefore(offset)) this.#deferred.push(candidate);
    else this.#releases.add(candidate);
  }
}
