/**
 * Background jobs on Kafka.
 *
 * A job is a class with a `perform`. `performLater` writes it to a topic, and a worker performs it: at least once, with
 * retries, a dead letter queue, and the current attributes of the request that enqueued it. In a script, let the class have
 * `kafkaOptions = { dispatchMethod: "produceSync" }`: then `performLater` rejects if the job is lost.
 *
 * @example A job, an App, a worker
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * const greeted: string[] = [];
 *
 * class GreetJob extends Job {
 *   perform(name: string) {
 *     greeted.push(`Hello, ${name}`);
 *   }
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:", // or "sqlite:jobs.db", or "kafka://localhost:9092"
 *   jobs: [GreetJob],
 *   topics: [activeJobTopic("default")],
 *   logger: false,
 * });
 *
 * await GreetJob.performLater("Ada");
 * await app.worker().run(undefined, { once: true });
 * assertEquals(greeted, ["Hello, Ada"]);
 * ```
 *
 * @module
 */
export { App } from "./src/app/app.ts";
export type { WorkerSettings } from "./src/app/app_workers.ts";
export type { SkipOptions } from "./src/app/operations.ts";
export type { AppOptions, ScheduledTopicOptions } from "./src/app/options.ts";
export type { TopicChange } from "./src/app/topics.ts";
export type { BrokerPermissions, BrokerSource } from "./src/broker/broker.ts";
export { sqlite, type SqliteBrokerOptions } from "./src/broker/sqlite/mod.ts";
export { kafka, type KafkaBrokerOptions, type KafkaSaslOptions, type KafkaTlsOptions } from "./src/broker/kafka/mod.ts";
export type { CancelOptions, PausedTopic, PauseOptions, ResumeOptions } from "./src/control/control.ts";
export type { DeadLetters } from "./src/dead_letters/dead_letters.ts";
export type { DeadLetterOptions, DeadLetterProgress } from "./src/dead_letters/handle.ts";
export type { DeadLetter, DeadLetterDetails } from "./src/dead_letters/letter.ts";
export type { DeadLetterAction, DeadLetterHandling } from "./src/dead_letters/marker.ts";
export type { DeadLetterFilter, DeadLetterListOptions, DeadLetterSelection } from "./src/dead_letters/selection.ts";
export type { BufferOptions } from "./src/dispatch/send_buffer.ts";
export {
  Abort,
  BrokerError,
  CancelledError,
  ContinuationError,
  DeserializationError,
  EnqueueError,
  type ErrorInfo,
  Interrupt,
  InvalidConfigurationError,
  PoisonError,
  RecordRefusedError,
  RecordTooLargeError,
  RevokedError,
  SchemaError,
  type SchemaIssue,
  SerializationError,
  ShutdownError,
  TimeoutError,
  UnknownJobError,
  UnknownKeyError,
  UnknownTopicError,
  type Written,
} from "./src/errors.ts";
export {
  type AnyCurrentAttributes,
  currentAttributes,
  type CurrentAttributesClass,
} from "./src/job/current_attributes.ts";
export { type Encryption, encryption, type EncryptionKey, type EncryptionOptions } from "./src/job/encryption.ts";
export type { DeliveryStatus } from "./src/job/delivery.ts";
export {
  type AnyJobClass,
  type ConfiguredJob,
  Job,
  type JobArguments,
  type JobClass,
  type JobDescription,
  type JobResult,
  type JobStatics,
} from "./src/job/job.ts";
export type { Step, StepOptions } from "./src/job/continuation.ts";
export type { CallbackKind, ErrorClass } from "./src/job/declarations.ts";
export { type ErrorClasses, type ErrorOf, JobHooks } from "./src/job/job_hooks.ts";
export type { RetryOptions, RetryWait } from "./src/job/retry_options.ts";
export type { JobPriority, JobQueue } from "./src/job/job_state.ts";
export type { Instant, SetOptions } from "./src/job/set_options.ts";
export type { Duration } from "./src/support/duration.ts";
export type { Clock } from "./src/support/clock.ts";
export {
  type DispatchManyMethod,
  type DispatchMethod,
  type KafkaOptions,
  kafkaOptionsOf,
} from "./src/job/kafka_options.ts";
export type {
  ArgumentData,
  ArgumentDataMembers,
  BuiltInArgument,
  CustomArgument,
  EnqueueableArgument,
  EnqueueableArguments,
  HasOnlyElements,
  PerformParameters,
  Serializable,
  TemporalArgument,
} from "./src/job/enqueueable.ts";
export type { GlobalIdLocator } from "./src/job/serializers/read.ts";
export type { AnySerializer, Serializer } from "./src/job/serializers/serializer.ts";
export {
  type BigDecimal,
  decimal,
  duration,
  type DurationUnit,
  type GlobalId,
  globalId,
  keywords,
  type RailsDuration,
  range,
  type RubyModule,
  rubyModule,
  type RubyRange,
  type RubySymbol,
  symbol,
  symbolKeys,
} from "./src/job/serializers/values.ts";
export type { ArgumentsSchema, SchemaResult, StandardIssue } from "./src/job/schema.ts";
export { performAllLater } from "./src/job/perform_all_later.ts";
export type { JobLogger } from "./src/job/run.ts";
export type {
  AssignedPartition,
  EnqueueInfo,
  EventMap,
  EventName,
  JobInfo,
  LostReason,
  PauseScope,
  RunningJob,
  UnknownClassWait,
} from "./src/monitor/events.ts";
export type { LoggerOptions, LogLevel } from "./src/monitor/logger.ts";
export type { Listener } from "./src/monitor/monitor.ts";
export type {
  ReportedHistogram,
  ReportedState,
  ReportedStatus,
  ReportedTotals,
  ReportedWorker,
  TopicHistory,
  WorkerHistory,
} from "./src/reports/reported_worker.ts";
export type { BackoffOptions, DeadLetterQueueOptions, JobOptions } from "./src/routing/job_options.ts";
export type { MissedTicks, RecurringDefinition } from "./src/recurring/definition.ts";
export type { LimitedJob, RateLimitOptions, RunningLimitOptions } from "./src/routing/limits.ts";
export type { ScheduledJob, ScheduledOptions } from "./src/scheduler/list_scheduled.ts";
export type { RecurringJob } from "./src/scheduler/recurring/list_recurring.ts";
export { activeJobTopic, type JobTopic, type Ordering, type TopicOptions } from "./src/routing/topic.ts";
export type {
  AppStatus,
  DeadLetterCounts,
  OperatorPause,
  PartitionSummary,
  StatusOptions,
  TopicState,
  TopicStatus,
} from "./src/status/status.ts";
export type { Position, TopicPartition } from "./src/support/position.ts";
export type { Pause } from "./src/worker/control.ts";
export type {
  GroupStatus,
  PartitionStatus,
  RetryingRecord,
  ScheduledPartitionStatus,
  SchedulerStatus,
  StuckRecord,
  WorkerState,
  WorkerStatus,
} from "./src/worker/status.ts";
export type { RunOptions, Worker, WorkerReport } from "./src/worker/worker.ts";
