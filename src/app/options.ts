/** The options of an App, with their checks and defaults: they are read once, and the result is frozen and complete. */
import type { BrokerSource } from "../broker/broker.ts";
import { readBrokerSource } from "../broker/source.ts";
import { InvalidConfigurationError } from "../errors.ts";
import { type AnyCurrentAttributes, isCurrentAttributes } from "../job/current_attributes.ts";
import type { Encryption } from "../job/encryption.ts";
import type { JobClass } from "../job/job.ts";
import type { GlobalIdLocator } from "../job/serializers/read.ts";
import type { AnySerializer } from "../job/serializers/serializer.ts";
import type { BufferOptions } from "../dispatch/send_buffer.ts";
import type { LoggerOptions } from "../monitor/logger.ts";
import type { RecurringDefinition } from "../recurring/definition.ts";
import { type Clock, SYSTEM_CLOCK } from "../support/clock.ts";
import {
  boolean,
  type Check,
  checkOptions,
  type Checks,
  integerFrom,
  milliseconds,
  nonEmptyString,
  oneOf,
  optionsOf,
  show,
  timeLimit,
  topicName,
} from "../support/validation.ts";
import { JOB_CHECKS, type JobOptions } from "../routing/job_options.ts";
import { activeJobTopic, type JobTopic } from "../routing/topic.ts";

/** The options of an App. A topic may override those of {@linkcode JobOptions}. */
export interface AppOptions extends JobOptions {
  /** The client id, and the consumer group of topics without a `group`. */
  readonly name: string;
  /**
   * The broker: `"sqlite:jobs.db"`, `"kafka://a:9092,b:9092"`, `"memory:"`, or the result of `kafka({ … })` or
   * `sqlite(…)`. There is no default.
   */
  readonly broker: string | BrokerSource;
  /** The job classes that can be enqueued and performed. */
  readonly jobs: readonly JobClass[];
  /** The topics, by {@linkcode activeJobTopic}. */
  readonly topics: readonly JobTopic[];
  /** Classes of current attributes that jobs carry. @default [] */
  readonly currentAttributes?: readonly AnyCurrentAttributes[];
  /**
   * Classes of current attributes that the Rails application has, too, in the order in which Rails registers them. Jobs
   * carry them as Rails writes them, as plain JSON.
   *
   * @default []
   */
  readonly railsCurrentAttributes?: readonly AnyCurrentAttributes[];
  /** Serializers of arguments of your own types. The first one that handles a value takes it. @default [] */
  readonly serializers?: readonly AnySerializer[];
  /**
   * Finds the object of a GlobalID, for a job to get it as its argument; `undefined` or `null` if there is none. It may
   * return a promise.
   *
   * @default none: the job gets the GlobalId
   */
  readonly locateGlobalId?: GlobalIdLocator;
  /** Encrypts the arguments, attributes and cursors of jobs: the result of `encryption({ … })`. @default none */
  readonly encryption?: Encryption;
  /** Prefix of each topic's name, also of dead letter topics. @default none */
  readonly queuePrefix?: string;
  /** Delimiter between prefix and name. @default "_" */
  readonly queueDelimiter?: string;
  /** A job for a queue that no topic declares is refused (`"error"`), or sent with a warning. @default "error" */
  readonly undeclaredQueues?: "error" | "warn";
  /** The logger; `false` for none. @default { level: "info" } */
  readonly logger?: LoggerOptions | false;
  /** Limits of the send buffer. @default { maxRecords: 10000, maxBytes: 33554432, maxWaitMs: 5000 } */
  readonly buffer?: BufferOptions;
  /** Most jobs that a worker runs at once. @default 10 */
  readonly concurrency?: number;
  /** Most bytes of records that wait in a worker. @default 67108864 */
  readonly maxBufferedBytes?: number;
  /** Most bytes of one fetch, over all partitions; divided among Kafka's leaders. @default 4194304 */
  readonly maxFetchBytes?: number;
  /** Time without a heartbeat after which a worker's partitions move to other workers, in ms. @default 15000 */
  readonly sessionTimeoutMs?: number;
  /**
   * Time between heartbeats of a worker, in ms; at most a third of `sessionTimeoutMs`.
   *
   * @default 3000, or a fifth of a session timeout below 15000
   */
  readonly heartbeatIntervalMs?: number;
  /** Time between commits of finished jobs, in ms. @default 200 */
  readonly commitIntervalMs?: number;
  /** Longest wait of a stop for running and buffered jobs, in ms. @default 25000 */
  readonly shutdownTimeoutMs?: number;
  /** The topic in which delayed jobs wait. No other App may use it. @default see its options */
  readonly scheduledTopic?: ScheduledTopicOptions;
  /**
   * Whether workers write reports for {@linkcode App.workers} to the topic `<name>_workers`. A worker that runs `once` writes none.
   *
   * @default true
   */
  readonly reports?: boolean;
  /**
   * Whether workers take an operator's orders: `app.pause()`, `app.resume()`, `app.cancel()`. Each worker then reads the
   * topic of the App's name and `_control`: on Kafka once a second.
   *
   * @default false on Kafka, else true
   */
  readonly control?: boolean;
  /** Longest delay of a job, in ms: a year by default. @default 31536000000 */
  readonly maxDelayMs?: number;
  /**
   * The jobs that workers enqueue again and again, by `every` of `@activejob/kafka/recurring`. One that is not in the list any
   * more is forgotten when a worker starts.
   *
   * @default []
   */
  readonly recurring?: readonly RecurringDefinition[];
  /** The clock by which delayed jobs are due. @default the system's */
  readonly clock?: Clock;
}

/** The options of the topic in which delayed jobs wait. */
export interface ScheduledTopicOptions {
  /** Its name, without the App's prefix. @default the App's name and _scheduled_jobs */
  readonly name?: string;
  /** Number of its partitions when it is created. It never changes. @default the broker's default on Kafka, else 1 */
  readonly partitions?: number;
  /** Number of its replicas when it is created on Kafka. @default the broker's default */
  readonly replicationFactor?: number;
}

/** The options of an App with their defaults. */
export type ResolvedOptions =
  & Required<
    Omit<AppOptions, keyof JobOptions | "broker" | "locateGlobalId" | "encryption" | "logger" | "buffer" | "topics">
  >
  & {
    readonly broker: BrokerSource;
    readonly locateGlobalId: GlobalIdLocator | undefined;
    readonly encryption: Encryption | undefined;
  };

/** Default command line that skips a record, without the record's position. */
export const SKIP_COMMAND = "deno run -A jsr:@activejob/kafka/cli skip --app app.ts";

const DAY_MS = 86_400_000;

const clientId: Check = (value) =>
  typeof value === "string" && /^[A-Za-z0-9._-]{1,200}$/.test(value)
    ? null
    : "a name of letters, digits, dots, dashes and underscores";
const namePart: Check = (value) =>
  typeof value === "string" && /^[A-Za-z0-9._-]{0,100}$/.test(value)
    ? null
    : "letters, digits, dots, dashes and underscores";
const list: Check = (value) => Array.isArray(value) ? null : "an array";

const CHECKS: Checks<AppOptions> = {
  ...JOB_CHECKS,
  name: clientId,
  broker: (value) =>
    typeof value === "string" || (typeof value === "object" && value !== null && "open" in value)
      ? null
      : `a URL such as "sqlite:jobs.db", "kafka://localhost:9092" or "memory:", or kafka({ … })`,
  jobs: list,
  topics: list,
  currentAttributes: list,
  railsCurrentAttributes: list,
  serializers: list,
  locateGlobalId: (value) => typeof value === "function" ? null : "a function of the GlobalID",
  encryption: (value) => typeof (value as Encryption)?.seal === "function" ? null : "the result of encryption({ … })",
  queuePrefix: namePart,
  queueDelimiter: namePart,
  undeclaredQueues: oneOf("error", "warn"),
  logger: (value) =>
    value === false ? null : optionsOf<LoggerOptions>("logger", {
      level: oneOf("debug", "info", "warn", "error", "silent"),
      format: oneOf("pretty", "json"),
      write: (write) => typeof write === "function" ? null : "a function of the line",
    })(value),
  buffer: optionsOf<BufferOptions>("buffer", {
    maxRecords: integerFrom(1),
    maxBytes: integerFrom(1),
    maxWaitMs: milliseconds,
  }),
  concurrency: integerFrom(1),
  maxBufferedBytes: integerFrom(1),
  maxFetchBytes: integerFrom(1),
  sessionTimeoutMs: timeLimit,
  heartbeatIntervalMs: timeLimit,
  commitIntervalMs: milliseconds,
  shutdownTimeoutMs: milliseconds,
  scheduledTopic: optionsOf<ScheduledTopicOptions>("scheduledTopic", {
    name: topicName,
    partitions: integerFrom(1),
    replicationFactor: integerFrom(1),
  }),
  reports: boolean,
  control: boolean,
  maxDelayMs: integerFrom(1),
  recurring: list,
  clock: (value) => typeof (value as Clock)?.nowMs === "function" ? null : "a clock",
};

/**
 * Checks the options of an App and adds the defaults.
 *
 * @throws {InvalidConfigurationError} for the first wrong option
 */
export function resolveOptions(options: AppOptions): ResolvedOptions {
  checkOptions("new App()", options, CHECKS);
  for (const name of ["name", "broker", "jobs", "topics"] as const) {
    if (options[name] === undefined) {
      throw new InvalidConfigurationError(`new App() needs the option "${name}", ${CHECKS[name](undefined)}`);
    }
  }
  const { currentAttributes = [], railsCurrentAttributes = [], serializers = [], sessionTimeoutMs = 15_000 } = options;
  checkCurrentAttributes([...currentAttributes, ...railsCurrentAttributes]);
  checkSerializers(serializers);
  for (const topic of options.topics) {
    if (typeof topic?.name !== "string") {
      throw new InvalidConfigurationError(`${show(topic)} in "topics" is not a topic: make it with activeJobTopic()`);
    }
    const { name, ...rest } = topic;
    activeJobTopic(name, rest);
  }
  const broker = readBrokerSource(options.broker);
  return Object.freeze({
    name: options.name,
    broker,
    jobs: options.jobs,
    currentAttributes,
    railsCurrentAttributes,
    serializers,
    locateGlobalId: options.locateGlobalId,
    encryption: options.encryption,
    queuePrefix: options.queuePrefix ?? "",
    queueDelimiter: options.queueDelimiter ?? "_",
    undeclaredQueues: options.undeclaredQueues ?? "error",
    concurrency: options.concurrency ?? 10,
    maxBufferedBytes: options.maxBufferedBytes ?? 64 * 1024 * 1024,
    maxFetchBytes: options.maxFetchBytes ?? 4 * 1024 * 1024,
    sessionTimeoutMs,
    heartbeatIntervalMs: heartbeatInterval(sessionTimeoutMs, options.heartbeatIntervalMs),
    commitIntervalMs: options.commitIntervalMs ?? 200,
    shutdownTimeoutMs: options.shutdownTimeoutMs ?? 25_000,
    scheduledTopic: options.scheduledTopic ?? {},
    reports: options.reports ?? true,
    // An embedded broker has no operator who creates the topic, and to read it costs nearly nothing.
    control: options.control ?? broker.embedded === true,
    maxDelayMs: options.maxDelayMs ?? 365 * DAY_MS,
    recurring: options.recurring ?? [],
    clock: options.clock ?? SYSTEM_CLOCK,
  });
}

function heartbeatInterval(sessionTimeoutMs: number, given: number | undefined): number {
  if (given === undefined) return Math.min(3000, Math.ceil(sessionTimeoutMs / 5));
  if (given <= sessionTimeoutMs / 3) return given;
  throw new InvalidConfigurationError(
    `Option "heartbeatIntervalMs" of new App() must be at most a third of "sessionTimeoutMs", which is ${sessionTimeoutMs}, but it is ${given}`,
  );
}

function checkCurrentAttributes(classes: readonly AnyCurrentAttributes[]): void {
  const names = new Set<string>();
  for (const Class of classes) {
    if (!isCurrentAttributes(Class) || Class.name === "") {
      throw new InvalidConfigurationError(
        `${
          show(Class)
        } in "currentAttributes" is not a class of current attributes: it must extend currentAttributes(…)`,
      );
    }
    if (names.has(Class.name)) {
      throw new InvalidConfigurationError(`Two classes of current attributes are called "${Class.name}"`);
    }
    names.add(Class.name);
  }
}

function checkSerializers(serializers: readonly AnySerializer[]): void {
  const names = new Set<string>();
  for (const serializer of serializers) {
    const methods = [serializer?.handles, serializer?.serialize, serializer?.deserialize];
    if (nonEmptyString(serializer?.name) !== null || methods.some((method) => typeof method !== "function")) {
      throw new InvalidConfigurationError(
        `${
          show(serializer)
        } in "serializers" is not a serializer: it needs a name, handles(), serialize() and deserialize()`,
      );
    }
    const { name } = serializer;
    if (names.has(name)) throw new InvalidConfigurationError(`Two serializers are called "${name}"`);
    names.add(name);
  }
}
