/**
 * Releases the jobs of a partition that are due: each pass takes some of one target's jobs, appends them to the target, then
 * their tombstones to the partition. A job is finished when its tombstone is acknowledged.
 *
 * - One append is in flight for each target.
 * - Nothing is appended unless the ownership is proved, except for the tombstones of what was released.
 * - The number of releases without an acknowledged tombstone is limited (`ReleaseLimit`).
 */
import type { AppendOutcome } from "../broker/broker.ts";
import { describeError, RecordRefusedError, UnknownTopicError } from "../errors.ts";
import { releasedRecord } from "../dispatch/schedule.ts";
import type { Candidate } from "./candidate.ts";
import { writeRefusedJob } from "./refused_job.ts";
import { Rewrites, type RewritesOptions } from "./rewrites.ts";
import { type TargetFailure, TargetQueue } from "./target_queue.ts";
import type { TombstoneWriter } from "./tombstones.ts";

/** The parts of a partition that its releases work with. */
export interface ReleasesOptions extends RewritesOptions {
  /** The consumer group, for dead letters. */
  readonly group: string;
  readonly tombstones: TombstoneWriter;
}

/** Why a pass did not release a job. */
interface Failure {
  readonly reason: TargetFailure;
  readonly error: Error;
}

/** Limits of a pass. */
const MAX_PASS_RECORDS = 1000;
const MAX_PASS_BYTES = 1024 * 1024;

/**
 * While an append takes longer, only the offsets of the target's other jobs are kept, in milliseconds. They may then be released
 * after jobs that were due later.
 */
const BUSY_MS = 5000;
/** The time between two jobs that are tried for a parked target, in milliseconds. */
const PROBE_MS = 1000;

/** Names of undeclared targets that are reported, at most. */
const MAX_REPORTED = 100;

/** See the module. */
export class Releases {
  readonly #options: ReleasesOptions;
  readonly #targets = new Map<string, TargetQueue>();
  /** The jobs of all targets that are not declared. */
  readonly #undeclared = new TargetQueue("");
  readonly #reported = new Set<string>();
  /** The schedules whose release has begun and whose tombstone is not acknowledged. */
  readonly #releasing = new Map<number, Candidate>();
  readonly #rewrites: Rewrites;
  #bytes = 0;

  constructor(options: ReleasesOptions) {
    this.#options = options;
    this.#rewrites = new Rewrites(options);
  }

  /** The bytes of the records that are due, and of those that are being released. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of schedules whose release has begun and whose tombstone is not acknowledged. */
  get releasing(): number {
    return this.#releasing.size;
  }

  /** Whether no record that it appends is on its way. */
  get isIdle(): boolean {
    return this.#releasing.size === 0 && this.#rewrites.isIdle;
  }

  /** Whether something is due that can be released now. */
  get hasDue(): boolean {
    for (const { due, failure } of this.#targets.values()) if (failure === null && due.length > 0) return true;
    return false;
  }

  /** Whether a schedule is being released, or is being written with a later due time. */
  isHeld(offset: number): boolean {
    return this.#releasing.has(offset) || this.#rewrites.has(offset);
  }

  /** Notes that the record that replaces a schedule was read. */
  endRewriting(offset: number): void {
    this.#rewrites.end(offset);
  }

  /** The earliest due time of all that are here; `Infinity` if there is none. */
  oldestDueAtMs(): number {
    let oldest = this.#rewrites.oldestDueAtMs();
    for (const { dueAtMs } of this.#releasing.values()) oldest = Math.min(oldest, dueAtMs);
    for (const target of [this.#undeclared, ...this.#targets.values()]) {
      oldest = Math.min(oldest, target.parkedDueAtMs);
      for (const { dueAtMs } of target.due) oldest = Math.min(oldest, dueAtMs);
    }
    return oldest;
  }

  /** Adds a job that is due. */
  add(candidate: Candidate): void {
    this.#targetOf(candidate.schedule.targetTopic).due.push(candidate);
    this.#bytes += candidate.bytes;
  }

  /**
   * Starts what can be started.
   *
   * @returns the time after which to call it again, in milliseconds; `Infinity` if nothing waits for a time
   */
  run(): number {
    const nowMs = performance.now();
    let waitMs = Infinity;
    this.#bytes -= this.#rewrites.delay(this.#undeclared, 0);
    for (const target of this.#targets.values()) {
      waitMs = Math.min(waitMs, this.#runTarget(target, nowMs));
      if (target.isIdle) this.#targets.delete(target.topic);
    }
    return waitMs;
  }

  #runTarget(target: TargetQueue, nowMs: number): number {
    if (target.busySinceMs !== null) {
      if (target.due.length === 0) return Infinity;
      const leftMs = target.busySinceMs + BUSY_MS - nowMs;
      if (leftMs > 0) return leftMs;
      this.#park(target);
      return Infinity;
    }
    if (target.failure === null) {
      for (const offset of target.unpark()) this.#options.index.putBack(offset);
      this.#startPass(target, MAX_PASS_RECORDS);
      return Infinity;
    }
    if (nowMs >= target.retryAtMs) {
      if (target.due.length === 0) {
        for (const offset of target.unpark(1)) this.#options.index.putBack(offset);
        return PROBE_MS;
      }
      this.#startPass(target, 1);
    } else if (target.failure === "unavailable") this.#park(target);
    else this.#bytes -= this.#rewrites.delay(target, 1);
    return Math.max(target.retryAtMs - nowMs, 1);
  }

  #targetOf(topic: string): TargetQueue {
    if (this.#options.context.findTarget(topic) === undefined) {
      this.#report(topic, "undeclared", null);
      return this.#undeclared;
    }
    let target = this.#targets.get(topic);
    if (target === undefined) this.#targets.set(topic, target = new TargetQueue(topic));
    return target;
  }

  #park(target: TargetQueue): void {
    for (let candidate = target.due.shift(); candidate !== undefined; candidate = target.due.shift()) {
      this.#bytes -= candidate.bytes;
      target.park(candidate);
    }
  }

  #startPass(target: TargetQueue, maxRecords: number): void {
    const { context: { limit }, canAppend, onProgress, track } = this.#options;
    if (target.due.length === 0 || !canAppend()) return;
    const count = limit.take(Math.min(target.due.length, maxRecords), onProgress);
    if (count === 0) return;
    const candidates = this.#take(target, count);
    limit.give(count - candidates.length);
    if (candidates.length > 0) track(this.#release(target, candidates));
  }

  /** Takes the first jobs of a target that are still to be released. */
  #take(target: TargetQueue, count: number): Candidate[] {
    const { index, context } = this.#options;
    const nowMs = context.clock.nowMs();
    const candidates: Candidate[] = [];
    let bytes = 0;
    while (candidates.length < count) {
      const first = target.due.first;
      if (first === undefined || (bytes + first.bytes > MAX_PASS_BYTES && candidates.length > 0)) break;
      target.due.shift();
      const { offset } = first;
      if (index.has(offset) && !index.isRemoved(offset) && first.dueAtMs <= nowMs) {
        candidates.push(first);
        bytes += first.bytes;
        continue;
      }
      this.#bytes -= first.bytes;
      // The clock was set back.
      if (first.dueAtMs > nowMs) index.putBack(offset);
    }
    return candidates;
  }

  async #release(target: TargetQueue, candidates: readonly Candidate[]): Promise<void> {
    const { context, index, onProgress } = this.#options;
    target.busySinceMs = performance.now();
    const nowMs = context.clock.nowMs();
    for (const candidate of candidates) this.#releasing.set(candidate.offset, candidate);
    const outcomes = await Promise.all(
      candidates.map(({ schedule, value }) => context.append(target.topic, releasedRecord(schedule, value, nowMs))),
    );
    const released: Candidate[] = [];
    let failed = 0;
    let failure: Failure | undefined;
    for (const [at, candidate] of candidates.entries()) {
      const found = await this.#settle(target, candidate, outcomes[at]!);
      if (found === null) released.push(candidate);
      else {
        failure = found;
        failed++;
        this.#drop(candidate);
        index.putBack(candidate.offset);
      }
    }
    target.busySinceMs = null;
    if (released.length > 0) target.recover();
    if (failure !== undefined && target.fail(failure.reason, performance.now())) {
      this.#report(target.topic, failure.reason, failure.error);
    }
    this.#reportReleased(released, candidates, outcomes);
    context.limit.give(failed);
    onProgress();
    await this.#remove(released);
  }

  /** Writes the tombstones of what was released. */
  async #remove(released: readonly Candidate[]): Promise<void> {
    const { tombstones, index, context: { limit }, onProgress } = this.#options;
    await tombstones.write(released.map((candidate) => ({
      key: candidate.key,
      onWritten: () => {
        index.finish(candidate.offset);
        this.#drop(candidate);
      },
    })));
    // Those without an acknowledged tombstone belong to the next owner.
    for (const candidate of released) this.#drop(candidate);
    limit.give(released.length);
    onProgress();
  }

  #drop({ offset, bytes }: Candidate): void {
    if (this.#releasing.delete(offset)) this.#bytes -= bytes;
  }

  /**
   * Settles the outcome of an append. A job that its target refuses for good becomes a dead letter.
   *
   * @returns the reason why the job was not released; `null` if it was
   */
  async #settle(target: TargetQueue, candidate: Candidate, outcome: AppendOutcome): Promise<Failure | null> {
    if (outcome.ok) return null;
    const { error } = outcome;
    if (!(error instanceof RecordRefusedError)) {
      return { reason: error instanceof UnknownTopicError ? "missing" : "unavailable", error };
    }
    return await writeRefusedJob(this.#options, target.topic, candidate, error) ? null : { reason: "refused", error };
  }

  #report(topic: string, reason: TargetFailure, error: Error | null): void {
    if (reason === "undeclared") {
      if (this.#reported.has(topic) || this.#reported.size >= MAX_REPORTED) return;
      this.#reported.add(topic);
      this.#undeclared.fail("undeclared", performance.now());
    }
    this.#options.context.monitor.emit("schedule.blocked", {
      target: topic,
      reason,
      error: error === null ? null : describeError(error),
    });
  }

  #reportReleased(
    released: readonly Candidate[],
    candidates: readonly Candidate[],
    outcomes: readonly AppendOutcome[],
  ): void {
    const { monitor, clock } = this.#options.context;
    if (released.length === 0 || !monitor.hasListener("job.released")) return;
    const nowMs = clock.nowMs();
    for (const [at, { dueAtMs, schedule: { jobId } }] of candidates.entries()) {
      const outcome = outcomes[at]!;
      if (!outcome.ok) continue;
      monitor.emit("job.released", { ...outcome.position, jobId, dueAtMs, latenessMs: Math.max(0, nowMs - dueAtMs) });
    }
  }
}
