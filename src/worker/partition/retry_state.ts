/**
 * The failures of a partition's records: counts them, and decides what follows.
 *
 * Attempts, strikes, and the fact that a dead letter was decided come from the commit's metadata and go back there, so
 * that a restart or another owner continues the count. Everything else lives as long as the ownership. A record that never
 * failed has no entry, and one that is finished has none any more.
 *
 * A count alone never dead-letters a record: if a deploy brings both a dead letter queue and fixed code, a record that
 * has failed often before runs once more. Only a dead letter that was decided after a run is written without another one.
 */
import { describeError, type ErrorInfo } from "../../errors.ts";
import type { Route } from "../../routing/route.ts";
import type { UnknownClasses } from "../unknown_classes.ts";
import type { Progress } from "./commit_metadata.ts";
import { addFailure, backoffMs, decideFailure, decidePoison, type Decision, type Wait } from "./retry_policy.ts";

/** The failures of one record. */
interface RecordFailures {
  /** The number of failed runs. */
  attempts: number;
  /** The last error. */
  error: ErrorInfo;
  /** Whether its dead letter was decided after a run. */
  isGivenUp: boolean;
  /** Whether it waits for an operator. */
  isStuck: boolean;
  /** The number of times that it was found not to be performable, and the time of the first one. */
  unperformableTries: number;
  unperformableSinceMs: number;
  /** The number of times that its dead letter, or its schedule, was refused. */
  refusals: number;
}

const UNKNOWN_ERROR: ErrorInfo = {
  errorClass: "Error",
  message: "It failed in an earlier run, whose error is not known",
};

/** After more refused writes in a row than this, an operator is needed. */
const MAX_REFUSALS = 3;

/** See the module. */
export class RetryState {
  readonly #route: Route;
  readonly #unknownClasses: UnknownClasses;
  readonly #records = new Map<number, RecordFailures>();
  #strikes: number;

  constructor(
    route: Route,
    { failed, strikes, givenUp }: Pick<Progress, "failed" | "strikes" | "givenUp">,
    unknownClasses: UnknownClasses,
  ) {
    this.#route = route;
    this.#unknownClasses = unknownClasses;
    this.#strikes = strikes;
    for (const { offset, attempts } of failed) if (attempts > 0) this.#entryOf(offset).attempts = attempts;
    for (const offset of givenUp) {
      const record = this.#records.get(offset);
      if (record !== undefined) record.isGivenUp = true;
    }
  }

  /** Returns the number of failed runs of this record. */
  attemptsOf(offset: number): number {
    return this.#records.get(offset)?.attempts ?? 0;
  }

  /** Returns whether the dead letter of this record was decided after a run, here or by an earlier owner. */
  isGivenUp(offset: number): boolean {
    return this.#records.get(offset)?.isGivenUp === true && this.#route.deadLetterQueue !== null;
  }

  /** Returns the last error of this record. */
  errorOf(offset: number): ErrorInfo {
    return this.#records.get(offset)?.error ?? UNKNOWN_ERROR;
  }

  /**
   * Counts a failed run.
   *
   * @param isFinal whether the job's class wants no further run
   */
  countFailure(offset: number, thrown: unknown, isFinal: boolean): Decision {
    const record = this.#entryOf(offset);
    const failures = addFailure({ attempts: record.attempts, strikes: this.#strikes });
    record.attempts = failures.attempts;
    this.#strikes = failures.strikes;
    record.error = describeError(thrown);
    const decision = isFinal ? decidePoison(failures.attempts, this.#route) : decideFailure(failures, this.#route);
    record.isGivenUp = decision.kind === "dead_letter";
    return noteStuck(record, decision);
  }

  /** Counts a failed run after which the job's class runs the record again. */
  countRetry(offset: number, thrown: unknown): void {
    const record = this.#entryOf(offset);
    record.attempts++;
    record.error = describeError(thrown);
    record.isStuck = false;
  }

  /** Counts that a record can never be performed. */
  countPoison(offset: number, error: Error): Decision {
    const record = this.#entryOf(offset);
    record.error = describeError(error);
    record.unperformableTries++;
    return noteStuck(record, decidePoison(record.unperformableTries, this.#route));
  }

  /**
   * Counts that the record's class, or the key of its encryption, is unknown. It waits, since a deploy may bring it; after
   * that it is poison. If another record has already waited for the name in vain, it is poison at once.
   *
   * @param name the name of the class; that of a key is one that no class can have
   */
  countUnknown(offset: number, name: string, error: Error, nowMs: number): Decision {
    const record = this.#entryOf(offset);
    if (record.unperformableTries === 0) record.unperformableSinceMs = nowMs;
    const { backoff, deadLetterQueue, unknownJobsRetryForMs } = this.#route;
    const waitedMs = nowMs - record.unperformableSinceMs;
    if (waitedMs >= unknownJobsRetryForMs) this.#unknownClasses.add(name, waitedMs);
    else if (!this.#unknownClasses.hasWaited(name, unknownJobsRetryForMs)) {
      record.error = describeError(error);
      const tries = ++record.unperformableTries;
      const next = deadLetterQueue === null ? "pause" : "dead_letter";
      const leftMs = unknownJobsRetryForMs - waitedMs;
      return { kind: "retry", waitMs: backoffMs(tries, backoff), unknownClass: { tries, leftMs, next } };
    }
    return this.countPoison(offset, error);
  }

  /** Counts that the dead letter, or its schedule, could not be written: only the write is tried again. */
  countRefusedWrite(offset: number): Wait {
    const record = this.#entryOf(offset);
    record.refusals++;
    const waitMs = backoffMs(record.refusals, this.#route.backoff);
    return noteStuck(record, { kind: record.refusals > MAX_REFUSALS ? "pause" : "retry", waitMs });
  }

  /** Ends the counts of a record that has passed. */
  resetAfterPass(offset: number): void {
    // So it is for most jobs: nothing has failed.
    if (this.#records.size === 0 && this.#strikes === 0) return;
    if (this.attemptsOf(offset) === 0) this.#strikes = 0;
    this.#records.delete(offset);
  }

  /** Ends the counts of a record that was dead-lettered or skipped. */
  resetAfterDeadLetter(offset: number): void {
    this.#records.delete(offset);
  }

  /**
   * Returns the part of the commit's metadata that it knows.
   *
   * @param front what is before it is finished, or was deleted by retention before it was performed
   */
  progress(front: number): Omit<Progress, "finished"> {
    const strikes = this.#strikes;
    if (this.#records.size === 0) return { failed: [], strikes, givenUp: [], stuck: [] };
    for (const offset of this.#records.keys()) if (offset < front) this.#records.delete(offset);
    const records = [...this.#records].sort(([a], [b]) => a - b);
    const offsetsOf = (is: (record: RecordFailures) => boolean): number[] =>
      records.filter(([, record]) => is(record)).map(([offset]) => offset);
    return {
      failed: records.filter(([, { attempts }]) => attempts > 0).map(([offset, { attempts }]) => ({
        offset,
        attempts,
      })),
      strikes,
      givenUp: offsetsOf(({ isGivenUp }) => isGivenUp),
      stuck: offsetsOf(({ isStuck }) => isStuck),
    };
  }

  #entryOf(offset: number): RecordFailures {
    let record = this.#records.get(offset);
    if (record === undefined) {
      record = {
        attempts: 0,
        error: UNKNOWN_ERROR,
        isGivenUp: false,
        isStuck: false,
        unperformableTries: 0,
        unperformableSinceMs: 0,
        refusals: 0,
      };
      this.#records.set(offset, record);
    }
    return record;
  }
}

function noteStuck<D extends Decision>(record: RecordFailures, decision: D): D {
  record.isStuck = decision.kind === "pause";
  return decision;
}
