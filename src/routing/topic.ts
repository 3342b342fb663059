/** `activeJobTopic`: the declaration of a topic. It is checked at once, frozen, and has no effect until an App uses it. */
import {
  checkOptions,
  type Checks,
  copyFrozen,
  integerFrom,
  nonEmptyString,
  oneOf,
  topicName,
} from "../support/validation.ts";
import { limits, rateLimit, type RateLimitOptions, type RunningLimitOptions } from "./limits.ts";
import { JOB_CHECKS, type JobOptions } from "./job_options.ts";

/** The options of {@linkcode activeJobTopic}. */
export interface TopicOptions extends JobOptions {
  /** Number of partitions of a topic that is created. @default the broker's default on Kafka, else 1 */
  readonly partitions?: number;
  /** Number of replicas of a topic that is created on Kafka. @default the broker's default */
  readonly replicationFactor?: number;
  /** Retention of a topic that is created, in ms; -1 for ever. @default 604800000 (7 days) */
  readonly retentionMs?: number;
  /** Further settings of a topic that is created, by Kafka's names. @default {} */
  readonly config?: Readonly<Record<string, string>>;
  /** Compression of the records that the App appends on Kafka. Embedded brokers ignore it. @default "none" */
  readonly compression?: "none" | "gzip" | "zstd";
  /** The consumer group. @default the App's name */
  readonly group?: string;
  /**
   * The jobs that run one by one, in the order of the log. `"partition"`: those of a partition. `"key"`: those with the same
   * key in a partition; a job without a key is in order with none. `"none"`: no jobs.
   *
   * @default "partition"
   */
  readonly ordering?: Ordering;
  /**
   * Most jobs that run at once in a worker, for each value of a function, such as the tenant: limits by name. Only with another
   * `ordering` than `"partition"`.
   *
   * @default none
   */
  readonly limits?: Readonly<Record<string, RunningLimitOptions>>;
  /** Most jobs of a partition that start in a time, for all or for each value of a function. @default none */
  readonly rateLimit?: RateLimitOptions;
  /** Most jobs of a partition that run at once, with another `ordering` than `"partition"`. @default the concurrency of the worker */
  readonly maxConcurrency?: number;
}

/** The jobs that run one by one: those of a partition, those of a key, or none. */
export type Ordering = "partition" | "key" | "none";

/** A topic as it was declared: frozen. */
export interface JobTopic extends TopicOptions {
  /** The topic's name, without the App's prefix. */
  readonly name: string;
}

const CHECKS: Checks<TopicOptions> = {
  ...JOB_CHECKS,
  partitions: integerFrom(1),
  replicationFactor: integerFrom(1),
  retentionMs: (value) =>
    value === -1 ? null : Number.isSafeInteger(value) && (value as number) > 0 ? null : "milliseconds, or -1 for ever",
  config: (value) =>
    typeof value === "object" && value !== null && Object.values(value).every((entry) => typeof entry === "string")
      ? null
      : `an object of strings, such as { "cleanup.policy": "delete" }`,
  compression: oneOf("none", "gzip", "zstd"),
  group: nonEmptyString,
  ordering: oneOf("partition", "key", "none"),
  limits,
  rateLimit,
  maxConcurrency: integerFrom(1),
};

/**
 * Declares a topic of jobs.
 *
 * @param name the topic's name, which is the queue's name, without the App's prefix
 * @param options options for creating the topic and for performing its jobs; absent ones are taken from the App
 * @returns a frozen declaration for the App's `topics`
 * @throws {InvalidConfigurationError} for a wrong name or option
 *
 * @example
 * ```ts
 * import { activeJobTopic } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * const topic = activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 2 } });
 * assertEquals(topic.name, "default");
 * ```
 */
export function activeJobTopic(name: string, options: TopicOptions = {}): JobTopic {
  checkOptions("activeJobTopic()", { name }, { name: topicName });
  checkOptions(`activeJobTopic("${name}")`, options, CHECKS);
  return copyFrozen({ name, ...options });
}
