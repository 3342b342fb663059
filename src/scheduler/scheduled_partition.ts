/**
 * An owned partition of the topic in which delayed jobs wait: one object for one ownership. It passes on what comes to
 * `PartitionSchedules`, which releases it.
 *
 * 1. At the start it finds out up to where must be read before anything is released.
 * 2. Each change calls `#run`, which starts what can be started and sets the timers for the rest. It never loops.
 * 3. The commit has the first schedule that is not finished, and what of the rest is.
 * 4. If it stood still for long, it releases nothing until it has read its part of the log again, beside what it knows, which is
 *    then replaced.
 */
import type { Mark, Ownership, RecordBatch } from "../broker/broker.ts";
import type { LostReason, RunningJob } from "../monitor/events.ts";
import { sleep } from "../support/deadline.ts";
import { clearTimeout, setTimeout } from "../support/timers.ts";
import type { GroupContext } from "../worker/partition/context.ts";
import type { PartitionHandler } from "../worker/partition/handler.ts";
import { LagTracker } from "../worker/partition/lag.ts";
import type { PartitionStatus, ScheduledPartitionStatus, StuckRecord } from "../worker/status.ts";
import { decodeSchedulePosition, encodeSchedulePosition } from "./commit_position.ts";
import type { SchedulerContext } from "./context.ts";
import { PartitionSchedules } from "./partition_schedules.ts";
import { waitAfterReadError } from "./read_error.ts";
import { readLog } from "./read_log.ts";
import { StandstillWatch } from "./standstill_watch.ts";

/** Removals that wait in memory: with more, no more is read; with less than half of it, reading goes on. */
const MAX_REMOVALS = 10_000;
/** The time between two looks whether the records on their way have arrived, in milliseconds. */
const LOOK_MS = 10;

/** See the module. */
export class ScheduledPartition implements PartitionHandler {
  readonly ownership: Ownership;
  readonly lag: LagTracker = new LagTracker();
  readonly #context: SchedulerContext;
  readonly #group: GroupContext;
  readonly #ended = new AbortController();
  readonly #standstill: StandstillWatch;
  #schedules: PartitionSchedules;
  /** Nothing is released before everything up to here was read; `null` while it is unknown. */
  #readUntil: number | null = null;
  #beganMs = performance.now();
  #isReady = false;
  #isReadingAgain = false;
  #isStopping = false;
  #isPaused = false;
  #isWaitingForOwnership = false;
  #cancelClock = () => {};
  #timer: ReturnType<typeof setTimeout> | undefined;
  #committed: { readonly offset: number | null; readonly metadata: string };

  constructor(ownership: Ownership, context: SchedulerContext, group: GroupContext) {
    const { committed } = ownership;
    this.ownership = ownership;
    this.#context = context;
    this.#group = group;
    this.#standstill = new StandstillWatch(context.clock, context.maxStandstillMs);
    this.#committed = committed ?? { offset: null, metadata: "" };
    // The previous owner has reported what it could not read.
    const reported = committed === null ? 0 : decodeSchedulePosition(committed.metadata, committed.offset).live;
    this.#schedules = this.#makeSchedules(committed?.offset ?? null, reported);
    void this.#findEnd();
  }

  get front(): number | null {
    return this.#schedules.front;
  }

  /** Reads what comes. */
  add({ records, next, highWatermark }: RecordBatch): void {
    this.lag.update(highWatermark);
    this.#schedules.read(records, next);
    this.#progress();
  }

  lose(_reason: LostReason): Promise<void> {
    this.stop();
    this.#ended.abort();
    this.#schedules.end();
    this.#group.committer.cancel(this);
    return Promise.resolve();
  }

  /** Releases nothing more. Jobs that were released get their tombstones. */
  stop(): void {
    this.#isStopping = true;
    this.#clearTimers();
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
      lag: this.lag.lagOf(this.#schedules.live),
      oldestAgeMs: null,
      waiting: this.#schedules.size,
      isExhausted: false,
      pausedBy: null,
      running: [],
      retrying: [],
      stuck: [],
    };
  }

  /** Returns the state of what waits. */
  scheduleStatus(): ScheduledPartitionStatus {
    const { size, unreadable } = this.#schedules;
    const overdueMs = this.#context.clock.nowMs() - this.#schedules.oldestDueAtMs();
    return {
      partition: this.ownership.partition,
      isReady: this.#isReady,
      waiting: size,
      oldestOverdueMs: Math.max(0, overdueMs),
      unreadable,
    };
  }

  /**
   * Whether everything was read up to an offset, and everything that was due at a time is released, as far as its target takes
   * it.
   */
  isReleasedUntil(end: number, dueAtMs: number): boolean {
    return this.#isReady && (this.#schedules.live ?? 0) >= end && this.#schedules.isReleasedUntil(dueAtMs);
  }

  pendingMark(): Mark | null {
    const { front, live } = this.#schedules;
    if (this.#ended.signal.aborted || front === null) return null;
    const metadata = encodeSchedulePosition({ front, live: live!, dueAtMs: this.#schedules.oldestDueAtMs() });
    if (front === this.#committed.offset && metadata === this.#committed.metadata) return null;
    return { ownership: this.ownership, next: front, metadata };
  }

  confirm({ next, metadata }: Mark): void {
    this.#committed = { offset: next, metadata };
  }

  #makeSchedules(from: number | null, reported: number): PartitionSchedules {
    return new PartitionSchedules({
      place: this.ownership,
      context: this.#context,
      group: this.#group,
      from,
      reported,
      canAppend: () => this.#canAppend(),
      onProgress: () => this.#progress(),
    });
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
        const from = this.#schedules.live ?? 0;
        const options = { from, maxBytes: 1, values: false, signal };
        const { records, next, low, high, lastStable } = await this.#context.admin.read(topic, partition, options);
        this.lag.update(high, low);
        this.#readUntil = lastStable;
        this.#schedules.reserve(lastStable - Math.max(from, low));
        // Nothing is there that would be delivered.
        if (records.length === 0 && next >= lastStable) this.#schedules.read([], next);
        return this.#progress();
      } catch (error) {
        if (!await waitAfterReadError(error, this.#context, signal)) return;
      }
    }
  }

  #run(): void {
    if (this.#isStopping || this.#isReadingAgain) return;
    if (this.#standstill.hasStoodStill()) return void this.#readAgain();
    this.#checkReady();
    this.#limitRemovals();
    if (!this.#canAppend()) return void this.#waitForOwnership();
    const nowMs = this.#context.clock.nowMs();
    const waitMs = this.#schedules.run(nowMs);
    if (this.#isReady) this.#setTimers(nowMs, waitMs);
  }

  #checkReady(): void {
    if (this.#isReady || this.#readUntil === null || (this.#schedules.live ?? 0) < this.#readUntil) return;
    this.#isReady = true;
    this.#schedules.begin();
    const { topic, partition } = this.ownership;
    const readMs = performance.now() - this.#beganMs;
    this.#context.monitor.emit("schedule.ready", { topic, partition, waiting: this.#schedules.size, readMs });
  }

  #limitRemovals(): void {
    const { removals } = this.#schedules;
    if (!this.#isPaused && removals > MAX_REMOVALS) this.#pause();
    else if (this.#isPaused && removals < MAX_REMOVALS / 2) this.#resume();
  }

  #pause(): void {
    this.#isPaused = true;
    this.#group.consumer.pause(this.ownership);
  }

  #resume(): void {
    this.#isPaused = false;
    this.#group.consumer.resume(this.ownership);
  }

  /** Goes on once the ownership is proved. */
  async #waitForOwnership(): Promise<void> {
    if (this.#isWaitingForOwnership) return;
    this.#isWaitingForOwnership = true;
    while (!this.#isStopping && !this.#canAppend()) await this.#group.startCondition.nextChange();
    this.#isWaitingForOwnership = false;
    this.#run();
  }

  /**
   * Reads everything that is not finished again, after a standstill: a tombstone may be gone that was never read. Nothing is
   * delivered meanwhile, since an embedded broker keeps a tombstone only until it is delivered.
   */
  async #readAgain(): Promise<void> {
    this.#isReadingAgain = true;
    this.#isReady = false;
    this.#clearTimers();
    this.#pause();
    this.#beganMs = performance.now();
    const { signal } = this.#ended;
    const before = this.#schedules;
    while (!this.#isStopping) {
      try {
        // So that its own releases and tombstones are read, too.
        while (!before.isIdle && !this.#isStopping) await sleep(LOOK_MS, signal);
        if (!await this.#replaceSchedules(before)) continue;
        this.#isReadingAgain = false;
        this.#resume();
        return this.#progress();
      } catch (error) {
        if (!await waitAfterReadError(error, this.#context, signal)) return;
      }
    }
  }

  /** Reads what is not finished into new schedules. @returns whether they have replaced those before */
  async #replaceSchedules(before: PartitionSchedules): Promise<boolean> {
    const { signal } = this.#ended;
    const range = { from: before.front ?? 0, to: before.live ?? 0, signal };
    const schedules = this.#makeSchedules(before.front, range.to);
    try {
      const onPage = () => !this.#isStopping && !this.#standstill.hasStoodStill();
      const options = { ...range, admin: this.#context.admin, place: this.ownership, onPage };
      if (!await readLog(schedules, options) || signal.aborted) return false;
      before.end();
      this.#schedules = schedules;
      this.#readUntil = schedules.live;
      return true;
    } finally {
      // A timer of its recurring jobs would keep the process alive.
      if (this.#schedules !== schedules) schedules.end();
    }
  }

  /** Calls `#run` again at the next due time, when a target may be tried again, and often enough to notice a standstill. */
  #setTimers(nowMs: number, waitMs: number): void {
    this.#clearTimers();
    const { clock } = this.#context;
    const nextMs = Math.min(this.#schedules.nextTimeMs(nowMs), nowMs + this.#standstill.intervalMs);
    this.#cancelClock = clock.callAt(nextMs, () => this.#run());
    if (waitMs < Infinity) this.#timer = setTimeout(() => this.#run(), waitMs);
  }

  #clearTimers(): void {
    this.#cancelClock();
    clearTimeout(this.#timer);
  }
}
