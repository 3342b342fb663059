/**
 * What is known of the record at the head of a partition: how often it failed, since when it is hopeless, and therefore
 * what follows. The counts come from the commit's metadata and go back there, so that a restart or another owner counts
 * on; the rest lives as long as the ownership.
 */
import { describeError, type ErrorInfo, UnknownJobError } from "../../errors.ts";
import type { Route } from "../../routing/route.ts";
import {
  afterDeadLetter,
  afterFailure,
  afterPass,
  backoffMs,
  decideFailure,
  decidePoison,
  type Decision,
  type Failures,
  isExhausted,
  type Wait,
} from "./retry_policy.ts";
import type { Progress } from "./commit_metadata.ts";

/** The failures of a partition's head. */
export class RetryState {
  readonly #route: Route;
  #failures: Failures;
  /** The record of which the attempts speak. */
  #failedOffset: number | null;
  #error: ErrorInfo = { errorClass: "Error", message: "It failed in an earlier run, whose error is not known" };
  /** How often it was found that no attempt helps, and since when. */
  #hopeless = { tries: 0, sinceMs: 0 };
  /** How often its dead letter was refused. */
  #refusals = 0;

  constructor(route: Route, { failed, strikes }: Progress) {
    this.#route = route;
    this.#failures = { attempts: failed?.attempts ?? 0, strikes };
    this.#failedOffset = failed?.offset ?? null;
  }

  /** How often this record was performed in vain. */
  attemptsOf(offset: number): number {
    return this.#failedOffset === offset ? this.#failures.attempts : 0;
  }

  /** Whether this record has had all its attempts, here or at an earlier owner's. */
  isExhausted(offset: number): boolean {
    return this.attemptsOf(offset) > 0 && isExhausted(this.#failures, this.#route);
  }

  /** What it failed with last. */
  get error(): ErrorInfo {
    return this.#error;
  }

  /** The job failed. */
  failed(offset: number, thrown: unknown): Decision {
    this.#failures = afterFailure({ attempts: this.attemptsOf(offset), strikes: this.#failures.strikes });
    this.#failedOffset = offset;
    this.#error = describeError(thrown);
    return decideFailure(this.#failures, this.#route);
  }

  /** It can never be performed, or its class is not known (yet: another version of the program may be on its way). */
  impossible(error: Error, nowMs: number): Decision {
    this.#error = describeError(error);
    if (this.#hopeless.tries === 0) this.#hopeless.sinceMs = nowMs;
    this.#hopeless.tries++;
    const { tries, sinceMs } = this.#hopeless;
    const { backoff, deadLetterQueue, unknownJobsRetryForMs } = this.#route;
    const leftMs = unknownJobsRetryForMs - (nowMs - sinceMs);
    if (!(error instanceof UnknownJobError) || leftMs <= 0) return decidePoison(tries, this.#route);
    const next = deadLetterQueue === null ? "pause" : "dead_letter";
    return { kind: "retry", waitMs: backoffMs(tries, backoff), unknownClass: { tries, leftMs, next } };
  }

  /** Its dead letter could not be written: only that is tried again. */
  deadLetterRefused(): Wait {
    this.#refusals++;
    const waitMs = backoffMs(this.#refusals, this.#route.backoff);
    return { kind: this.#refusals > PATIENCE ? "pause" : "retry", waitMs };
  }

  /** It passed. */
  passed(offset: number): void {
    this.#next(afterPass({ attempts: this.attemptsOf(offset), strikes: this.#failures.strikes }));
  }

  /** It is in the dead letter topic, or was passed over. */
  givenUp(): void {
    this.#next(afterDeadLetter(this.#failures));
  }

  /** What the commit's metadata says of it. */
  progress(): Pick<Progress, "failed" | "strikes"> {
    const { attempts, strikes } = this.#failures;
    return {
      failed: attempts > 0 && this.#failedOffset !== null ? { offset: this.#failedOffset, attempts } : null,
      strikes,
    };
  }

  #next(failures: Failures): void {
    this.#failures = failures;
    this.#failedOffset = null;
    this.#refusals = 0;
    if (this.#hopeless.tries > 0) this.#hopeless = { tries: 0, sinceMs: 0 };
  }
}

/** After so many refused dead letters in a row nobody should expect that it mends itself. */
const PATIENCE = 3;
