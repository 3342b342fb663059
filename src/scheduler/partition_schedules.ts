/**
 * The jobs that wait in a partition of delayed jobs, as one reading of its log from a position on knows them.
 *
 * 1. `read` takes records: schedules into the index, and records that remove earlier ones (`schedule_reader.ts`).
 * 2. `begin` is called once nothing that was there at the start is unread: a record that removes a schedule may lie further on.
 * 3. `run` reads the values of those whose time is near, and releases those that are due. It starts what can be started, and
 *    never loops.
 * 4. `front` is the first schedule that is not finished.
 */
import type { StoredRecord } from "../broker/broker.ts";
import type { TopicPartition } from "../support/position.ts";
import type { GroupContext } from "../worker/partition/context.ts";
import type { Candidate } from "./candidate.ts";
import type { SchedulerContext } from "./context.ts";
import { NEAR_MS, NearSchedules } from "./near_schedules.ts";
import { RecurringJobs } from "./recurring/recurring_jobs.ts";
import { RECURRING_PARTITION } from "./recurring/tick_record.ts";
import { waitAfterReadError } from "./read_error.ts";
import { Releases } from "./releases.ts";
import { Removals } from "./removals.ts";
import { ScheduleIndex } from "./schedule_index.ts";
import { ScheduleReader } from "./schedule_reader.ts";
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
  readonly #reader: ScheduleReader;
  readonly #ended = new AbortController();
  #hasBegun = false;
  #isSettling = false;
  #deferred: Candidate[] = [];

  constructor(options: PartitionSchedulesOptions) {
    const { place: { topic, partition }, context, group: { group, settling }, canAppend, onProgress } = options;
    this.#options = options;
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
      onUnreadable: (offset, reason) => this.#reader.setAside(offset, reason),
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
    this.#reader = new ScheduleReader({
      ...options,
      index,
      near: this.#near,
      releases: this.#releases,
      removals: this.#removals,
      recurring: this.#recurring,
    });
  }

  /** The number of jobs that wait. */
  get size(): number {
    return this.#index.size;
  }

  /** The number of records that could not be read. */
  get unreadable(): number {
    return this.#reader.unreadable;
  }

  /** The number of schedules that are to be removed, and of cancellations. */
  get removals(): number {
    return this.#removals.length;
  }

  /** Everything before it was read; `null` while nothing is known. */
  get live(): number | null {
    return this.#reader.live;
  }

  /** The first offset that is not finished; `null` while nothing is known. */
  get front(): number | null {
    const { live } = this.#reader;
    if (live === null) return null;
    return Math.min(this.#index.front ?? live, this.#removals.front, live);
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
    this.#reader.read(records, next);
  }

  /** Releases what is due from now on. */
  begin(): void {
    this.#hasBegun = true;
    this.#reader.keepValues();
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
