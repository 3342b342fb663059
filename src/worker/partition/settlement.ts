/**
 * Settles records: what follows a run that did not simply pass, and a record that cannot be run.
 *
 * 1. The ownership is proved. Without it the outcome does not count: the new owner runs the record again.
 * 2. The decision of the job's class is carried out: the job ends, or runs again, as a new record or in place.
 * 3. Otherwise the worker's policy decides: another try, a dead letter, or a wait for an operator.
 *
 * A new record, and a dead letter, are acknowledged before the record itself is finished.
 */
import { describeError, RecordRefusedError, SerializationError, ShutdownError } from "../../errors.ts";
import type { Route } from "../../routing/route.ts";
import type { Position } from "../../support/position.ts";
import { MAX_TIMER_MS } from "../../support/validation.ts";
import type { InterruptOutcome } from "../../job/resume.ts";
import type { Attempt, Outcome } from "./attempt.ts";
import type { GroupContext } from "./context.ts";
import { writeDeadLetter } from "./dead_letter.ts";
import type { Decoded } from "./decode.ts";
import { deriveJobId } from "./derive_job_id.ts";
import { keyBytes, type QueuedRecord, valueBytes } from "./queued_record.ts";
import type { Decision } from "./retry_policy.ts";
import type { RetryState } from "./retry_state.ts";
import type { RetryWaits } from "./retry_waits.ts";

/** The parts of a partition that deal with its records. */
export interface RecordContext {
  readonly partition: number;
  readonly route: Route;
  readonly context: GroupContext;
  readonly retryState: RetryState;
  readonly waits: RetryWaits;
  /** Called when a record is finished: it leaves the queue and may be committed. */
  readonly onFinished: (record: QueuedRecord) => void;
  /** Called when the commit's metadata has changed. */
  readonly onProgress: () => void;
}

/** The runner's side of a settlement. */
export interface SettlementOptions extends RecordContext {
  /** Whether the partition is still owned, as far as this worker knows. */
  readonly isOwned: () => boolean;
}

/** The job that a dead letter's event names. */
interface JobIdentity {
  readonly jobClass: string;
  readonly jobId: string | null;
}

/** See the module. */
export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** Finishes a record whose job has passed. The caller has proved the ownership, at `nowMs`. */
  pass(record: QueuedRecord, attempt: Attempt, nowMs: number): void {
    const { monitor } = this.#options.context.config;
    if (monitor.hasListener("job.performed")) monitor.emit("job.performed", attempt.toPerformedEvent(nowMs));
    this.#finish(record);
  }

  /** Settles a run that did not pass, or whose ownership is not certain. */
  async settle(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<void> {
    if (!await this.#proveOwnership()) return this.#reportRevoked(attempt, outcome);
    // The stop ended it: that is not a failure. The job runs again later, with the same number of attempts.
    if (outcome.kind === "failed" && attempt.abortReason instanceof ShutdownError) return;
    if (await this.#applyClassDecision(record, attempt, outcome)) return;
    await this.#applyPolicy(record, attempt, outcome);
  }

  /** Settles a record that does not run: a tombstone, poison, too old, of an unknown class, or one that was given up. */
  async settleUnperformed(record: QueuedRecord, decoded: Decoded): Promise<void> {
    if (!await this.#proveOwnership()) return;
    const { context: { config: { monitor } }, retryState } = this.#options;
    const { offset } = record;
    switch (decoded.kind) {
      case "tombstone":
        monitor.emit("record.skipped", { ...this.#positionOf(record), reason: "tombstone" });
        return this.#finishUnperformed(record);
      case "cancelled": {
        const { jobClass, jobId, order: { by, why } } = decoded;
        const job = { ...this.#positionOf(record), jobClass, jobId };
        monitor.emit("job.cancelled", { ...job, state: "waiting", durationMs: null, by, why });
        return this.#finishUnperformed(record);
      }
      case "job":
        return await this.#deadLetter(record, decoded.envelope);
      case "expired":
        monitor.emit("job.expired", {
          ...this.#positionOf(record),
          jobClass: decoded.envelope.jobClass,
          jobId: decoded.envelope.jobId ?? deriveJobId(this.#positionOf(record)),
          queue: decoded.envelope.queueName ?? this.#options.route.topic,
          ageMs: decoded.ageMs,
          expiresAfterMs: decoded.expiresAfterMs,
        });
        return this.#finishUnperformed(record);
      case "early":
        return await this.#schedule(record, decoded);
      case "poison":
        return await this.#apply(retryState.countPoison(offset, decoded.error), record, null);
      case "unknown": {
        const { name, error } = decoded;
        return await this.#apply(retryState.countUnknown(offset, name, error, performance.now()), record, null);
      }
    }
  }

  /** Carries out what the job's class has decided. @returns whether that settles the record */
  async #applyClassDecision(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<boolean> {
    const { monitor } = this.#options.context.config;
    switch (outcome.kind) {
      case "passed":
        this.pass(record, attempt, performance.now());
        return true;
      case "halted":
        monitor.emit("job.halted", { ...attempt.toJobInfo(), durationMs: attempt.durationMs });
        this.#finish(record);
        return true;
      case "cancelled":
        this.#reportCancelled(attempt);
        this.#finish(record);
        return true;
      case "exhausted":
        this.#reportRetryStopped(attempt, outcome.error);
        return await this.#discard(record, attempt, outcome.error);
      case "discarded":
        return await this.#discard(record, attempt, outcome.error);
      case "rescued":
        this.#reportDone("job.rescued", attempt, outcome.error);
        this.#finish(record);
        return true;
      case "poison":
        await this.#apply(
          this.#options.retryState.countPoison(record.offset, outcome.error),
          record,
          attempt.toJobInfo(),
        );
        return true;
      case "interrupted":
        await this.#resume(record, attempt, outcome);
        return true;
      case "retry":
        return outcome.retry.inPlace
          ? this.#retryInPlace(record, attempt, outcome)
          : await this.#retryAsNewRecord(record, attempt, outcome);
      case "failed":
        if (outcome.isFinal) this.#reportRetryStopped(attempt, outcome.error);
        return false;
    }
  }

  /** Ends a job that its class has given up. The ownership may end meanwhile. */
  async #discard(record: QueuedRecord, attempt: Attempt, error: unknown): Promise<true> {
    await this.#callAfterDiscard(attempt, error);
    this.#reportDone("job.discarded", attempt, error);
    if (await this.#proveOwnership()) this.#finish(record);
    return true;
  }

  #retryInPlace(record: QueuedRecord, attempt: Attempt, outcome: Outcome & { kind: "retry" }): true {
    const waitMs = Math.min(outcome.retry.waitMs, this.#options.context.config.maxRetryWaitMs ?? MAX_TIMER_MS);
    this.#options.retryState.countRetry(record.offset, outcome.error);
    this.#options.onProgress();
    this.#reportRetry(attempt, outcome);
    this.#options.waits.add(record, { kind: "retry", waitMs });
    return true;
  }

  /** Writes the job's next record. If that fails, the worker's policy decides. */
  async #retryAsNewRecord(
    record: QueuedRecord,
    attempt: Attempt,
    outcome: Outcome & { kind: "retry" },
  ): Promise<boolean> {
    try {
      const isHalted = await attempt.enqueueRetry(outcome.retry);
      if (isHalted) return await this.#discard(record, attempt, outcome.error);
      this.#reportRetry(attempt, outcome);
    } catch (error) {
      this.#options.context.config.monitor.emit("error.occurred", { where: "retry", error: describeError(error) });
      return false;
    }
    if (await this.#proveOwnership()) this.#finish(record);
    return true;
  }

  /**
   * Writes the record with which an interrupted job goes on. If it cannot wait among the delayed jobs, it goes on at once; if
   * nothing can be written, the job runs again from where this run began. None of that counts as a failure, except a cursor
   * that can never be written.
   */
  async #resume(record: QueuedRecord, attempt: Attempt, outcome: InterruptOutcome): Promise<void> {
    const { retryState, context: { config: { monitor } } } = this.#options;
    let { retry } = outcome;
    try {
      const isHalted = await attempt.enqueueRetry(retry).catch(async () => {
        retry = { ...retry, waitMs: 0 };
        return await attempt.enqueueRetry(retry);
      });
      if (isHalted) return void await this.#discard(record, attempt, outcome.interrupt);
    } catch (error) {
      if (error instanceof SerializationError) {
        return await this.#applyPolicy(record, attempt, { kind: "failed", error, isFinal: false });
      }
      monitor.emit("error.occurred", { where: "resume", error: describeError(error) });
      return this.#options.waits.add(record, retryState.countRefusedWrite(record.offset));
    }
    const { step, reason } = outcome.interrupt;
    const { durationMs } = attempt;
    monitor.emit("job.interrupted", { ...attempt.toJobInfo(), durationMs, step, reason, waitMs: retry.waitMs });
    if (!await this.#proveOwnership()) return;
    this.#finish(record);
  }

  /** Lets the worker's policy decide. */
  async #applyPolicy(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<void> {
    const { context: { config: { monitor } }, retryState, onProgress } = this.#options;
    const { error, isFinal } = failureOf(outcome);
    const decision = retryState.countFailure(record.offset, error, isFinal);
    // The count must reach the broker even if the front never moves again.
    onProgress();
    const isLast = decision.kind === "dead_letter";
    monitor.emit("job.failed", {
      ...attempt.toJobInfo(),
      durationMs: attempt.durationMs,
      error: retryState.errorOf(record.offset),
      next: isLast ? "dead_letter" : "retry",
      waitMs: isLast ? 0 : decision.waitMs,
    });
    if (isLast) {
      await this.#callAfterDiscard(attempt, error);
      // The ownership may have ended meanwhile.
      if (!await this.#proveOwnership()) return;
    }
    await this.#apply(decision, record, attempt.toJobInfo());
  }

  async #callAfterDiscard(attempt: Attempt, error: unknown): Promise<void> {
    try {
      await attempt.callAfterDiscard(error);
    } catch (thrown) {
      this.#options.context.config.monitor.emit("error.occurred", {
        where: "afterDiscard",
        error: describeError(thrown),
      });
    }
  }

  async #apply(decision: Decision, record: QueuedRecord, job: JobIdentity | null): Promise<void> {
    if (decision.kind === "dead_letter") await this.#deadLetter(record, job);
    else this.#options.waits.add(record, decision);
  }

  async #deadLetter(record: QueuedRecord, job: JobIdentity | null): Promise<void> {
    const { retryState, route, context: { group, config: { append, monitor } } } = this.#options;
    const error = retryState.errorOf(record.offset);
    const source = this.#positionOf(record);
    const attempts = retryState.attemptsOf(record.offset);
    const letter = { source, record, group, attempts, error };
    const outcome = await writeDeadLetter(route.deadLetterQueue!.topic, letter, append);
    if (!outcome.ok) {
      monitor.emit("error.occurred", { where: "dead letter", error: describeError(outcome.error) });
      return this.#options.waits.add(record, retryState.countRefusedWrite(record.offset));
    }
    const { jobClass = null, jobId = null } = job ?? {};
    monitor.emit("record.dead_lettered", { ...source, to: outcome.position, attempts, error, jobClass, jobId });
    if (await this.#proveOwnership()) this.#finishUnperformed(record);
  }

  /** Hands a job that is not due over to the delayed ones. */
  async #schedule(record: QueuedRecord, { envelope, dueAtMs }: Decoded & { kind: "early" }): Promise<void> {
    const { retryState, route, context: { config: { monitor, schedule } } } = this.#options;
    const { jobClass } = envelope;
    const jobId = envelope.jobId ?? deriveJobId(this.#positionOf(record));
    const content = { key: keyBytes(record), value: valueBytes(record), headers: record.headers };
    const outcome = await schedule(content, { jobId, dueAtMs, targetTopic: route.topic });
    if (outcome.ok) {
      const { partition, offset } = outcome.position;
      monitor.emit("job.scheduled", { jobClass, jobId, queue: route.topic, dueAtMs, partition, offset });
      // A new owner schedules the job again: that moves it.
      if (!await this.#proveOwnership()) return;
      this.#finishUnperformed(record);
    } else if (outcome.error instanceof RecordRefusedError) {
      await this.#apply(retryState.countPoison(record.offset, outcome.error), record, { jobClass, jobId });
    } else {
      monitor.emit("error.occurred", { where: "schedule", error: describeError(outcome.error) });
      this.#options.waits.add(record, retryState.countRefusedWrite(record.offset));
    }
  }

  /** Finishes a record whose job has ended. */
  #finish(record: QueuedRecord): void {
    this.#options.retryState.resetAfterPass(record.offset);
    this.#leave(record);
  }

  /** Finishes a record whose job did not end: it says nothing about the partition. */
  #finishUnperformed(record: QueuedRecord): void {
    this.#options.retryState.resetAfterDeadLetter(record.offset);
    this.#leave(record);
  }

  #leave(record: QueuedRecord): void {
    this.#options.waits.remove(record);
    this.#options.onFinished(record);
  }

  /** Waits until it is certain whether the partition is still owned. @returns whether it is */
  async #proveOwnership(): Promise<boolean> {
    const { isOwned, context: { startCondition } } = this.#options;
    while (isOwned() && !startCondition.canCommit(performance.now())) await startCondition.nextChange();
    return isOwned();
  }

  #reportRevoked(attempt: Attempt, { kind }: Outcome): void {
    const { monitor, sessionTimeoutMs } = this.#options.context.config;
    const outcome = kind === "passed" || kind === "halted" ? "passed" : "failed";
    monitor.emit("job.revoked", {
      ...attempt.toJobInfo(),
      durationMs: attempt.durationMs,
      outcome,
      sessionTimeoutMs,
    });
  }

  #reportCancelled(attempt: Attempt): void {
    const { topic, partition, offset, jobClass, jobId } = attempt.toJobInfo();
    const { by, why } = attempt.cancellation!;
    const job = { topic, partition, offset, jobClass, jobId, durationMs: attempt.durationMs };
    this.#options.context.config.monitor.emit("job.cancelled", { ...job, state: "running", by, why });
  }

  #reportDone(event: "job.discarded" | "job.rescued", attempt: Attempt, thrown: unknown): void {
    const { monitor } = this.#options.context.config;
    if (!monitor.hasListener(event)) return;
    const { durationMs } = attempt;
    monitor.emit(event, { ...attempt.toJobInfo(), durationMs, error: describeError(thrown) });
  }

  #reportRetry(attempt: Attempt, { error: thrown, retry: { waitMs, inPlace } }: Outcome & { kind: "retry" }): void {
    const { monitor } = this.#options.context.config;
    // To describe an error costs more than a small job: its stack is formatted.
    if (!monitor.hasListener("job.retry_scheduled")) return;
    const { durationMs, executions } = attempt;
    const error = describeError(thrown);
    monitor.emit("job.retry_scheduled", {
      ...attempt.toJobInfo(),
      durationMs,
      error,
      waitMs,
      inPlace,
      executions,
    });
  }

  #reportRetryStopped(attempt: Attempt, thrown: unknown): void {
    const { monitor } = this.#options.context.config;
    const { executions } = attempt;
    monitor.emit("job.retry_stopped", { ...attempt.toJobInfo(), error: describeError(thrown), executions });
  }

  #positionOf({ offset }: QueuedRecord): Position {
    const { partition, route } = this.#options;
    return { topic: route.topic, partition, offset };
  }
}

/** The failure of a run. A retry that could not be written counts as one. */
function failureOf(outcome: Outcome): { readonly error: unknown; readonly isFinal: boolean } {
  if (outcome.kind === "failed") return outcome;
  return { error: outcome.kind === "retry" ? outcome.error : undefined, isFinal: false };
}
