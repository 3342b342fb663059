/**
 * What follows a failure: try again, dead-letter, or pause until somebody helps. Pure arithmetic over counts: no clock, no
 * timer, no state of its own. The worker asks once a failure and does the waiting itself, so that a stop can cut it short.
 */
import type { UnknownClassWait } from "../../monitor/events.ts";
import { DEFAULT_MAX_RETRIES, type Route } from "../../routing/route.ts";

/** Failures so far. */
export interface Failures {
  /** How often the record at the front was performed in vain. */
  readonly attempts: number;
  /** How often records of the partition failed since one passed at its first attempt. */
  readonly strikes: number;
}

/** The head waits, in milliseconds, and is tried again. `pause`: it will not get better by itself. */
export interface Wait {
  readonly kind: "retry" | "pause";
  readonly waitMs: number;
  /** Where it waits for its class to be known. */
  readonly unknownClass?: UnknownClassWait;
}

/** What follows. */
export type Decision = Wait | { readonly kind: "dead_letter" };

/** What the policy reads of a route. */
export type FailureRules = Pick<Route, "deadLetterQueue" | "backoff">;

/** The counts after one more failure. */
export function afterFailure({ attempts, strikes }: Failures): Failures {
  return { attempts: attempts + 1, strikes: strikes + 1 };
}

/** The counts for the next record, after one has passed. */
export function afterPass({ attempts, strikes }: Failures): Failures {
  return { attempts: 0, strikes: attempts === 0 ? 0 : strikes };
}

/** The counts for the next record, after one was given up. */
export function afterDeadLetter({ strikes }: Failures): Failures {
  return { attempts: 0, strikes };
}

/**
 * What follows a failed job.
 *
 * @param failures the counts, this failure included
 * @param random a number in [0, 1); replaced in tests
 */
export function decideFailure(
  failures: Failures,
  rules: FailureRules,
  random: () => number = Math.random,
): Decision {
  if (isExhausted(failures, rules)) return { kind: "dead_letter" };
  const waitMs = backoffMs(failures.attempts, rules.backoff, random);
  const lasting = rules.deadLetterQueue === null && failures.attempts > DEFAULT_MAX_RETRIES;
  return { kind: lasting ? "pause" : "retry", waitMs };
}

/** Whether a record has had all its retries: it is not performed again, also by an owner who only reads the counts. */
export function isExhausted({ attempts, strikes }: Failures, { deadLetterQueue }: FailureRules): boolean {
  if (deadLetterQueue === null || attempts === 0) return false;
  return (deadLetterQueue.independent ? attempts : strikes) > deadLetterQueue.maxRetries;
}

/**
 * What follows a record that no attempt will ever help.
 *
 * @param tries how often that was found, this time included
 */
export function decidePoison(tries: number, rules: FailureRules, random: () => number = Math.random): Decision {
  return rules.deadLetterQueue !== null
    ? { kind: "dead_letter" }
    : { kind: "pause", waitMs: backoffMs(tries, rules.backoff, random) };
}

/**
 * The wait after the `attempt`-th failure: `initialMs`, doubling, never more than `maxMs`.
 *
 * @param attempt counted from 1
 * @param random a number in [0, 1); replaced in tests
 */
export function backoffMs(attempt: number, backoff: Route["backoff"], random: () => number = Math.random): number {
  // Bounded, since 2 ** 1024 is Infinity and 0 times that is no number. 2 ** 31 ms is beyond any wait.
  const wait = Math.min(backoff.initialMs * 2 ** Math.min(attempt - 1, 31), backoff.maxMs);
  return Math.min(wait * (1 + random() * backoff.jitter), backoff.maxMs);
}
