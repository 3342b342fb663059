/**
 * An owned partition of the topic in which delayed jobs wait: one object for one ownership.
 *
 * 1. `add` reads what comes: schedules into the index, and records that remove earlier ones (tombstones, cancellations, moves).
 * 2. Nothing is released before everything was read that was there at the start: a record that removes it may lie further on.
 * 3. Schedules whose time is near get their values from the log; those that are due are released.
 * 4. The commit has the first schedule that is not finished, and what of the rest is.
 *
 * Each change calls `#run`, which starts what can be started and sets the timers for the rest. It never loops.
 */
import type { Mark, Ownership, RecordBatch, StoredRecord } from "../broker/broker.ts";
import { readScheduled, type Schedule } from "../dispatch/schedule.ts";
import { describeError } from "../errors.ts";
import type { LostReason, RunningJob } from "../monitor/events.ts";
import { sleep } from "../support/deadline.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";
import type { GroupContext } from "../worker/partition/context.ts";
import type { PartitionHandler } from "../worker/partition/handler.ts";
import { LagTracker } from "../worker/partition/lag.ts";
import type { PartitionStatus, ScheduledPartitionStatus, StuckRecord } from "../worker/status.ts";
import { Removals } from "./removals.ts";
import { type Candidate, memoryOf, textOf, toCandidate } from "./candidate.ts";
import { decodeSchedulePosition, encodeSchedulePosition } from "./commit_position.ts";
import type { SchedulerContext } from "./context.ts";
import { fetchRecords } from "./fetch_records.ts";
import { RecurringJobs } from "./recurring/recurring_jobs.ts";
import { decodeTick, RECURRING_PARTITION } from "./recurring/tick_record.ts";
import { Releases } from "./releases.ts";
import { ScheduleIndex } from "./schedule_index.ts";
import { TombstoneWriter } from "./tombstones.ts";
import { Upcoming } from "./upcoming.ts";

/** The values of schedules that are due in so many milliseconds are read. */
const NEAR_MS = 30_000;
/** Removals that wait in memory: with more, no more is read; with less than half of it, reading goes on. */
const MAX_REMOVALS = 10_000;
/** Schedules that wait for the tombstone of an earlier one of their job. */
const MAX_DEFERRED = 1000;
/** The wait after the log could not be read, in milliseconds. */
const RETRY_MS = 1000;

/** See the module. */
export class ScheduledPartition implements PartitionHandler {
  readonly ownership: Ownership;
  readonly lag: LagTracker = new LagTracker();
  readonly #context: SchedulerContext;
  readonly #group: GroupContext;
  readonly #index = new ScheduleIndex();
  readonly #upcoming = new Upcoming();
  readonly #releases: Releases;
  readonly #removals: Removals;
  /** The recurring jobs, in the partition that has their records. */
  readonly #recurring: RecurringJobs | null;
  readonly #ended = new AbortController();
  readonly #beganMs = performance.now();
  /** Everything before it was read; `null` while nothing is known. */
  #live: number | null;
  /** Everything before it was read by the previous owner, which has reported what cannot be read. */
  readonly #reported: number;
  /** Nothing is released before everything up to here was read; `null` while it is unknown. */
  #readUntil: number | null = null;
  #isReady = false;
  #isStopping = false;
  #isSettling = false;
  #isFetching = false;
  #isPaused = false;
  #isWaitingForOwnership = false;
  #deferred: Candidate[] = [];
  #unreadable = 0;
  #cancelClock = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #committed: { readonly offset: number | null; readonly metadata: string };

  constructor(ownership: Ownership, context: SchedulerContext, group: GroupContext) {
    const { committed, partition } = ownership;
    this.ownership = ownership;
    this.#context = context;
    this.#group = group;
    this.#committed = committed ?? { offset: null, metadata: "" };
    this.#live = committed?.offset ?? null;
    this.#reported = committed === null ? 0 : decodeSchedulePosition(committed.metadata, committed.offset).live;
    const { signal } = this.#ended;
    const index = this.#index;
    const tombstones = new TombstoneWriter(context, partition, signal);
    const onProgress = () => this.#progress();
    this.#releases = new Releases({
      context,
      partition,
      group: group.group,
      index,
      tombstones,
      canAppend: () => this.#canAppend(),
      track: (promise) => void group.settling.track(promise),
      onProgress,
    });
    this.#removals = new Removals({
      context,
      partition,
      index,
      tombstones,
      signal,
      isHeld: (offset) => this.#releases.isHeld(offset),
      onFinished: ({ kind, offset, jobId }) => {
        const { topic } = this.ownership;
        if (kind === "cancelled") context.monitor.emit("job.cancelled", { topic, partition, offset, jobId });
      },
    });
    this.#recurring = partition === RECURRING_PARTITION ? this.#createRecurring() : null;
    void this.#findEnd();
  }

  /** The first offset that is not finished; `null` while nothing is known. */
  get front(): number | null {
    if (this.#live === null) return null;
    return Math.min(this.#index.front ?? this.#live, this.#removals.front, this.#live);
  }

  /** Reads what comes. */
  add({ records, next, highWatermark }: RecordBatch): void {
    this.lag.update(highWatermark);
    for (const record of records) this.#read(record);
    this.#live = Math.max(next, this.#live ?? 0);
    if (this.#removals.length > MAX_REMOVALS && !this.#isPaused) {
      this.#isPaused = true;
      this.#group.consumer.pause(this.ownership);
    }
    this.#progress();
  }

  lose(_reason: LostReason): Promise<void> {
    this.#end();
    this.#group.committer.cancel(this);
    return Promise.resolve();
  }

  /** Releases nothing more. Jobs that were released get their tombstones. */
  stop(): void {
    this.#isStopping = true;
    this.#cancelClock();
    clearTimeout(this.#timer);
  }

  abort(_reason: Error): void {}

  running(): RunningJob[] {
    return [];
  }

  stuck(): StuckRecord[] {
    return [];
  }

  isStuckBefore(_end: number): boolean {
    return false;
  }

  status(): PartitionStatus {
    const { topic, partition } = this.ownership;
    return {
      topic,
      partition,
      position: this.front,
      highWatermark: this.lag.highWatermark,
      lag: this.lag.lagOf(this.#live),
      oldestAgeMs: null,
      waiting: this.#index.size,
      isExhausted: false,
      running: [],
      retrying: [],
      stuck: [],
    };
  }

  /** Returns the state of what waits. */
  scheduleStatus(): ScheduledPartitionStatus {
    const overdueMs = this.#context.clock.nowMs() - this.#oldestDueAtMs();
    return {
      partition: this.ownership.partition,
      isReady: this.#isReady,
      waiting: this.#index.size,
      oldestOverdueMs: Math.max(0, overdueMs),
      unreadable: this.#unreadable,
    };
  }

  /**
   * Whether everything was read up to an offset, and everything that was due at a time is released, as far as its target takes
   * it.
   */
  isReleasedUntil(end: number, dueAtMs: number): boolean {
    if (!this.#isReady || (this.#live ?? 0) < end) return false;
    const isEmpty = this.#releases.releasing === 0 && this.#deferred.length === 0 && this.#removals.length === 0;
    if (!isEmpty || this.#releases.hasDue || this.#recurring?.isSettled === false) return false;
    return (this.#index.nextDueAtMs ?? Infinity) > dueAtMs && (this.#upcoming.first?.dueAtMs ?? Infinity) > dueAtMs;
  }

  pendingMark(): Mark | null {
    const { front } = this;
    if (this.#ended.signal.aborted || front === null) return null;
    const position = { front, live: this.#live!, dueAtMs: this.#oldestDueAtMs() };
    const metadata = encodeSchedulePosition(position);
    if (front === this.#committed.offset && metadata === this.#committed.metadata) return null;
    return { ownership: this.ownership, next: front, metadata };
  }

  confirm({ next, metadata }: Mark): void {
    this.#committed = { offset: next, metadata };
  }

  #createRecurring(): RecurringJobs | null {
    const { recurring, ...context } = this.#context;
    if (recurring === undefined) return null;
    return new RecurringJobs({
      ...context,
      ...recurring,
      group: this.#group.group,
      signal: this.#ended.signal,
      canAppend: () => this.#canAppend(),
      track: (promise) => void this.#group.settling.track(promise),
      putBack: (offset) => this.#index.putBack(offset),
      onProgress: () => this.#progress(),
    });
  }

  #end(): void {
    this.stop();
    this.#ended.abort();
    this.#recurring?.close();
    this.#upcoming.clear();
  }

  #canAppend(): boolean {
    return !this.#isStopping && this.#group.startCondition.canCommit(performance.now());
  }

  #progress(): void {
    if (this.#ended.signal.aborted) return;
    this.#group.committer.schedule(this);
    this.#run();
  }

  /** Finds out up to where must be read before anything is released. */
  async #findEnd(): Promise<void> {
    const { signal } = this.#ended;
    const { topic, partition } = this.ownership;
    while (!signal.aborted) {
      try {
        const from = this.#live ?? 0;
        const options = { from, maxBytes: 1, values: false, signal };
        const { records, next, low, high, lastStable } = await this.#context.admin.read(topic, partition, options);
        this.lag.update(high, low);
        this.#readUntil = lastStable;
        this.#index.reserve(lastStable - Math.max(from, low));
        // Nothing is there that would be delivered.
        if (records.length === 0 && next >= lastStable) this.#live = Math.max(this.#live ?? 0, next);
        return this.#progress();
      } catch (error) {
        if (!await this.#waitAfter(error)) return;
      }
    }
  }

  /** Reports an error of reading the log, and waits. @returns whether to try again */
  async #waitAfter(error: unknown): Promise<boolean> {
    const { signal } = this.#ended;
    if (signal.aborted) return false;
    this.#context.monitor.emit("error.occurred", { where: "scheduler", error: describeError(error) });
    await sleep(RETRY_MS, signal);
    return !signal.aborted;
  }

  #read(record: StoredRecord): void {
    const { offset } = record;
    const read = readScheduled(record);
    if (read.kind === "schedule") return this.#addSchedule(record, read);
    if (read.kind === "unreadable") return this.#setAside(offset, read.reason);
    const key = textOf(record.key ?? "");
    if (read.kind === "tombstone") {
      const removed = this.#index.find(key, Math.max(0, key.lastIndexOf(":")));
      if (removed === null) return;
      this.#removeUpcoming(removed);
      this.#index.finish(removed);
      this.#recurring?.remove(removed);
      return;
    }
    const cancelled = this.#index.offsetsOf(read.jobId).filter((each) => !this.#index.isRemoved(each));
    for (const each of cancelled) this.#remove("cancelled", each, read.jobId);
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
    const isNear = this.#isNear(dueAtMs, bytes);
    const earlier = this.#index.add({ offset, key, jobIdLength: jobId.length, dueAtMs, bytes }, isNear);
    if (isNear) this.#upcoming.add({ offset, dueAtMs, bytes, candidate: toCandidate(record, dueAtMs) });
    // The schedule that it replaces was cancelled, or moved, before this was written.
    const isVoid = rewrites !== null && this.#index.isRemoved(rewrites);
    if (isVoid || isLate) this.#remove(isLate ? "superseded" : "cancelled", offset, jobId);
    else for (const each of earlier) if (!this.#index.isRemoved(each)) this.#remove("superseded", each, jobId);
    if (rewrites !== null) this.#releases.endRewriting(rewrites);
  }

  /** The time at which a schedule counts as due: its record may be forged. */
  #dueAtMs({ offset, timestampMs }: StoredRecord, { jobId, dueAtMs }: Schedule): number {
    const { clock, maxDelayMs, monitor } = this.#context;
    const nowMs = clock.nowMs();
    const longestMs = (timestampMs >= 0 ? Math.min(timestampMs, nowMs) : nowMs) + maxDelayMs;
    if (dueAtMs <= longestMs) return dueAtMs;
    if (offset >= this.#reported) {
      const { topic, partition } = this.ownership;
      monitor.emit("schedule.clamped", { topic, partition, offset, jobId, dueAtMs, clampedToMs: longestMs });
    }
    return longestMs;
  }

  #setAside(offset: number, reason: string): void {
    this.#unreadable++;
    if (offset < this.#reported) return;
    const { topic, partition } = this.ownership;
    this.#context.monitor.emit("schedule.unreadable", { topic, partition, offset, reason });
  }

  #remove(kind: "superseded" | "cancelled", offset: number, jobId: string): void {
    this.#removeUpcoming(offset);
    this.#index.markRemoved(offset);
    this.#removals.add({ kind, offset, jobId });
    this.#recurring?.remove(offset);
  }

  #removeUpcoming(offset: number): void {
    this.#upcoming.remove(offset, this.#index.dueAtMs(offset));
  }

  /** Whether a schedule that has just come is due before all that wait, so that its value is kept. It makes space for it. */
  #isNear(dueAtMs: number, bytes: number): boolean {
    if (!this.#isReady || dueAtMs > this.#context.clock.nowMs() + NEAR_MS) return false;
    if (dueAtMs >= (this.#index.nextDueAtMs ?? Infinity)) return false;
    while (this.#heldBytes + bytes > this.#context.maxValueBytes()) {
      const { last } = this.#upcoming;
      if (last === undefined || last.dueAtMs <= dueAtMs) return false;
      this.#upcoming.pop();
      this.#index.putBack(last.offset);
    }
    return true;
  }

  #run(): void {
    if (this.#isStopping) return;
    this.#checkReady();
    if (!this.#canAppend()) return void this.#waitForOwnership();
    if (this.#removals.length > 0 && !this.#isSettling) void this.#settleRemovals();
    if (!this.#isReady) return;
    const nowMs = this.#context.clock.nowMs();
    this.#moveDue(nowMs);
    this.#recurring?.run();
    const waitMs = this.#releases.run();
    this.#fetch(nowMs);
    this.#setTimers(nowMs, waitMs);
  }

  #checkReady(): void {
    if (this.#isReady || this.#readUntil === null || (this.#live ?? 0) < this.#readUntil) return;
    this.#isReady = true;
    const { topic, partition } = this.ownership;
    const readMs = performance.now() - this.#beganMs;
    this.#context.monitor.emit("schedule.ready", { topic, partition, waiting: this.#index.size, readMs });
  }

  /** Goes on once the ownership is proved. */
  async #waitForOwnership(): Promise<void> {
    if (this.#isWaitingForOwnership) return;
    this.#isWaitingForOwnership = true;
    while (!this.#isStopping && !this.#canAppend()) await this.#group.startCondition.nextChange();
    this.#isWaitingForOwnership = false;
    this.#run();
  }

  async #settleRemovals(): Promise<void> {
    this.#isSettling = true;
    let isFinished = false;
    try {
      isFinished = await this.#group.settling.track(this.#removals.settle());
    } catch (error) {
      isFinished = await this.#waitAfter(error);
    }
    this.#isSettling = false;
    if (this.#isPaused && this.#removals.length < MAX_REMOVALS / 2) {
      this.#isPaused = false;
      this.#group.consumer.resume(this.ownership);
    }
    // If none could be finished, the end of a release is awaited, which calls `#run`.
    if (isFinished) this.#progress();
  }

  /** Hands over what is due. An earlier schedule of the same job must have its tombstone first. */
  #moveDue(nowMs: number): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const candidate of deferred) this.#hand(candidate);
    if (this.#deferred.length >= MAX_DEFERRED) return;
    for (const candidate of this.#upcoming.takeDue(nowMs)) this.#hand(candidate);
  }

  #hand(candidate: Candidate): void {
    const { offset } = candidate;
    if (!this.#index.has(offset) || this.#index.isRemoved(offset)) return;
    if (this.#index.hasRemovedBefore(offset)) this.#deferred.push(candidate);
    else if (candidate.schedule.recurring !== undefined) this.#recurring!.setDue(offset);
    else this.#releases.add(candidate);
  }

  /** Reads the values of what is due next, if there is space for them. */
  #fetch(nowMs: number): void {
    if (this.#isFetching || !this.#hasNear(nowMs)) return;
    const maxBytes = this.#context.maxValueBytes();
    // Many at once: where due times and offsets have different orders, each time most of the log is read.
    if (this.#heldBytes > maxBytes / 2) return;
    const offsets: number[] = [];
    while (this.#hasNear(nowMs)) {
      const offset = this.#index.take()!;
      const [dueAtMs, bytes] = [this.#index.dueAtMs(offset), this.#index.bytes(offset)];
      this.#upcoming.add({ offset, dueAtMs, bytes, candidate: null });
      offsets.push(offset);
      if (this.#heldBytes >= maxBytes) break;
    }
    void this.#fetchValues(offsets);
  }

  /** The size of the records whose values are in memory, in bytes. */
  get #heldBytes(): number {
    return this.#upcoming.bytes + this.#releases.bytes;
  }

  #hasNear(nowMs: number): boolean {
    return (this.#index.nextDueAtMs ?? Infinity) <= nowMs + NEAR_MS;
  }

  async #fetchValues(offsets: readonly number[]): Promise<void> {
    const { topic, partition } = this.ownership;
    const { signal } = this.#ended;
    const { admin } = this.#context;
    this.#isFetching = true;
    let found = 0;
    try {
      const sorted = Float64Array.from(offsets).sort();
      await fetchRecords([...sorted], { admin, topic, partition, values: true, signal }, (record) => {
        this.#fill(record);
        if (++found % 500 === 0) this.#progress();
      });
      // They are not in the log any more: they have their tombstones.
      for (const offset of this.#upcoming.takeUnread()) this.#index.finish(offset);
    } catch (error) {
      for (const offset of this.#upcoming.takeUnread()) this.#index.putBack(offset);
      await this.#waitAfter(error);
    }
    this.#isFetching = false;
    this.#progress();
  }

  #fill(record: StoredRecord): void {
    const { offset } = record;
    const dueAtMs = this.#index.dueAtMs(offset);
    const item = this.#upcoming.find(offset, dueAtMs);
    if (item === undefined) return;
    item.candidate = toCandidate(record, dueAtMs);
    if (item.candidate !== null) return;
    this.#upcoming.remove(offset, dueAtMs);
    this.#index.finish(offset);
    this.#setAside(offset, record.unreadable ?? "its value is gone");
  }

  /** Calls `#run` again at the next due time, and when a target may be tried again. */
  #setTimers(nowMs: number, waitMs: number): void {
    this.#cancelClock();
    clearTimeout(this.#timer);
    // A time that was past already waits for something else: space, a value, or a tombstone.
    const [dueAtMs, nearAtMs] = [this.#upcoming.first?.dueAtMs, this.#index.nextDueAtMs]
      .map((timeMs, at) => (timeMs ?? Infinity) - at * NEAR_MS)
      .map((timeMs) => timeMs > nowMs ? timeMs : Infinity);
    const nextAtMs = Math.min(dueAtMs!, nearAtMs!);
    if (nextAtMs < Infinity) this.#cancelClock = this.#context.clock.callAt(nextAtMs, () => this.#run());
    if (waitMs < Infinity) this.#timer = setTimeout(() => this.#run(), waitMs);
  }

  #oldestDueAtMs(): number {
    let oldest = Math.min(
      this.#index.nextDueAtMs ?? Infinity,
      this.#upcoming.first?.dueAtMs ?? Infinity,
      this.#releases.oldestDueAtMs(),
      this.#recurring?.dueAtMs ?? Infinity,
    );
    for (const { dueAtMs } of this.#deferred) oldest = Math.min(oldest, dueAtMs);
    for (const offset of this.#removals.offsets()) oldest = Math.min(oldest, this.#index.dueAtMs(offset));
    return oldest;
  }
}
