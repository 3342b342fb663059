/**
 * Writes jobs again, with a later due time: their target is missing or not declared, and the front must move. The record names
 * the offset that it replaces; that schedule is held until the record was read.
 */
import { scheduleRecord } from "../dispatch/schedule.ts";
import type { Candidate } from "./candidate.ts";
import type { SchedulerContext } from "./context.ts";
import type { ScheduleIndex } from "./schedule_index.ts";
import type { TargetQueue } from "./target_queue.ts";

/**
 * The most records that are on their way, until they were read. A schedule that is held cannot be removed, and too many removals
 * that wait pause the reading: that of the records which end their wait, too.
 */
const MAX_AT_ONCE = 1000;

/** The parts of a partition that it works with. */
export interface RewritesOptions {
  readonly context: SchedulerContext;
  readonly partition: number;
  readonly index: ScheduleIndex;
  /** Whether records may be appended: the ownership is proved, and the worker does not stop. */
  readonly canAppend: () => boolean;
  /** Lets a stop wait for a promise. */
  readonly track: (promise: Promise<void>) => void;
  /** Called when something has changed. */
  readonly onProgress: () => void;
}

/** See the module. */
export class Rewrites {
  readonly #options: RewritesOptions;
  /** The schedules that are written with a later due time, until that record was read. */
  readonly #held = new Set<number>();
  #isWriting = false;

  constructor(options: RewritesOptions) {
    this.#options = options;
  }

  /** Whether no record is on its way. */
  get isIdle(): boolean {
    return !this.#isWriting;
  }

  /** Whether a schedule is being written with a later due time. */
  has(offset: number): boolean {
    return this.#held.has(offset);
  }

  /** Notes that the record that replaces a schedule was read. */
  end(offset: number): void {
    this.#held.delete(offset);
  }

  /** The earliest due time of all that are held; `Infinity` if there is none. */
  oldestDueAtMs(): number {
    let oldest = Infinity;
    for (const offset of this.#held) oldest = Math.min(oldest, this.#options.index.dueAtMs(offset));
    return oldest;
  }

  /**
   * Writes the jobs of a target with a later due time, except for the first `keep`.
   *
   * @returns the bytes of those that are not among its jobs any more
   */
  delay(target: TargetQueue, keep: number): number {
    const { canAppend, track } = this.#options;
    const count = MAX_AT_ONCE - this.#held.size;
    if (this.#isWriting || count <= 0 || target.due.length <= keep || !canAppend()) return 0;
    const kept: Candidate[] = [];
    while (kept.length < keep) kept.push(target.due.shift()!);
    const candidates: Candidate[] = [];
    while (target.due.length > 0 && candidates.length < count) candidates.push(target.due.shift()!);
    const rest: Candidate[] = [];
    while (target.due.length > 0) rest.push(target.due.shift()!);
    for (const candidate of [...kept, ...rest]) target.due.push(candidate);
    this.#isWriting = true;
    track(this.#write(candidates, target.delayMs(performance.now())));
    return candidates.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #write(candidates: readonly Candidate[], delayMs: number): Promise<void> {
    const { context, partition, index, onProgress } = this.#options;
    const dueAtMs = context.clock.nowMs() + delayMs;
    const failures = await Promise.all(candidates.map(async ({ offset, value, schedule }) => {
      if (!index.has(offset) || index.isRemoved(offset)) return null;
      this.#held.add(offset);
      const { jobId, targetTopic, targetKey: key, headers } = schedule;
      const record = scheduleRecord({ key, value, headers }, { jobId, dueAtMs, targetTopic, rewrites: offset });
      const outcome = await context.append(context.topic, { ...record, partition });
      if (outcome.ok) return null;
      this.#held.delete(offset);
      index.putBack(offset);
      return outcome.error;
    }));
    const failure = failures.find((error) => error !== null);
    if (failure) context.monitor.reportError("scheduler", failure);
    this.#isWriting = false;
    onProgress();
  }
}
