/**
 * One run of one job.
 *
 * 1. An instance of the job's class is made, and its `perform` is called, with its current attributes, its signal and its
 *    time limit.
 * 2. When it settles, the result becomes an outcome.
 *
 * A job that exceeds its time limit is asked to end and waited for: it never runs a second time beside itself, and counts
 * as failed once it settles.
 */
import { RevokedError, ShutdownError, TimeoutError } from "../../errors.ts";
import { type EnvelopeCodec, readTime } from "../../job/envelope.ts";
import type { Job } from "../../job/job.ts";
import { JobRun, RUN } from "../../job/run.ts";
import type { JobInfo, RunningJob } from "../../monitor/events.ts";
import type { JobSpan } from "../../monitor/job_span.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { PerformedJob, Tracing } from "../../monitor/tracing.ts";
import type { Route } from "../../routing/route.ts";
import { formatPartition, type Position } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import type { DecodedJob } from "./decode.ts";
import { deriveJobId } from "./derive_job_id.ts";
import { keyText, type QueuedRecord } from "./queued_record.ts";

/** The outcome of an attempt. */
export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failed"; readonly error: unknown };

/** The clocks of two machines may differ by this, in milliseconds. A job from farther in the future has no wait time. */
const MAX_SKEW_MS = 1000;

const PASSED: Outcome = { kind: "passed" };

/** A promise that is settled: see `Attempt.run`. */
const SETTLED = Promise.resolve();

/** The references that the attempts of a partition share. */
export interface AttemptContext {
  readonly route: Route;
  readonly partition: number;
  readonly codec: EnvelopeCodec;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
}

/** See the module. */
export class Attempt extends JobRun {
  readonly #context: AttemptContext;
  readonly #record: QueuedRecord;
  readonly #job: DecodedJob;
  readonly #number: number;
  readonly #startedMs: number;
  #timeoutMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #span: JobSpan | undefined;
  #isSettled = false;

  /**
   * @param number the number of this run of the record, from 1
   * @param nowMs the time, on the clock of `performance.now()`
   */
  constructor(context: AttemptContext, record: QueuedRecord, job: DecodedJob, number: number, nowMs: number) {
    super();
    this.#context = context;
    this.#record = record;
    this.#job = job;
    this.#number = number;
    this.#startedMs = nowMs;
  }

  override get record(): Position {
    const { route, partition } = this.#context;
    return { topic: route.topic, partition, offset: this.#record.offset };
  }

  protected override get monitor(): Monitor {
    return this.#context.monitor;
  }

  /**
   * Performs the job. It never rejects: whatever the job throws, its statics and its constructor included, is in the
   * outcome.
   *
   * The job runs behind a settled promise, in a microtask of its own: a context that it enters
   * (`AsyncLocalStorage.enterWith`) ends there, and the caller's loop, its next job and this job's retry do not see it. It
   * costs 0.2 µs; a snapshot of the context would cost 0.8 (measured).
   */
  async run(): Promise<Outcome> {
    const { monitor, tracing } = this.#context;
    try {
      this.#startTimer();
      if (monitor.hasListener("job.performing")) monitor.emit("job.performing", this.toJobInfo());
      await SETTLED;
      if (tracing.isOn) this.#span = tracing.startProcess(this.#toPerformedJob());
      await (this.#span === undefined ? this.#performInScope() : this.#span.run(() => this.#performInScope()));
    } catch (thrown) {
      return this.#settleFailed(thrown);
    }
    return this.#settlePassed();
  }

  #performInScope(): unknown {
    const { codec } = this.#context;
    return codec.hasAttributes
      ? codec.runWithAttributes(this.#job.envelope, () => this.#performJob())
      : this.#performJob();
  }

  #performJob(): unknown {
    const { Class, envelope } = this.#job;
    const job: Job = new Class();
    job.args = envelope.arguments as unknown[];
    job.jobId = this.#jobId;
    job.queueName = this.#queue;
    job.priority = envelope.priority;
    job.executions = this.#executions;
    job.attempt = this.#number;
    job.enqueuedAt = envelope.enqueuedAt;
    job[RUN] = this;
    const args = this.#context.codec.deserializeArguments(envelope);
    return args instanceof Promise ? args.then((found) => performWith(job, found)) : performWith(job, args);
  }

  /** Whether the job's `perform` has settled. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Settles a job that returned: it has passed, unless it exceeded its time limit. */
  #settlePassed(): Outcome {
    const reason = this.abortReason ?? this.#unnoticedTimeout();
    return this.#settle(reason instanceof TimeoutError ? { kind: "failed", error: reason } : PASSED);
  }

  /** Settles a job that threw. If it exceeded its time limit, that is its error. */
  #settleFailed(thrown: unknown): Outcome {
    const reason = this.abortReason;
    return this.#settle({ kind: "failed", error: reason instanceof TimeoutError ? reason : thrown });
  }

  /** Asks the job to end, since its ownership has ended, and reports it if it does not. */
  revoke(): void {
    // A settled job only waits for the proof of ownership.
    if (this.#isSettled) return;
    this.#disarm();
    // A stop has reported it as unfinished, and no timer may keep the process alive after the stop.
    if (this.abortReason instanceof ShutdownError) return;
    this.abort(
      new RevokedError(`Partition ${formatPartition(this.record)} is no longer this worker's`),
    );
    this.#armOrphaned("revoked");
  }

  /** Returns the job as events name it. */
  toJobInfo(): JobInfo {
    const { jobClass } = this.#job.envelope;
    const { route: { topic }, partition } = this.#context;
    const { offset } = this.#record;
    return { jobClass, jobId: this.#jobId, queue: this.#queue, topic, partition, offset, attempt: this.#number };
  }

  /** Returns the job with its time so far and its limits. */
  toRunningJob(): RunningJob {
    const { timeoutGraceMs } = this.#context.route;
    return { ...this.toJobInfo(), runningMs: this.durationMs, timeoutMs: this.#timeoutMs, timeoutGraceMs };
  }

  /** The time since its start, in milliseconds. */
  get durationMs(): number {
    return performance.now() - this.#startedMs;
  }

  /** The time from its enqueuing to its start, in milliseconds; `null` if it is unknown. */
  get waitMs(): number | null {
    const { enqueuedAt } = this.#job.envelope;
    const enqueuedAtMs = enqueuedAt === null ? null : readTime(enqueuedAt);
    // 1970 is the time of a clock that was never set.
    if (enqueuedAtMs === null || enqueuedAtMs <= 0) return null;
    const waitMs = Date.now() - this.durationMs - enqueuedAtMs;
    if (waitMs < -MAX_SKEW_MS) return null;
    return Math.max(waitMs, 0);
  }

  get #jobId(): string {
    return this.#job.envelope.jobId ?? deriveJobId(this.record);
  }

  get #queue(): string {
    return this.#job.envelope.queueName ?? this.#context.route.topic;
  }

  get #executions(): number {
    return this.#job.envelope.executions + this.#number;
  }

  #toPerformedJob(): PerformedJob {
    const { headers } = this.#record;
    const { group } = this.#context.route;
    return { ...this.toJobInfo(), key: keyText(this.#record), headers, group, executions: this.#executions };
  }

  /** Reads the time limit, once: it may be a getter of the user's class, and throw. */
  #startTimer(): void {
    const timeoutMs = this.#timeoutMs = this.#job.Class.timeoutMs ?? this.#context.route.timeoutMs;
    if (timeoutMs !== null) this.#timer = setTimeout(() => this.#exceedTimeout(timeoutMs), timeoutMs);
  }

  #exceedTimeout(timeoutMs: number): void {
    this.abort(this.#timeoutError(timeoutMs));
    this.#armOrphaned("timeout");
  }

  /** A job that blocks the event loop also blocks its own timer. The clock is read only if there is a limit. */
  #unnoticedTimeout(): TimeoutError | undefined {
    if (this.#timer === undefined) return undefined;
    const timeoutMs = this.#timeoutMs!;
    return this.durationMs > timeoutMs ? this.#timeoutError(timeoutMs) : undefined;
  }

  #timeoutError(timeoutMs: number): TimeoutError {
    return new TimeoutError(`${this.#job.envelope.jobClass} ran longer than its ${timeoutMs} ms`);
  }

  #armOrphaned(reason: "timeout" | "revoked"): void {
    const { monitor, route } = this.#context;
    this.#timer = setTimeout(() => {
      monitor.emit("job.orphaned", { ...this.toJobInfo(), reason, runningMs: this.durationMs });
    }, route.timeoutGraceMs);
  }

  #settle(outcome: Outcome): Outcome {
    this.#isSettled = true;
    this.#disarm();
    if (outcome.kind === "passed") this.#span?.end();
    else this.#span?.fail(outcome.error);
    return outcome;
  }

  #disarm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}

function performWith(job: Job, args: readonly unknown[]): unknown {
  job.args = args as unknown[];
  return job.perform(...job.args);
}
