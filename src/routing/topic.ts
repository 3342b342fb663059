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
import { JOB_CHECKS, type JobOptions } from "./job_options.ts";
import { NotSupportedError } from "../errors.ts";

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
   * `"partition"`: the jobs of a partition run one by one. `"key"` (keys side by side) is not supported yet.
   *
   * @default "partition"
   */
  readonly ordering?: "partition" | "key";
}

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
  ordering: (value) => value === "partition" || value === "key" ? null : `"partition" or "key"`,
};

/**
 * Declares a topic of jobs.
 *
 * @param name the topic's name, which is the queue's name, without the App's prefix
 * @param options options for creating the topic and for performing its jobs; absent ones are taken from the App
 * @returns a frozen declaration for the App's `topics`
 * @throws {InvalidConfigurationError} for a wrong name or option
 * @throws {NotSupportedError} for `ordering: "key"`
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
  if (options.ordering === "key") {
    throw new NotSupportedError(`Cannot run keys side by side on topic "${name}": ordering "key" is not supported yet`);
  }
  return copyFrozen({ name, ...options });
}
