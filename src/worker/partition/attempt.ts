/**
 * One run of one job:
 *
 * 1. Its time limit begins, and the run is reported and traced.
 * 2. An instance of the job's class is made, and performed with its current attributes (`perform.ts`).
 * 3. Everything that the job has started through the library is awaited.
 * 4. If it failed, its class decides what follows; a job that was made to end is not asked.
 * 5. The time limit ends, and the result is the outcome. The caller settles it: what follows may be a part of the job, too
 *    (`enqueueRetry`, `callAfterDiscard`).
 *
 * Meanwhile the job may be asked to end: by its time limit, a stop (`abort`), an operator (`cancel`) or the end of the
 * ownership (`revoke`). It is waited for in any case: it never runs a second time beside itself. One that exceeds its time
 * limit counts as failed once it settles; one that does not end within its grace is reported.
 */
import { CancelledError, RevokedError, type SchemaError, ShutdownError, TimeoutError } from "../../errors.ts";
import { planOf } from "../../job/declarations.ts";
import type { EnvelopeCodec } from "../../job/envelope.ts";
import type { Envelope } from "../../job/envelope_data.ts";
import { callAfterDiscard, type Retry } from "../../job/error_handlers.ts";
import type { Job, JobClass } from "../../job/job.ts";
import { enqueueRetry } from "../../job/retry.ts";
import { type Checkpoint, JobRun, type Resumption } from "../../job/run.ts";
import type { RunningJob } from "../../monitor/events.ts";
import type { JobSpan } from "../../monitor/job_span.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { Tracing } from "../../monitor/tracing.ts";
import type { Route } from "../../routing/route.ts";
import { formatPartition, type Position, type TopicPartition } from "../../support/position.ts";
import { clearTimeout, setTimeout } from "../../support/timers.ts";
import type { Cancellation } from "../control.ts";
import type { DecodedJob } from "./decode.ts";
import { jobIdOf } from "./job_id.ts";
import { toJobInfo, toTracedJob } from "./job_info.ts";
import { CANCELLED, decideOutcome, failed, HALTED, type Outcome, PASSED } from "./outcome.ts";
import { type PerformingRun, performJob, prepareJob } from "./perform.ts";
import type { QueuedRecord } from "./queued_record.ts";

/** A promise that is settled: see `Attempt.run`. */
const SETTLED = Promise.resolve();

/** The references that the attempts of a partition share. */
export interface AttemptContext {
  readonly place: TopicPartition;
  readonly route: Route;
  readonly codec: EnvelopeCodec;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  /** Returns the reason to interrupt a job in steps; `null` to go on. */
  readonly interruptReason: (jobClass: string, checkpoint: Checkpoint) => string | null;
}

/** See the module. */
export class Attempt extends JobRun implements PerformingRun {
  readonly Class: JobClass;
  readonly envelope: Envelope;
  readonly number: number;
  readonly startedMs: number;
  schemaError: SchemaError | undefined = undefined;
  readonly #context: AttemptContext;
  readonly #record: QueuedRecord;
  #timeoutMs: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #span: JobSpan | undefined;
  /** The job, once it is made. */
  #job: Job | undefined;
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
    this.Class = job.Class;
    this.envelope = job.envelope;
    this.number = number;
    this.startedMs = nowMs;
  }

  override get record(): Position {
    const { topic, partition } = this.#context.place;
    return { topic, partition, offset: this.#record.offset };
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
    const { monitor, tracing, route } = this.#context;
    let returned: unknown;
    try {
      this.#startTimer();
      if (monitor.hasListener("job.performing")) monitor.emit("job.performing", toJobInfo(this));
      await SETTLED;
      if (tracing.isOn) this.#span = tracing.startProcess(toTracedJob(this, this.#record, route.group));
      returned = this.#runInScope(() => this.#perform());
      if (returned !== undefined) returned = await returned;
      const pending = this.settled();
      if (pending !== undefined) await pending;
      // A `catch` of the job has swallowed it: the rest of its steps is still to come.
      const interrupt = this.steps?.interrupt;
      if (interrupt !== undefined) throw interrupt;
    } catch (thrown) {
      if (this.#cancellation !== undefined) return this.#settle(CANCELLED);
      return this.#settle(await this.#handleError(thrown));
    }
    // A job that returned has passed, unless it exceeded its time limit.
    const reason = this.abortReason ?? this.#unnoticedTimeout();
    if (reason instanceof TimeoutError) return this.#settle(await this.#handleError(reason));
    return this.#settle(returned === HALTED ? HALTED : PASSED);
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
    const plan = planOf(this.Class);
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
    const run = codec.hasAttributes ? () => codec.runWithAttributes(this.envelope, fn) : fn;
    return this.#span === undefined ? run() : this.#span.run(run);
  }

  #perform(): unknown {
    const job = this.#job = new this.Class();
    prepareJob(job, this);
    return performJob(job, this, this.#context.codec);
  }

  /** Throws if the job was cancelled. */
  throwIfCancelled(): void {
    if (this.#cancellation !== undefined) throw this.abortReason;
  }

  /**
   * Decides what follows an error. The class of the job is asked, unless the job was made to end: it runs again. If the job
   * exceeded its time limit, that is its error.
   */
  async #handleError(thrown: unknown): Promise<Outcome> {
    const job = this.#job;
    const reason = this.abortReason;
    const isTimeout = reason instanceof TimeoutError;
    const error = isTimeout ? reason : thrown;
    if (job === undefined || (reason !== undefined && !isTimeout)) return failed(error);
    if (this.schemaError !== undefined) return { kind: "poison", error: this.schemaError };
    try {
      return await this.#runInScope(() => decideOutcome(planOf(this.Class), job, error));
    } catch (another) {
      return failed(another);
    }
  }

  override get canInterrupt(): boolean {
    return true;
  }

  override interruptReason(checkpoint: Checkpoint): string | null {
    if (this.abortReason instanceof RevokedError) return "revoked";
    if (this.#cancellation !== undefined) return "cancelled";
    return this.#context.interruptReason(this.envelope.jobClass, checkpoint);
  }

  override reportResumed(resumption: Resumption): void {
    this.#context.monitor.emit("job.resumed", { ...toJobInfo(this), ...resumption });
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
    this.abort(new RevokedError(`Partition ${formatPartition(this.place)} is no longer this worker's`));
    this.#armOrphaned("revoked");
  }

  /** The partition of its record. */
  get place(): TopicPartition {
    return this.#context.place;
  }

  /** The offset of its record. */
  get offset(): number {
    return this.#record.offset;
  }

  /** The job's id. */
  get jobId(): string {
    return jobIdOf(this.envelope, this.#context.place, this.#record.offset);
  }

  /** The number of its runs over all its records, this one included. */
  get executions(): number {
    return this.envelope.executions + this.number;
  }

  /** The time since its start, in milliseconds. */
  get durationMs(): number {
    return performance.now() - this.startedMs;
  }

  /** Returns the job with its time so far and its limits. */
  toRunningJob(): RunningJob {
    const { timeoutGraceMs } = this.#context.route;
    return { ...toJobInfo(this), runningMs: this.durationMs, timeoutMs: this.#timeoutMs, timeoutGraceMs };
  }

  /** Reads the time limit, once: it may be a getter of the user's class, and throw. */
  #startTimer(): void {
    const timeoutMs = this.#timeoutMs = this.Class.timeoutMs ?? this.#context.route.timeoutMs;
    if (timeoutMs === null) return;
    this.#timer = setTimeout(() => {
      this.abort(this.#timeoutError(timeoutMs));
      this.#armOrphaned("timeout");
    }, timeoutMs);
  }

  /** A job that blocks the event loop also blocks its own timer. The clock is read only if there is a limit. */
  #unnoticedTimeout(): TimeoutError | undefined {
    if (this.#timer === undefined) return undefined;
    const timeoutMs = this.#timeoutMs!;
    return this.durationMs > timeoutMs ? this.#timeoutError(timeoutMs) : undefined;
  }

  #timeoutError(timeoutMs: number): TimeoutError {
    return new TimeoutError(`${this.envelope.jobClass} ran longer than its ${timeoutMs} ms`);
  }

  #armOrphaned(reason: "timeout" | "revoked"): void {
    const { monitor, route } = this.#context;
    this.#timer = setTimeout(() => {
      monitor.emit("job.orphaned", { ...toJobInfo(this), reason, runningMs: this.durationMs });
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
