/** Options for performing jobs. An App has them for all its topics, and each topic may override them. */
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

/** Options of the backoff: the wait between two attempts of a failed record. */
export interface BackoffOptions {
  /** Wait after the first failure, in ms; each further wait is twice as long. @default 1000 */
  readonly initialMs?: number;
  /** Longest wait, in ms, jitter included. @default 30000 */
  readonly maxMs?: number;
  /** Fraction of the wait that is added at random, 0 to 1, so that partitions do not retry in step. @default 0.15 */
  readonly jitter?: number;
}

/** Options of a dead letter queue: the topic for records that cannot be performed. */
export interface DeadLetterQueueOptions {
  /** The topic's name, without the App's prefix. */
  readonly topic: string;
  /** Number of retries of a failed job before it is dead-lettered. @default 3 */
  readonly maxRetries?: number;
  /**
   * `true`: retries are counted for each record. `false`: they are counted for the partition, and the count is reset only by
   * a job that succeeds at its first attempt; only with `ordering: "partition"`.
   *
   * @default true
   */
  readonly independent?: boolean;
}

/** Options for performing jobs. */
export interface JobOptions {
  /**
   * Most records of a partition that are in the process and not finished; then its fetching is paused. With another
   * `ordering` than `"partition"` it is 2000, and also how far jobs may run ahead of one that waits.
   *
   * @default 100
   */
  readonly maxMessages?: number;
  /** Wait of a failed job. @default { initialMs: 1000, maxMs: 30000, jitter: 0.15 } */
  readonly backoff?: BackoffOptions;
  /** Dead letter queue for poison and for jobs without retries left. @default none: the partition pauses */
  readonly deadLetterQueue?: DeadLetterQueueOptions;
  /** Time limit of a job, in ms: then its `signal` aborts, and it counts as failed. @default none */
  readonly timeoutMs?: number;
  /**
   * Age at which a job is not performed any more, in ms, counted from its enqueuing, or from the time at which it was due.
   * A job class may have its own: `static expiresAfterMs`.
   *
   * @default none
   */
  readonly expiresAfterMs?: number;
  /** Time that a job may still run after its time limit, or after its partition is lost, before `job.orphaned`, in ms. @default 5000 */
  readonly timeoutGraceMs?: number;
  /** Largest value, in bytes: a larger job is refused when it is enqueued, and a larger record is dead-lettered unread. @default 1048576 */
  readonly maxPayloadBytes?: number;
  /** Time for which a job of an unknown class is retried before it counts as poison, in ms. @default { retryForMs: 300000 } */
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
  expiresAfterMs: integerFrom(0),
  timeoutGraceMs: milliseconds,
  maxPayloadBytes: integerFrom(1),
  unknownJobs: optionsOf<{ retryForMs: number }>("unknownJobs", { retryForMs: milliseconds }),
};
