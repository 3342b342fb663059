/**
 * One run of one job.
 *
 * 1. An instance of the job's class is made, and its `perform` is called, inside of its callbacks, with its current
 *    attributes, its signal and its time limit.
 * 2. If it fails, the error handlers of its class are asked.
 * 3. When all that has settled, the result becomes an outcome.
 *
 * A job that exceeds its time limit is asked to end and waited for: it never runs a second time beside itself, and counts
 * as failed once it settles.
 */
import { CancelledError, RevokedError, SchemaError, ShutdownError, TimeoutError } from "../../errors.ts";
import { runCallbacks } from "../../job/callbacks.ts";
import { SOURCE } from "../../job/carried.ts";
import { type JobPlan, planOf } from "../../job/declarations.ts";
import { type EnvelopeCodec, readTime } from "../../job/envelope.ts";
import { callAfterDiscard, type ErrorOutcome, handleError, type Retry } from "../../job/error_handlers.ts";
import type { Job } from "../../job/job.ts";
import { decideResume, type InterruptOutcome } from "../../job/resume.ts";
import { enqueueRetry } from "../../job/retry.ts";
import { type Checkpoint, JobRun, type Resumption, RUN } from "../../job/run.ts";
import { applySchema } from "../../job/schema.ts";
import type { EventMap, JobInfo, RunningJob } from "../../monitor/events.ts";
import type { JobSpan } from "../../monitor/job_span.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { PerformedJob, Tracing } from "../../monitor/tracing.ts";
import type { Route } from "../../routing/route.ts";
import { formatPartition, type Position } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import type { Cancellation } from "../control.ts";
import type { DecodedJob } from "./decode.ts";
import { deriveJobId } from "./derive_job_id.ts";
import { keyText, type QueuedRecord } from "./queued_record.ts";

/**
 * The outcome of an attempt. `halted`: a callback ended the job before its `perform`. `cancelled`: an operator has cancelled
 * the job, and it did not pass.
 */
export type Outcome =
  | { readonly kind: "passed" | "halted" | "cancelled" }
  | InterruptOutcome
  | ErrorOutcome
  | PoisonOutcome;

/** The job can never be performed: its arguments do not fit the schema of its class. */
interface PoisonOutcome {
  readonly kind: "poison";
  readonly error: SchemaError;
}

/** The clocks of two machines may differ by this, in milliseconds. A job from farther in the future has no wait time. */
const MAX_SKEW_MS = 1000;

const PASSED: Outcome = { kind: "passed" };
const HALTED: Outcome = { kind: "halted" };
const CANCELLED: Outcome = { kind: "cancelled" };

/** A promise that is settled: see `Attempt.run`. */
const SETTLED = Promise.resolve();

/** The references that the attempts of a partition share. */
export interface AttemptContext {
  readonly route: Route;
  readonly partition: number;
  readonly codec: EnvelopeCodec;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  /** Returns the time of the App's clock, in milliseconds. */
  readonly nowMs: () => number;
  /** Returns the reason to interrupt a job in steps; `null` to go on. */
  readonly interruptReason: (jobClass: string, checkpoint: Checkpoint) => string | null;
}

/** See the module. */
export class Attempt extends JobRun {
  readonly #context: AttemptContext;
  readonly #record: QueuedRecord;
  readonly #decoded: DecodedJob;
  readonly #number: number;
  readonly #startedMs: number;
  #timeoutMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #span: JobSpan | undefined;
  /** The job, once it is made. */
  #job: Job | undefined;
  #isHalted = false;
  #schemaError: SchemaError | undefined;
  #isSettled = false;
  #cancellation: Cancellation | undefined;

  /**
   * @param number the number of this run of the record, from 1
   * @param nowMs the time, on the clock of `performance.now()`
   */
  constructor(context: AttemptContext, record: QueuedRecord, job: DecodedJob, number: number, nowMs: number) {
    super();
    this.#context = context;
    this.#record = record;
    this.#decoded = job;
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
      const returned = this.#runInScope(() => this.#perform());
      if (returned !== undefined) await returned;
      const pending = this.settled();
      if (pending !== undefined) await pending;
      // A `catch` of the job has swallowed it: the rest of its steps is still to come.
      const interrupt = this.steps?.interrupt;
      if (interrupt !== undefined) throw interrupt;
    } catch (thrown) {
      // If it exceeded its time limit, that is its error.
      const reason = this.abortReason;
      if (this.#cancellation !== undefined) return this.#settle(CANCELLED);
      return this.#settle(await this.#handleError(reason instanceof TimeoutError ? reason : thrown));
    }
    // A job that returned has passed, unless it exceeded its time limit.
    const reason = this.abortReason ?? this.#unnoticedTimeout();
    if (reason instanceof TimeoutError) return this.#settle(await this.#handleError(reason));
    return this.#settle(this.#isHalted ? HALTED : PASSED);
  }

  /**
   * Enqueues the job's next run.
   *
   * @returns whether a callback halted it
   * @throws {EnqueueError} if it cannot be enqueued
   */
  enqueueRetry(retry: Retry): Promise<boolean> {
    return this.#runInScope(() => enqueueRetry(this.#job!, retry));
  }

  /** Calls what the class declared for jobs that are given up: as a part of the job, with the same time limit again. */
  async callAfterDiscard(error: unknown): Promise<void> {
    const job = this.#job;
    const plan = planOf(this.#decoded.Class);
    if (job === undefined || plan.afterDiscard.length === 0) return;
    try {
      this.#isSettled = false;
      this.#startTimer();
      await this.#runInScope(() => callAfterDiscard(plan, job, error));
    } finally {
      this.#isSettled = true;
      this.#disarm();
    }
  }

  /** Runs code of the user in the context of the job: its span and its current attributes. */
  #runInScope<T>(fn: () => T): T {
    const { codec } = this.#context;
    const run = codec.hasAttributes ? () => codec.runWithAttributes(this.#decoded.envelope, fn) : fn;
    return this.#span === undefined ? run() : this.#span.run(run);
  }

  #perform(): unknown {
    const job = this.#makeJob();
    // Here, and not where the record is decoded: an error is the job's, and its handlers are asked.
    const args = this.#context.codec.deserializeArguments(this.#decoded.envelope);
    return args instanceof Promise ? args.then((found) => this.#performWith(job, found)) : this.#performWith(job, args);
  }

  #performWith(job: Job, args: readonly unknown[]): unknown {
    job.args = args as unknown[];
    const { Class } = this.#decoded;
    const plan = planOf(Class);
    const checked = this.#applySchema(args);
    return plan.perform.length === 0
      ? this.#performUnlessCancelled(job, checked)
      : this.#performWithCallbacks(plan, job, checked);
  }

  /** Performs a job, unless it was cancelled while its arguments were found, or its callbacks ran. */
  #performUnlessCancelled(job: Job, args: readonly unknown[]): unknown {
    if (this.#cancellation !== undefined) throw this.abortReason;
    return job.perform(...args);
  }

  #applySchema(args: readonly unknown[]): readonly unknown[] {
    try {
      return applySchema(this.#decoded.Class, args);
    } catch (error) {
      // Another job that this one performs may throw such an error, too: only its own makes it poison.
      if (error instanceof SchemaError) this.#schemaError = error;
      throw error;
    }
  }

  async #performWithCallbacks(plan: JobPlan, job: Job, args: readonly unknown[]): Promise<void> {
    const { isHalted } = await runCallbacks(plan.perform, job, async () => {
      await this.#performUnlessCancelled(job, args);
      if (this.steps?.interrupt !== undefined) throw this.steps.interrupt;
    });
    this.#isHalted = isHalted;
  }

  #makeJob(): Job {
    const { Class, envelope } = this.#decoded;
    const job: Job = this.#job = new Class();
    // First: an error in what follows is the job's, and its handlers are asked.
    job[SOURCE] = envelope;
    job.args = envelope.arguments as unknown[];
    job.jobId = this.jobId;
    job.queueName = this.#queue;
    job.priority = envelope.priority;
    job.executions = this.executions;
    job.attempt = this.#number;
    job.enqueuedAt = envelope.enqueuedAt;
    if (envelope.scheduledAtMs !== null) job.scheduledAt = new Date(envelope.scheduledAtMs);
    job[RUN] = this;
    return job;
  }

  /**
   * Asks the error handlers of the job's class. Those of a job that was made to end are not asked: it runs again. Nor are
   * those of a job that no run can perform.
   */
  async #handleError(error: unknown): Promise<Outcome> {
    const job = this.#job;
    const plan = planOf(this.#decoded.Class);
    const isEnded = this.abortReason !== undefined && !(this.abortReason instanceof TimeoutError);
    if (job === undefined || isEnded) return { kind: "failed", error, isFinal: false };
    if (this.#schemaError !== undefined) return { kind: "poison", error: this.#schemaError };
    const resume = this.#decideResume(job, error);
    if (resume !== null && resume.kind !== "error") return resume;
    const thrown = resume === null ? error : resume.error;
    if (plan.errorHandlers.length === 0) return { kind: "failed", error: thrown, isFinal: false };
    return await this.#runInScope(() => handleError(plan, job, thrown));
  }

  /** The statics that it reads may be getters of the user's class, and throw. */
  #decideResume(job: Job, error: unknown): ReturnType<typeof decideResume> {
    try {
      return decideResume(job, error);
    } catch (thrown) {
      return { kind: "error", error: thrown };
    }
  }

  override get canInterrupt(): boolean {
    return true;
  }

  override interruptReason(checkpoint: Checkpoint): string | null {
    if (this.abortReason instanceof RevokedError) return "revoked";
    if (this.#cancellation !== undefined) return "cancelled";
    return this.#context.interruptReason(this.#decoded.envelope.jobClass, checkpoint);
  }

  override reportResumed(resumption: Resumption): void {
    this.#context.monitor.emit("job.resumed", { ...this.toJobInfo(), ...resumption });
  }

  /** Whether the job's `perform` has settled. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** The order by which the job was asked to end; `undefined` for none. */
  get cancellation(): Cancellation | undefined {
    return this.#cancellation;
  }

  /** Asks the job to end, since an operator has cancelled it. One that is asked to end for another reason goes on so. */
  cancel(cancellation: Cancellation): void {
    if (this.#isSettled || this.abortReason !== undefined) return;
    this.#cancellation = cancellation;
    const { by, why } = cancellation;
    this.abort(new CancelledError(`The job was cancelled by ${by}${why === null ? "" : `: ${why}`}`));
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
    const { jobClass } = this.#decoded.envelope;
    const { route: { topic }, partition } = this.#context;
    const { offset } = this.#record;
    return { jobClass, jobId: this.jobId, queue: this.#queue, topic, partition, offset, attempt: this.#number };
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

  /**
   * Returns the event of a job that has passed.
   *
   * @param nowMs the time of its end, on the clock of `performance.now()`
   */
  toPerformedEvent(nowMs: number): EventMap["job.performed"] {
    const { jobClass } = this.#decoded.envelope;
    const { route: { topic }, partition } = this.#context;
    const { offset } = this.#record;
    const durationMs = nowMs - this.#startedMs;
    // One literal: to spread toJobInfo() costs each job as much again.
    return {
      jobClass,
      jobId: this.jobId,
      queue: this.#queue,
      topic,
      partition,
      offset,
      attempt: this.#number,
      durationMs,
      waitMs: this.#waitMs(durationMs),
    };
  }

  /** Returns the time from its enqueuing, or its due time, to its start, in milliseconds; `null` if it is unknown. */
  #waitMs(durationMs: number): number | null {
    const { enqueuedAt, scheduledAtMs } = this.#decoded.envelope;
    const enqueuedAtMs = enqueuedAt === null ? null : readTime(enqueuedAt);
    // 1970 is the time of a clock that was never set.
    if (enqueuedAtMs === null || enqueuedAtMs <= 0) return null;
    const waitMs = this.#context.nowMs() - durationMs - Math.max(enqueuedAtMs, scheduledAtMs ?? 0);
    if (waitMs < -MAX_SKEW_MS) return null;
    return Math.max(waitMs, 0);
  }

  /** The job's id. */
  get jobId(): string {
    return this.#decoded.envelope.jobId ?? deriveJobId(this.record);
  }

  get #queue(): string {
    return this.#decoded.envelope.queueName ?? this.#context.route.topic;
  }

  /** The number of its runs over all its records, this one included. */
  get executions(): number {
    return this.#decoded.envelope.executions + this.#number;
  }

  #toPerformedJob(): PerformedJob {
    const { headers } = this.#record;
    const { group } = this.#context.route;
    return { ...this.toJobInfo(), key: keyText(this.#record), headers, group, executions: this.executions };
  }

  /** Reads the time limit, once: it may be a getter of the user's class, and throw. */
  #startTimer(): void {
    const timeoutMs = this.#timeoutMs = this.#decoded.Class.timeoutMs ?? this.#context.route.timeoutMs;
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
    return new TimeoutError(`${this.#decoded.envelope.jobClass} ran longer than its ${timeoutMs} ms`);
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
    if (outcome.kind === "failed" || outcome.kind === "retry" || outcome.kind === "poison") {
      this.#span?.fail(outcome.error);
    } else this.#span?.end();
    return outcome;
  }

  #disarm(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
  }
}
