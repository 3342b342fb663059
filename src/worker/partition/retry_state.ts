/**
 * The failures of the record at the head of a partition: counts them, and decides what follows.
 *
 * Attempts, strikes, and the fact that a dead letter was decided come from the commit's metadata and go back there, so
 * that a restart or another owner continues the count. Everything else lives as long as the ownership.
 *
 * A count alone never dead-letters a record: if a deploy brings both a dead letter queue and fixed code, a record that
 * has failed often before runs once more. Only a dead letter that was decided after a run is written without another one.
 */
import { describeError, type ErrorInfo } from "../../errors.ts";
import type { Route } from "../../routing/route.ts";
import type { UnknownClasses } from "../unknown_classes.ts";
import type { Progress } from "./commit_metadata.ts";
import {
  addFailure,
  backoffMs,
  decideFailure,
  decidePoison,
  type Decision,
  type Failures,
  resetAfterDeadLetter,
  resetAfterPass,
  type Wait,
} from "./retry_policy.ts";

/** See the module. */
export class RetryState {
  readonly #route: Route;
  readonly #unknownClasses: UnknownClasses;
  #failures: Failures;
  /** The record that `#failures.attempts` counts. */
  #failedOffset: number | null;
  #deadLetterOffset: number | null;
  #stuckOffset: number | null = null;
  #error: ErrorInfo = { errorClass: "Error", message: "It failed in an earlier run, whose error is not known" };
  /** The number of times that the record was found not to be performable, and the time of the first one. */
  #unperformable = { tries: 0, sinceMs: 0 };
  /** The number of times that its dead letter was refused. */
  #refusals = 0;

  constructor(
    route: Route,
    { failed, strikes, deadLetterOffset }: Pick<Progress, "failed" | "strikes" | "deadLetterOffset">,
    unknownClasses: UnknownClasses,
  ) {
    this.#route = route;
    this.#unknownClasses = unknownClasses;
    this.#failures = { attempts: failed?.attempts ?? 0, strikes };
    this.#failedOffset = failed?.offset ?? null;
    this.#deadLetterOffset = deadLetterOffset;
  }

  /** Returns the number of failed runs of this record. */
  attemptsOf(offset: number): number {
    return this.#failedOffset === offset ? this.#failures.attempts : 0;
  }

  /** Returns whether the dead letter of this record was decided after a run, here or by an earlier owner. */
  isGivenUp(offset: number): boolean {
    return this.#deadLetterOffset === offset && this.attemptsOf(offset) > 0 && this.#route.deadLetterQueue !== null;
  }

  /** The last error. */
  get error(): ErrorInfo {
    return this.#error;
  }

  /** Counts a failed run. */
  countFailure(offset: number, thrown: unknown): Decision {
    this.#failures = addFailure({ attempts: this.attemptsOf(offset), strikes: this.#failures.strikes });
    this.#failedOffset = offset;
    this.#error = describeError(thrown);
    const decision = decideFailure(this.#failures, this.#route);
    this.#deadLetterOffset = decision.kind === "dead_letter" ? offset : null;
    return this.#noteStuck(offset, decision);
  }

  /** Counts that a record can never be performed. */
  countPoison(offset: number, error: Error): Decision {
    this.#error = describeError(error);
    this.#unperformable.tries++;
    return this.#noteStuck(offset, decidePoison(this.#unperformable.tries, this.#route));
  }

  /**
   * Counts that the record's class is unknown. It waits, since a deploy may bring the class; after that it is poison. If
   * another record has already waited for the class in vain, it is poison at once.
   */
  countUnknownClass(offset: number, jobClass: string, error: Error, nowMs: number): Decision {
    if (this.#unperformable.tries === 0) this.#unperformable.sinceMs = nowMs;
    const { backoff, deadLetterQueue, unknownJobsRetryForMs } = this.#route;
    const waitedMs = nowMs - this.#unperformable.sinceMs;
    if (waitedMs >= unknownJobsRetryForMs) this.#unknownClasses.add(jobClass, waitedMs);
    else if (!this.#unknownClasses.hasWaited(jobClass, unknownJobsRetryForMs)) {
      this.#error = describeError(error);
      const tries = ++this.#unperformable.tries;
      const next = deadLetterQueue === null ? "pause" : "dead_letter";
      const leftMs = unknownJobsRetryForMs - waitedMs;
      return { kind: "retry", waitMs: backoffMs(tries, backoff), unknownClass: { tries, leftMs, next } };
    }
    return this.countPoison(offset, error);
  }

  /** Counts that the dead letter could not be written: only the write is tried again. */
  countRefusedDeadLetter(offset: number): Wait {
    this.#refusals++;
    const waitMs = backoffMs(this.#refusals, this.#route.backoff);
    return this.#noteStuck(offset, { kind: this.#refusals > MAX_REFUSALS ? "pause" : "retry", waitMs });
  }

  /** Starts the counts of the next record, after this one has passed. */
  resetAfterPass(offset: number): void {
    if (this.#isUntouched) return;
    this.#reset(resetAfterPass({ attempts: this.attemptsOf(offset), strikes: this.#failures.strikes }));
  }

  /** Starts the counts of the next record, after this one was dead-lettered or skipped. */
  resetAfterDeadLetter(): void {
    this.#reset(resetAfterDeadLetter(this.#failures));
  }

  /** Returns the part of the commit's metadata that it knows. */
  progress(): Omit<Progress, "finished"> {
    const { attempts, strikes } = this.#failures;
    return {
      failed: attempts > 0 && this.#failedOffset !== null ? { offset: this.#failedOffset, attempts } : null,
      strikes,
      deadLetterOffset: this.#deadLetterOffset,
      stuckOffset: this.#stuckOffset,
    };
  }

  /** Whether nothing has failed since the last record that passed at its first attempt: so it is for most jobs. */
  get #isUntouched(): boolean {
    return this.#failedOffset === null && this.#failures.strikes === 0 && this.#stuckOffset === null &&
      this.#unperformable.tries === 0 && this.#deadLetterOffset === null;
  }

  #noteStuck<D extends Decision>(offset: number, decision: D): D {
    this.#stuckOffset = decision.kind === "pause" ? offset : null;
    return decision;
  }

  #reset(failures: Failures): void {
    this.#failures = failures;
    this.#failedOffset = null;
    this.#deadLetterOffset = null;
    this.#stuckOffset = null;
    this.#refusals = 0;
    if (this.#unperformable.tries > 0) this.#unperformable = { tries: 0, sinceMs: 0 };
  }
}

/** After more refused dead letters in a row than this, an operator is needed. */
const MAX_REFUSALS = 3;
