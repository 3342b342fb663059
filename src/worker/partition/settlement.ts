/**
 * Settles attempts: decides and does what follows a run.
 *
 * 1. The ownership is proved. Without it the outcome does not count: the new owner runs the record again.
 * 2. The decision of the job's class is carried out: the job ends, or runs again, as a new record or in place.
 * 3. Otherwise the worker's policy decides: another try, a dead letter, or a wait for an operator.
 *
 * A new record is acknowledged before the record itself is finished.
 */
import { SerializationError, ShutdownError } from "../../errors.ts";
import type { InterruptOutcome } from "../../job/resume.ts";
import { MAX_TIMER_MS } from "../../support/validation.ts";
import type { Attempt } from "./attempt.ts";
import { AttemptEvents } from "./attempt_events.ts";
import type { Finisher, RecordContext } from "./finisher.ts";
import { toJobInfo } from "./job_info.ts";
import type { Outcome } from "./outcome.ts";
import type { QueuedRecord } from "./queued_record.ts";

/** A run after which the class of its job runs it again. */
type RetryOutcome = Outcome & { kind: "retry" };

/** The parts of a partition that a settlement needs. */
export type SettlementOptions =
  & Pick<RecordContext, "context" | "retryState" | "waits" | "onProgress">
  & { readonly finisher: Finisher };

/** See the module. */
export class Settlement {
  readonly #options: SettlementOptions;
  readonly #finisher: Finisher;
  readonly #events: AttemptEvents;

  constructor(options: SettlementOptions) {
    this.#options = options;
    this.#finisher = options.finisher;
    this.#events = new AttemptEvents(options.context.config);
  }

  /** Finishes a record whose job has passed. The caller has proved the ownership, at `nowMs`. */
  pass(record: QueuedRecord, attempt: Attempt, nowMs: number): void {
    this.#events.emitPerformed(attempt, nowMs);
    this.#finisher.finish(record);
  }

  /** Settles a run that did not pass, or whose ownership is not certain. */
  async settle(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<void> {
    if (!await this.#finisher.proveOwnership()) {
      const { kind } = outcome;
      return this.#events.emitRevoked(attempt, kind === "passed" || kind === "halted" ? "passed" : "failed");
    }
    // The stop ended it: that is not a failure. The job runs again later, with the same number of attempts.
    if (outcome.kind === "failed" && attempt.abortReason instanceof ShutdownError) return;
    if (await this.#applyClassDecision(record, attempt, outcome)) return;
    await this.#applyPolicy(record, attempt, outcome);
  }

  /** Carries out what the job's class has decided. @returns whether that settles the record */
  async #applyClassDecision(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<boolean> {
    switch (outcome.kind) {
      case "passed":
        this.pass(record, attempt, performance.now());
        return true;
      case "halted":
        this.#events.emitHalted(attempt);
        this.#finisher.finish(record);
        return true;
      case "cancelled":
        this.#events.emitCancelled(attempt);
        this.#finisher.finish(record);
        return true;
      case "exhausted":
        this.#events.emitRetryStopped(attempt, outcome.error);
        return await this.#discard(record, attempt, outcome.error);
      case "discarded":
        return await this.#discard(record, attempt, outcome.error);
      case "rescued":
        this.#events.emitHandled("job.rescued", attempt, outcome.error);
        this.#finisher.finish(record);
        return true;
      case "poison": {
        const decision = this.#options.retryState.countPoison(record.offset, outcome.error);
        await this.#finisher.apply(decision, record, toJobInfo(attempt));
        return true;
      }
      case "interrupted":
        await this.#resume(record, attempt, outcome);
        return true;
      case "retry":
        return outcome.retry.inPlace
          ? this.#retryInPlace(record, attempt, outcome)
          : await this.#retryAsNewRecord(record, attempt, outcome);
      case "failed":
        if (outcome.isFinal) this.#events.emitRetryStopped(attempt, outcome.error);
        return false;
    }
  }

  /** Ends a job that its class has given up. The ownership may end meanwhile. */
  async #discard(record: QueuedRecord, attempt: Attempt, error: unknown): Promise<true> {
    await this.#callAfterDiscard(attempt, error);
    this.#events.emitHandled("job.discarded", attempt, error);
    if (await this.#finisher.proveOwnership()) this.#finisher.finish(record);
    return true;
  }

  #retryInPlace(record: QueuedRecord, attempt: Attempt, { error, retry }: RetryOutcome): true {
    const { context: { config }, retryState, waits, onProgress } = this.#options;
    const waitMs = Math.min(retry.waitMs, config.maxRetryWaitMs ?? MAX_TIMER_MS);
    retryState.countRetry(record.offset, error);
    onProgress();
    this.#events.emitRetry(attempt, retry, error);
    waits.add(record, { kind: "retry", waitMs });
    return true;
  }

  /** Writes the job's next record. If that fails, the worker's policy decides. */
  async #retryAsNewRecord(record: QueuedRecord, attempt: Attempt, { error, retry }: RetryOutcome): Promise<boolean> {
    try {
      const isHalted = await attempt.enqueueRetry(retry);
      if (isHalted) return await this.#discard(record, attempt, error);
      this.#events.emitRetry(attempt, retry, error);
    } catch (refusal) {
      this.#reportError("retry", refusal);
      return false;
    }
    if (await this.#finisher.proveOwnership()) this.#finisher.finish(record);
    return true;
  }

  /**
   * Writes the record with which an interrupted job goes on. If it cannot wait among the delayed jobs, it goes on at once; if
   * nothing can be written, the job runs again from where this run began. None of that counts as a failure, except a cursor
   * that can never be written.
   */
  async #resume(record: QueuedRecord, attempt: Attempt, { interrupt, retry }: InterruptOutcome): Promise<void> {
    let { waitMs } = retry;
    try {
      const isHalted = await attempt.enqueueRetry(retry).catch(async () => {
        waitMs = 0;
        return await attempt.enqueueRetry({ ...retry, waitMs });
      });
      if (isHalted) return void await this.#discard(record, attempt, interrupt);
    } catch (error) {
      if (error instanceof SerializationError) {
        return await this.#applyPolicy(record, attempt, { kind: "failed", error, isFinal: false });
      }
      this.#reportError("resume", error);
      return this.#finisher.waitAfterRefusal(record);
    }
    this.#events.emitInterrupted(attempt, interrupt, waitMs);
    if (await this.#finisher.proveOwnership()) this.#finisher.finish(record);
  }

  /** Lets the worker's policy decide. */
  async #applyPolicy(record: QueuedRecord, attempt: Attempt, outcome: Outcome): Promise<void> {
    const { retryState, onProgress } = this.#options;
    const { error, isFinal } = failureOf(outcome);
    const decision = retryState.countFailure(record.offset, error, isFinal);
    // The count must reach the broker even if the front never moves again.
    onProgress();
    const isLast = decision.kind === "dead_letter";
    this.#events.emitFailed(attempt, retryState.errorOf(record.offset), isLast ? null : decision.waitMs);
    if (isLast) {
      await this.#callAfterDiscard(attempt, error);
      // The ownership may have ended meanwhile.
      if (!await this.#finisher.proveOwnership()) return;
    }
    await this.#finisher.apply(decision, record, toJobInfo(attempt));
  }

  async #callAfterDiscard(attempt: Attempt, error: unknown): Promise<void> {
    try {
      await attempt.callAfterDiscard(error);
    } catch (thrown) {
      this.#reportError("afterDiscard", thrown);
    }
  }

  #reportError(where: string, thrown: unknown): void {
    this.#options.context.config.monitor.reportError(where, thrown);
  }
}

/** The failure of a run. A retry that could not be written counts as one. */
function failureOf(outcome: Outcome): { readonly error: unknown; readonly isFinal: boolean } {
  if (outcome.kind === "failed") return outcome;
  return { error: outcome.kind === "retry" ? outcome.error : undefined, isFinal: false };
}
