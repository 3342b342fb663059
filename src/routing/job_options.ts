/**
 * The options that speak of how jobs are performed. They stand on the App for all its topics, and on a topic for that one.
 */
import {
  boolean,
  type Check,
  type Checks,
  fraction,
  integerFrom,
  milliseconds,
  optionsOf,
  timeLimit,
  topicName,
} from "../support/validation.ts";

/** How the wait grows from one failure of a record to the next. */
export interface BackoffOptions {
  /** The wait after the first failure, in milliseconds; each further wait is twice as long. @default 1000 */
  readonly initialMs?: number;
  /** No wait is longer, in milliseconds, jitter included. @default 30000 */
  readonly maxMs?: number;
  /** The share of a wait that may be added at random, from 0 to 1, so that partitions do not retry in step. @default 0.15 */
  readonly jitter?: number;
}

/** Where records go that cannot be performed. */
export interface DeadLetterQueueOptions {
  /** The topic's name, without the App's prefix. */
  readonly topic: string;
  /** How often a failed job is tried again before it is dead-lettered. @default 3 */
  readonly maxRetries?: number;
  /**
   * `true`: each record has its own retries. `false`: retries are counted for the partition, and the count goes back to
   * zero only when a job passes at its first attempt.
   *
   * @default true
   */
  readonly independent?: boolean;
}

/** How jobs are performed. */
export interface JobOptions {
  /** How many records of a partition may wait in the process before it is paused. @default 100 */
  readonly maxMessages?: number;
  /** How long a failed job waits. @default { initialMs: 1000, maxMs: 30000, jitter: 0.15 } */
  readonly backoff?: BackoffOptions;
  /** Where lasting failures and poison go. @default none: the partition pauses */
  readonly deadLetterQueue?: DeadLetterQueueOptions;
  /** After so many milliseconds a job's `signal` aborts and it counts as failed. @default none */
  readonly timeoutMs?: number;
  /** How much longer than that, or than its ownership, it may take until `job.orphaned`, in milliseconds. @default 5000 */
  readonly timeoutGraceMs?: number;
  /** Larger values are dead-lettered without being read, in bytes. @default 1048576 */
  readonly maxPayloadBytes?: number;
  /** How long a job of an unknown class is tried again before it counts as poison. @default { retryForMs: 300000 } */
  readonly unknownJobs?: { readonly retryForMs: number };
}

const deadLetterQueue: Check = optionsOf<DeadLetterQueueOptions>("deadLetterQueue", {
  topic: topicName,
  maxRetries: integerFrom(0),
  independent: boolean,
});

/** The checks of {@linkcode JobOptions}. */
export const JOB_CHECKS: Checks<JobOptions> = {
  maxMessages: integerFrom(1),
  backoff: optionsOf<BackoffOptions>("backoff", { initialMs: milliseconds, maxMs: milliseconds, jitter: fraction }),
  deadLetterQueue: (value) =>
    typeof value === "object" && value !== null && (value as Partial<DeadLetterQueueOptions>).topic === undefined
      ? `an object with a "topic"`
      : deadLetterQueue(value),
  timeoutMs: timeLimit,
  timeoutGraceMs: milliseconds,
  maxPayloadBytes: integerFrom(1),
  unknownJobs: optionsOf<{ retryForMs: number }>("unknownJobs", { retryForMs: milliseconds }),
};
