/**
 * One attempt: a decoded job is made into an instance and performed, with its attributes, its signal and its time limit,
 * and what came of it is an outcome. `Attempt.perform` is the one promise that a partition awaits; everything around it is
 * synchronous.
 *
 * A job over its time is asked to end and waited for, never run beside itself: it counts as failed once it settles.
 */
import { RevokedError, TimeoutError } from "../../errors.ts";
import { type AnyCurrentAttributes, runWithAttributes } from "../../job/current_attributes.ts";
import { type Envelope, readTime } from "../../job/envelope.ts";
import type { Job, JobClass } from "../../job/job.ts";
import { JobRun, RUN } from "../../job/run.ts";
import type { JobInfo, RunningJob } from "../../monitor/events.ts";
import type { JobSpan } from "../../monitor/job_span.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { PerformedJob, Tracing } from "../../monitor/tracing.ts";
import type { Route } from "../../routing/route.ts";
import { derivedJobId, keyText, type QueuedRecord } from "./decode.ts";
import { formatPartition, type Position } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** What came of an attempt. */
export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly error: unknown };

/** So far the clocks of two machines may be apart, in milliseconds; a job from farther in the future tells nothing. */
const MAX_SKEW_MS = 1000;

const PASSED: Outcome = { kind: "passed" };

/** Where attempts take place: the same for all of a partition. */
export interface Place {
  readonly route: Route;
  readonly partition: number;
  readonly currentAttributes: readonly AnyCurrentAttributes[];
  readonly monitor: Monitor;
  readonly tracing: Tracing;
}

/** What is performed. */
export interface Performable {
  readonly Class: JobClass;
  readonly envelope: Envelope;
}

/** One run of one job. */
export class Attempt extends JobRun {
  readonly #place: Place;
  readonly #record: QueuedRecord;
  readonly #performable: Performable;
  readonly #number: number;
  readonly #startedMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #span: JobSpan | undefined;
  #settled = false;

  /** @param number which run of the record it is, from 1 */
  constructor(place: Place, record: QueuedRecord, performable: Performable, number: number, nowMs: number) {
    super();
    this.#place = place;
    this.#record = record;
    this.#performable = performable;
    this.#number = number;
    this.#startedMs = nowMs;
  }

  override get record(): Position {
    const { route, partition } = this.#place;
    return { topic: route.topic, partition, offset: this.#record.offset };
  }

  protected override get monitor(): Monitor {
    return this.#place.monitor;
  }

  /** Performs the job. Rejects, or throws, with whatever it throws; its constructor counts as a part of it. */
  perform(): unknown {
    const { monitor, tracing } = this.#place;
    const timeoutMs = this.#timeoutMs;
    if (timeoutMs !== null) this.#timer = setTimeout(() => this.#overrun(timeoutMs), timeoutMs);
    if (monitor.hears("job.performing")) monitor.emit("job.performing", this.info());
    if (tracing.isOn) this.#span = tracing.startProcess(this.#traced());
    return this.#span === undefined ? this.#performInScope() : this.#span.run(() => this.#performInScope());
  }

  #performInScope(): unknown {
    const { currentAttributes } = this.#place;
    const { envelope } = this.#performable;
    return currentAttributes.length === 0
      ? this.#performJob()
      : runWithAttributes(currentAttributes, envelope.currentAttributes, () => this.#performJob());
  }

  #performJob(): unknown {
    const { Class, envelope } = this.#performable;
    const job: Job = new Class();
    job.args = envelope.arguments as unknown[];
    job.jobId = this.#jobId;
    job.queueName = this.#queue;
    job.priority = envelope.priority;
    job.executions = this.#executions;
    job.attempt = this.#number;
    job.enqueuedAt = envelope.enqueuedAt;
    job[RUN] = this;
    return job.perform(...job.args);
  }

  /** Whether `perform` has settled. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /** `perform` settled well: a pass, unless the job was over its time. */
  passed(): Outcome {
    const late = this.abortReason ?? this.#unnoticed();
    return this.#settle(late instanceof TimeoutError ? { kind: "failed", error: late } : PASSED);
  }

  /** `perform` threw. A job that ends because it was over its time has failed for that reason. */
  failed(thrown: unknown): Outcome {
    const late = this.abortReason;
    return this.#settle({ kind: "failed", error: late instanceof TimeoutError ? late : thrown });
  }

  /** The ownership has ended: asks the job to end, and says so where it does not. */
  revoke(): void {
    // What has ended cannot be asked to, nor go on for too long: only its outcome still waits for the proof.
    if (this.#settled) return;
    this.#disarm();
    this.abort(
      new RevokedError(`Partition ${formatPartition(this.record)} is no longer this worker's`),
    );
    this.#armOrphaned("revoked");
  }

  /** The job, for events. */
  info(): JobInfo {
    const { jobClass } = this.#performable.envelope;
    return { jobClass, jobId: this.#jobId, queue: this.#queue, ...this.record, attempt: this.#number };
  }

  /** The job as it runs now. */
  status(): RunningJob {
    const { timeoutGraceMs } = this.#place.route;
    return { ...this.info(), runningMs: this.durationMs, timeoutMs: this.#timeoutMs, timeoutGraceMs };
  }

  /** How long it has run, in milliseconds. */
  get durationMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** From its enqueuing to its start, in milliseconds; `null` where that cannot be told. */
  get waitMs(): number | null {
    const { enqueuedAt } = this.#performable.envelope;
    const enqueuedAtMs = enqueuedAt === null ? null : readTime(enqueuedAt);
    // 1970 is what a clock says that was never set.
    if (enqueuedAtMs === null || enqueuedAtMs <= 0) return null;
    const waitMs = Date.now() - this.durationMs - enqueuedAtMs;
    if (waitMs < -MAX_SKEW_MS) return null;
    return Math.max(waitMs, 0);
  }

  get #timeoutMs(): number | null {
    return this.#performable.Class.timeoutMs ?? this.#place.route.timeoutMs;
  }

  get #jobId(): string {
    const { route, partition } = this.#place;
    return this.#performable.envelope.jobId ?? derivedJobId(route.topic, partition, this.#record.offset);
  }

  get #queue(): string {
    return this.#performable.envelope.queueName ?? this.#place.route.topic;
  }

  get #executions(): number {
    return this.#performable.envelope.executions + this.#number;
  }

  /** The job, for its span. */
  #traced(): PerformedJob {
    const { headers } = this.#record;
    const { group } = this.#place.route;
    return { ...this.info(), key: keyText(this.#record), headers, group, executions: this.#executions };
  }

  #overrun(timeoutMs: number): void {
    this.abort(this.#late(timeoutMs));
    this.#armOrphaned("timeout");
  }

  /** A job that blocks the event loop blocks its own timer, too. Only where there is a limit is the clock looked at. */
  #unnoticed(): TimeoutError | undefined {
    if (this.#timer === undefined) return undefined;
    const timeoutMs = this.#timeoutMs!;
    return this.durationMs > timeoutMs ? this.#late(timeoutMs) : undefined;
  }

  #late(timeoutMs: number): TimeoutError {
    return new TimeoutError(`${this.#performable.envelope.jobClass} ran longer than its ${timeoutMs} ms`);
  }

  #armOrphaned(reason: "timeout" | "revoked"): void {
    const { monitor, route } = this.#place;
    this.#timer = setTimeout(() => {
      monitor.emit("job.orphaned", { ...this.info(), reason, runningMs: this.durationMs });
    }, route.timeoutGraceMs);
  }

  #settle(outcome: Outcome): Outcome {
    this.#settled = true;
    this.#disarm();
    if (outcome.kind === "passed") this.#span?.end();
    else this.#span?.fail(outcome.error);
    return outcome;
  }

  #disarm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}
