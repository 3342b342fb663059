/** The options of `retryOn`, with their checks and defaults: how often a job that failed runs again, when, and where. */
import { InvalidConfigurationError } from "../errors.ts";
import { type Duration, durationToMs } from "../support/duration.ts";
import { boolean, checkOptions, type Checks, fraction, integerFrom, topicName } from "../support/validation.ts";
import type { RetryHandler } from "./declarations.ts";
import { priorityCheck } from "./placement.ts";

/**
 * The wait before a retry: a duration; `"polynomiallyLonger"`, which is 3, 18, 83, 258 … seconds (the fourth power of the
 * number of runs, and 2); or a function of the number of runs and the error.
 */
export type RetryWait<E = unknown> = Duration | "polynomiallyLonger" | ((executions: number, error: E) => Duration);

/** The options of {@linkcode JobHooks.retryOn}. */
export interface RetryOptions<E = unknown> {
  /** The wait before the next run. @default { seconds: 3 } */
  readonly wait?: RetryWait<E>;
  /** The number of runs, the first one included. @default 5 */
  readonly attempts?: number | "unlimited";
  /** Another queue for the next run. @default the same */
  readonly queue?: string;
  /** Another priority for the next run. @default the same */
  readonly priority?: number | null;
  /**
   * The wait is longer by a random part of it, this fraction at most, so that jobs that failed together do not come again
   * together. A `wait` that is a function gets none. @default 0.15
   */
  readonly jitter?: number;
  /**
   * Whether the record itself is run again after the wait. Until then it holds up what is in order with it; a new record
   * does not. Its runs are counted whatever their errors were. @default false
   */
  readonly inPlace?: boolean;
}

const RETRY_CHECKS: Checks<RetryOptions> = {
  wait: (value) =>
    value === "polynomiallyLonger" || typeof value === "function" || (typeof value === "object" && value !== null)
      ? null
      : 'a duration such as { seconds: 3 }, "polynomiallyLonger", or a function that returns a duration',
  attempts: (value) => value === "unlimited" ? null : integerFrom(1)(value) && 'an integer from 1 up, or "unlimited"',
  queue: topicName,
  priority: priorityCheck,
  jitter: fraction,
  inPlace: boolean,
};

/**
 * Checks the options of a declaration and adds the defaults.
 *
 * @param what the declaration, for the message, such as `"SyncJob.retryOn()"`
 * @throws {InvalidConfigurationError} for the first wrong option
 */
export function readRetryOptions(
  what: string,
  options: RetryOptions,
): Pick<RetryHandler, "maxRuns" | "waitMs" | "queue" | "priority" | "inPlace"> {
  checkOptions(what, options, RETRY_CHECKS);
  const { attempts = 5, queue, priority, inPlace = false } = options;
  if (inPlace && (queue !== undefined || priority !== undefined)) {
    throw new InvalidConfigurationError(
      `${what} cannot have "queue" or "priority" with "inPlace": the record that runs again stays as it is`,
    );
  }
  return {
    maxRuns: attempts === "unlimited" ? Infinity : attempts,
    waitMs: readWait(what, options),
    queue,
    priority,
    inPlace,
  };
}

const DEFAULT_WAIT: Duration = { seconds: 3 };

/** Returns the function that computes the wait. A constant one is checked now. */
function readWait(what: string, { wait = DEFAULT_WAIT, jitter = 0.15 }: RetryOptions): RetryHandler["waitMs"] {
  const withJitter = (waitMs: number): number => waitMs * (1 + Math.random() * jitter);
  const option = `Option "wait" of ${what}`;
  if (typeof wait === "function") return (runs, error) => durationToMs(option, wait(runs, error));
  if (wait === "polynomiallyLonger") return (runs) => withJitter(runs ** 4 * 1000) + 2000;
  const waitMs = durationToMs(option, wait);
  return () => withJitter(waitMs);
}
