/**
 * Decides what follows a failure: another try, a dead letter, or a pause until an operator helps. Pure arithmetic: no
 * clock, no timer, no state. The worker asks once for each failure and does the waiting itself, so that a stop can end it.
 */
import type { UnknownClassWait } from "../../monitor/events.ts";
import { DEFAULT_MAX_RETRIES, type Route } from "../../routing/route.ts";

/** Counts of failures. */
export interface Failures {
  /** The number of failed runs of the record. */
  readonly attempts: number;
  /** The number of failures in the partition since a record passed at its first attempt. */
  readonly strikes: number;
}

/** The record waits, then it is tried again. `pause`: it will fail until an operator helps. */
export interface Wait {
  readonly kind: "retry" | "pause";
  /** In milliseconds. */
  readonly waitMs: number;
  /** Set if it waits for its class to become known. */
  readonly unknownClass?: UnknownClassWait;
}

/** The consequence of a failure. */
export type Decision = Wait | { readonly kind: "dead_letter" };

/** The options of a route on which decisions depend. */
export type FailureRules = Pick<Route, "deadLetterQueue" | "backoff">;

/** Returns the counts after one more failure. */
export function addFailure({ attempts, strikes }: Failures): Failures {
  return { attempts: attempts + 1, strikes: strikes + 1 };
}

/**
 * Decides what follows a failed run.
 *
 * @param failures the counts, this failure included
 * @param random returns a number in [0, 1); replaced in tests
 */
export function decideFailure(
  failures: Failures,
  rules: FailureRules,
  random: () => number = Math.random,
): Decision {
  if (isExhausted(failures, rules)) return { kind: "dead_letter" };
  const waitMs = backoffMs(failures.attempts, rules.backoff, random);
  const isLasting = rules.deadLetterQueue === null && failures.attempts > DEFAULT_MAX_RETRIES;
  return { kind: isLasting ? "pause" : "retry", waitMs };
}

/** Returns whether a record that has just failed has used all its retries. */
function isExhausted({ attempts, strikes }: Failures, { deadLetterQueue }: FailureRules): boolean {
  if (deadLetterQueue === null) return false;
  return (deadLetterQueue.independent ? attempts : strikes) > deadLetterQueue.maxRetries;
}

/**
 * Decides what follows a record that cannot be performed, or that its class has given up.
 *
 * @param tries how often that was found, this time included
 * @param random returns a number in [0, 1); replaced in tests
 */
export function decidePoison(tries: number, rules: FailureRules, random: () => number = Math.random): Decision {
  return rules.deadLetterQueue !== null
    ? { kind: "dead_letter" }
    : { kind: "pause", waitMs: backoffMs(tries, rules.backoff, random) };
}

/**
 * Returns the wait after a failure: `initialMs`, doubling, never more than `maxMs`.
 *
 * @param attempt the number of the failure, from 1
 * @param random returns a number in [0, 1); replaced in tests
 * @returns milliseconds
 */
export function backoffMs(attempt: number, backoff: Route["backoff"], random: () => number = Math.random): number {
  // Bounded: 2 ** 1024 is Infinity, and 0 times Infinity is NaN. 2 ** 31 ms is longer than any wait.
  const wait = Math.min(backoff.initialMs * 2 ** Math.min(attempt - 1, 31), backoff.maxMs);
  return Math.min(wait * (1 + random() * backoff.jitter), backoff.maxMs);
}
