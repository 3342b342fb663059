/**
 * An App: the configuration as a value, with the event stream, the broker and the dispatcher that it needs. It is bound to its
 * job classes when it is made, and unbound when it is closed. The broker is connected at first use.
 */
import type { BrokerPermissions } from "../broker/broker.ts";
import type { CancelOptions, PausedTopic, PauseOptions, ResumeOptions } from "../control/control.ts";
import type { DeadLetters } from "../dead_letters/dead_letters.ts";
import { Dispatcher } from "../dispatch/dispatcher.ts";
import { InvalidConfigurationError } from "../errors.ts";
import { planOf } from "../job/declarations.ts";
import { EnvelopeCodec } from "../job/envelope.ts";
import type { Job, JobClass } from "../job/job.ts";
import { assertJob, assertJobs } from "../job/job_checks.ts";
import { JobRegistry } from "../job/registry.ts";
import { bindRuntime, runInScope } from "../job/runtime.ts";
import type { EventMap, EventName } from "../monitor/events.ts";
import { attachLogger, type Logger } from "../monitor/logger.ts";
import { EVENT_NAMES, type Listener, Monitor } from "../monitor/monitor.ts";
import { Tracing } from "../monitor/tracing.ts";
import { checkRecurring } from "../recurring/definition.ts";
import type { ReportedWorker } from "../reports/reported_worker.ts";
import { Routes } from "../routing/route.ts";
import type { ScheduledJob, ScheduledOptions } from "../scheduler/list_scheduled.ts";
import type { RecurringJob } from "../scheduler/recurring/list_recurring.ts";
import type { AppStatus, StatusOptions } from "../status/status.ts";
import { waitUntilSettled } from "../support/deadline.ts";
import type { Position } from "../support/position.ts";
import { isolate, lazyImport } from "../support/root_context.ts";
import { copyFrozen, didYouMean, show } from "../support/validation.ts";
import type { Worker } from "../worker/worker.ts";
import { AppBroker } from "./app_broker.ts";
import type { AppParts } from "./app_parts.ts";
import { AppWorkers, type TestConfig, type WorkerSettings } from "./app_workers.ts";
import { Operations, type SkipOptions } from "./operations.ts";
import { type AppOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { nameOwnTopics } from "./own_topics.ts";
import type { ReadLogOptions, TopicLogPage } from "./read_log.ts";
import type { TopicChange } from "./topics.ts";

const BRAND: unique symbol = Symbol.for("@activejob/kafka.App") as never;

/**
 * An application's jobs, topics and broker.
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * const performed: number[] = [];
 * class CountJob extends Job {
 *   perform(n: number) {
 *     performed.push(n);
 *   }
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [CountJob],
 *   topics: [activeJobTopic("default")],
 *   logger: false,
 * });
 * await CountJob.performLater(1);
 * await app.worker().run(undefined, { once: true });
 * assertEquals(performed, [1]);
 * ```
 */
export class App implements AsyncDisposable {
  /** @internal */
  readonly [BRAND] = true;
  /** The options that it was made with: frozen, and valid for another App (`{ ...app.options, name: "other" }`). */
  readonly options: Readonly<AppOptions>;
  /** Its job classes. */
  readonly jobs: ReadonlySet<JobClass>;
  /**
   * Writes and reads the envelopes of its jobs.
   *
   * @internal
   */
  readonly codec: EnvelopeCodec;
  readonly #resolved: ResolvedOptions;
  readonly #registry: JobRegistry;
  readonly #routes: Routes;
  readonly #monitor = new Monitor();
  readonly #broker: AppBroker;
  readonly #dispatcher: Dispatcher;
  readonly #operations: Operations;
  readonly #workers: AppWorkers;
  /**
   * Options that a test sets for its workers.
   *
   * @internal
   */
  testConfig: TestConfig = {};
  readonly #unbind: () => void;
  readonly #logger: Logger | null;
  #closed: Promise<number> | undefined;

  /**
   * Makes an App. Nothing is connected yet.
   *
   * @throws {InvalidConfigurationError} for a wrong option, class or topic
   */
  constructor(options: AppOptions) {
    const resolved = resolveOptions(options);
    this.options = Object.freeze({ ...copyFrozen(options), broker: options.broker });
    this.#resolved = resolved;
    this.#registry = new JobRegistry(resolved.jobs);
    this.jobs = this.#registry.classes;
    this.codec = new EnvelopeCodec(resolved);
    this.#routes = new Routes(options.topics, options, resolved, resolved.name);
    this.#logger = options.logger === false ? null : attachLogger(this.#monitor, options.logger);
    const topics = nameOwnTopics(resolved, this.#routes);
    const tracing = new Tracing(this.name, this.brokerName, this.#monitor);
    this.#broker = new AppBroker({
      name: this.name,
      source: resolved.broker,
      monitor: this.#monitor,
      topics: {
        routes: this.#routes.all(),
        scheduled: { ...resolved.scheduledTopic, topic: topics.scheduled },
        control: resolved.control ? topics.control : null,
        workers: topics.workers,
      },
    });
    this.#dispatcher = new Dispatcher({
      broker: () => this.#broker.ready(),
      routes: this.#routes,
      monitor: this.#monitor,
      tracing,
      codec: this.codec,
      buffer: options.buffer ?? {},
      undeclaredQueues: resolved.undeclaredQueues,
      clock: resolved.clock,
      scheduledTopic: topics.scheduled,
      maxDelayMs: resolved.maxDelayMs,
    });
    checkRecurring(resolved.recurring, {
      classes: this.jobs,
      names: () => this.jobNames(),
      checkJob: (job) => this.#dispatcher.check(job),
    });
    const parts: AppParts = {
      options: resolved,
      registry: this.#registry,
      codec: this.codec,
      routes: this.#routes,
      topics,
      monitor: this.#monitor,
      tracing,
      broker: this.#broker,
      dispatcher: this.#dispatcher,
      enqueue: (job) => this.enqueueAcknowledged(job),
      run: (fn) => this.run(fn),
    };
    this.#operations = new Operations(parts);
    this.#workers = new AppWorkers(parts);
    this.#unbind = bindRuntime(this);
  }

  /** Its name: client id and consumer group. */
  get name(): string {
    return this.#resolved.name;
  }

  /** The name of its broker, without secrets. */
  get brokerName(): string {
    return this.#resolved.broker.name;
  }

  /**
   * Whether its workers take orders: pause, resume, cancel.
   *
   * @internal
   */
  get canControl(): boolean {
    return this.#resolved.control;
  }

  /** The permissions that its broker needs in Deno. */
  get brokerPermissions(): BrokerPermissions {
    return this.#resolved.broker.permissions ?? {};
  }

  /** Longest wait of a stop for running and buffered jobs, in ms. */
  get shutdownTimeoutMs(): number {
    return this.#resolved.shutdownTimeoutMs;
  }

  /** Whether it was closed: then it refuses jobs. */
  get isClosed(): boolean {
    return this.#broker.isClosed;
  }

  /** Number of jobs that are buffered and not acknowledged. */
  get pending(): number {
    return this.#dispatcher.pending;
  }

  /**
   * Number of jobs that could not be enqueued although the call that enqueued them did not reject: a later failure of
   * `produceAsync`, or any failure in `performAllLater`. A job that may have been written counts, too.
   */
  get undelivered(): number {
    return this.#dispatcher.undelivered;
  }

  /**
   * Adds a listener for the events of a name.
   *
   * @returns a function that removes the listener
   * @throws {InvalidConfigurationError} for an unknown name, or a listener that is not a function
   */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    if (!Object.hasOwn(EVENT_NAMES, name)) {
      throw new InvalidConfigurationError(
        `Unknown event ${show(name)}${didYouMean(String(name), Object.keys(EVENT_NAMES))}`,
      );
    }
    if (typeof listener !== "function") {
      throw new InvalidConfigurationError(`A listener of "${name}" must be a function, but it is ${show(listener)}`);
    }
    return this.#monitor.on(name, isolate(listener));
  }

  /** Emits `error.occurred` for an error that no caller receives. */
  reportError(where: string, error: unknown): void {
    this.#monitor.reportError(where, error);
  }

  /** Emits `operator.acted` for a change that an operator made, or tried to make. */
  reportAction(action: EventMap["operator.acted"]): void {
    this.#monitor.emit("operator.acted", action);
  }

  /**
   * Stops logging one event: for a program that prints it itself. Listeners are called as before.
   *
   * @internal
   */
  muteLog(name: EventName): void {
    this.#logger?.mute(name);
  }

  /** Runs a function in this App's scope: its jobs go to this App, even if another App lists their classes, too. */
  run<T>(fn: () => T): T {
    return runInScope(this, fn);
  }

  /**
   * Enqueues a job that `of` made.
   *
   * @returns the job, once it is buffered or acknowledged, as its class says
   * @throws {EnqueueError} if it cannot be enqueued
   * @throws {InvalidConfigurationError} for anything but a job that `of` made, such as a class
   */
  enqueue<J extends Job>(job: J): Promise<J> {
    try {
      assertJob("app.enqueue()", job);
    } catch (error) {
      return Promise.reject(error);
    }
    // Not an async method: one more promise for each job is a tenth of the cost of enqueuing.
    return this.#enqueue(job, false);
  }

  /**
   * Enqueues a job until it is acknowledged, whatever its class says.
   *
   * @internal
   */
  enqueueAcknowledged<J extends Job>(job: J): Promise<J> {
    return this.#enqueue(job, true);
  }

  /**
   * Returns the time of its clock, in milliseconds since 1970.
   *
   * @internal
   */
  nowMs(): number {
    return this.#resolved.clock.nowMs();
  }

  /**
   * Returns the full name of the topic of a queue.
   *
   * @param queue the queue, or the full name
   * @throws {InvalidConfigurationError} if it is not declared
   * @internal
   */
  topicName(queue: string): string {
    return this.#routes.select([queue])[0]!.topic;
  }

  /**
   * Enqueues jobs that `of` made. The outcome of each is on the job: `job.enqueued`, `job.enqueueError`.
   *
   * @throws {InvalidConfigurationError} if `jobs` is not an array of jobs that `of` made
   */
  async enqueueAll(jobs: readonly Job[]): Promise<void> {
    assertJobs("app.enqueueAll()", jobs);
    await this.#dispatcher.enqueueAll(jobs);
  }

  /** Returns the class of this name on the wire, if it is listed. */
  jobClass(name: string): JobClass | undefined {
    return this.#registry.find(name);
  }

  /** Returns the names of its classes on the wire, aliases included. */
  jobNames(): string[] {
    return this.#registry.names();
  }

  /**
   * Makes a worker. It does nothing before its `run`.
   *
   * @throws {InvalidConfigurationError} for a wrong setting, or a queue that no topic declares
   */
  worker(settings: WorkerSettings = {}): Worker {
    return this.#workers.create(settings, this.testConfig);
  }

  /** Creates missing topics and adds partitions. It changes nothing else: a difference is only returned. */
  async applyTopics(): Promise<TopicChange[]> {
    return await this.#broker.applyTopics();
  }

  /**
   * Finds consumer groups that are not this App's and have committed offsets in a topic of its jobs: often another project,
   * whose workers would take this App's jobs. It takes a few seconds at most; of thousands of groups some may be missing.
   *
   * @returns their names by topic; topics without such groups are left out
   */
  async findOtherGroups(): Promise<ReadonlyMap<string, readonly string[]>> {
    return await this.#broker.findOtherGroups();
  }

  /**
   * Skips one record. Workers may be running. With `ordering: "partition"` it must be the record that the group is at.
   *
   * @param options whether to skip the records before it as well
   * @throws {InvalidConfigurationError} if it is not a position, or no topic of this name is declared
   * @throws {BrokerError} if the group is past this record, or is not at it and has to be
   */
  async skip(position: Position, options: SkipOptions = {}): Promise<void> {
    await this.#operations.skip(position, options);
  }

  /**
   * Lists the delayed jobs that wait, soonest first. No worker needs to run. It reads all of them.
   *
   * @returns a page of them
   * @throws {UnknownTopicError} if the topic of delayed jobs does not exist
   * @throws {InvalidConfigurationError} for a wrong option
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * class RemindJob extends Job {
   *   perform(_userId: number) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [RemindJob],
   *   topics: [activeJobTopic("default")],
   * });
   * const job = await RemindJob.set({ wait: { hours: 1 } }).performLater(7);
   * assertEquals((await app.scheduled()).map(({ jobClass }) => jobClass), ["RemindJob"]);
   * await app.cancelScheduled(job.jobId);
   * assertEquals(await app.scheduled(), []);
   * ```
   */
  async scheduled(options: ScheduledOptions = {}): Promise<ScheduledJob[]> {
    return await this.#operations.scheduled(options);
  }

  /**
   * Takes a delayed job away: it is not performed, unless it is being released at this moment. A job that does not wait stays as
   * it is.
   *
   * @param jobId the job's `jobId`
   * @throws {EnqueueError} if the cancellation cannot be written
   */
  async cancelScheduled(jobId: string): Promise<void> {
    await this.#operations.cancelScheduled(jobId);
  }

  /**
   * Lists the recurring jobs with their last and next ticks, in the order of their declaration. No worker needs to run.
   *
   * @throws {BrokerError} if the topic of delayed jobs cannot be read
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { every } from "@activejob/kafka/recurring";
   * import { assertEquals } from "@std/assert";
   *
   * class NightlyJob extends Job {
   *   perform() {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [NightlyJob],
   *   topics: [activeJobTopic("default")],
   *   recurring: [every("0 3 * * *", NightlyJob.of(), { id: "nightly" })],
   * });
   * const [nightly] = await app.recurring();
   * assertEquals([nightly!.schedule, new Date(nightly!.nextAtMs).getUTCHours()], ["0 3 * * *", 3]);
   * ```
   */
  async recurring(): Promise<RecurringJob[]> {
    return await this.#operations.recurring();
  }

  /**
   * Enqueues a recurring job now, with a `jobId` of its own. Its ticks stay as they are.
   *
   * @param id the id of the recurring job
   * @returns the job, once it is acknowledged
   * @throws {EnqueueError} if it cannot be enqueued
   * @throws {InvalidConfigurationError} if no recurring job has this id
   */
  async runRecurring(id: string): Promise<Job> {
    return await this.#operations.runRecurring(id);
  }

  /**
   * Returns the dead letters of one topic, or of all: to list, to requeue and to dismiss them. Nothing is read yet.
   *
   * @param topic a dead letter topic, with the App's prefix or without it
   * @throws {InvalidConfigurationError} if no topic declares it as its dead letter topic
   */
  deadLetters(topic?: string): DeadLetters {
    return this.#operations.deadLetters(topic);
  }

  /**
   * Lists the workers that report, in any process: those that run first, then those that are gone. A worker reports every 5
   * seconds and when its state changes; it is gone after 20 seconds without a report. No worker needs to run.
   *
   * @returns `[]` with the option `reports: false`
   * @throws {UnknownTopicError} if the topic of reports does not exist
   * @throws {BrokerError} if it cannot be read
   *
   * @example
   * ```ts
   * import { activeJobTopic, App } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * await using app = new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("default")] });
   * assertEquals(await app.workers(), []);
   * ```
   */
  async workers(): Promise<ReportedWorker[]> {
    return await this.#operations.workers();
  }

  /**
   * Pauses a topic, or one of its partitions: workers start no job of it, also after a restart, until `resume` is called.
   * Jobs that run go on, and jobs can be enqueued. Workers notice it within a second.
   *
   * @param queue the topic, with the App's prefix or without it
   * @returns the pause
   * @throws {InvalidConfigurationError} for a wrong option, a queue that no topic declares, or if the App has no control
   * @throws {UnknownTopicError} if the control topic does not exist
   * @throws {BrokerError} if it cannot be written
   *
   * @example
   * ```ts
   * import { activeJobTopic, App } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * await using app = new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("mail")] });
   * await app.pause("mail", { why: "the mail server is down", by: "ada" });
   * assertEquals((await app.paused()).map(({ queue, by }) => [queue, by]), [["mail", "ada"]]);
   * await app.resume("mail");
   * assertEquals(await app.paused(), []);
   * ```
   */
  async pause(queue: string, options: PauseOptions = {}): Promise<PausedTopic> {
    return await this.#operations.pause(queue, options);
  }

  /**
   * Resumes a topic and all its partitions, or one partition that was paused by itself.
   *
   * @param queue the topic, with the App's prefix or without it
   * @returns the pauses that have ended: none if nothing was paused
   * @throws the errors of {@linkcode App.pause}
   */
  async resume(queue: string, options: ResumeOptions = {}): Promise<PausedTopic[]> {
    return await this.#operations.resume(queue, options);
  }

  /**
   * Lists the topics and partitions that are paused.
   *
   * @returns them in the order of their queues
   * @throws the errors of {@linkcode App.pause}
   */
  async paused(): Promise<PausedTopic[]> {
    return await this.#operations.paused();
  }

  /**
   * Cancels a job, wherever it is. A delayed job is taken away. A waiting one is not performed when its turn comes. The
   * `signal` of a running one aborts with a `CancelledError`: what it then throws is not a failure, and a job that passes all
   * the same has passed. A job that has ended, or whose id is unknown, stays as it is.
   *
   * @param jobId the job's `jobId`
   * @throws the errors of {@linkcode App.pause}
   * @throws {EnqueueError} if the job cannot be taken away from the delayed ones; it is cancelled when it is due
   */
  async cancel(jobId: string, options: CancelOptions = {}): Promise<void> {
    await this.#operations.cancel(jobId, options);
  }

  /**
   * Reads the status of its topics from the broker: state, lag, age, dead letters, delayed jobs, workers. No worker needs to run.
   * A broker that does not respond makes a state `"unknown"`, with the reason; the call does not reject for it.
   *
   * @returns plain data, worst topic first
   * @throws {InvalidConfigurationError} for a wrong option
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * class GreetJob extends Job {
   *   perform(_name: string) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [GreetJob],
   *   topics: [activeJobTopic("default")],
   *   logger: false,
   * });
   * await GreetJob.performLater("Ada");
   * await app.flush();
   * const { topics: [topic] } = await app.status();
   * assertEquals([topic!.queue, topic!.lag], ["default", 1]);
   * ```
   */
  async status(options: StatusOptions = {}): Promise<AppStatus> {
    return await this.#operations.status(options);
  }

  /**
   * Reads a page of the log of a topic, at any place. It makes no group.
   *
   * @internal
   */
  readLog(queue: string, options: ReadLogOptions): Promise<TopicLogPage> {
    return this.#operations.readLog(queue, options);
  }

  /** Resolves once no job is pending. */
  flush(): Promise<void> {
    return this.#dispatcher.flush();
  }

  /**
   * Stops its workers, sends the buffered jobs, closes the broker, and unbinds its classes. A further call returns the
   * result of the first one.
   *
   * @param deadlineMs the longest wait for buffered jobs, in ms
   * @returns the number of jobs that were refused or lost without a rejection: those that are
   * {@linkcode App.undelivered}, and those still pending after the deadline. A script fails if it is not 0
   */
  close(deadlineMs: number = this.#resolved.shutdownTimeoutMs): Promise<number> {
    return this.#closed ??= this.#close(deadlineMs);
  }

  /** Closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #enqueue<J extends Job>(job: J, awaitsAck: boolean): Promise<J> {
    const { enqueue } = planOf(job.constructor as JobClass);
    if (enqueue.length === 0) return this.#dispatcher.enqueue(job, awaitsAck);
    return lazyImport(() => import("../job/enqueue_callbacks.ts")).then(({ enqueueWithCallbacks }) =>
      enqueueWithCallbacks(enqueue, job, this.#monitor, () => this.#dispatcher.enqueue(job, awaitsAck))
    );
  }

  async #close(deadlineMs: number): Promise<number> {
    this.#unbind();
    await this.#workers.stop();
    this.#dispatcher.close();
    await waitUntilSettled(this.flush(), deadlineMs);
    const undelivered = this.undelivered + this.pending;
    await this.#broker.close();
    await this.#logger?.close();
    return undelivered;
  }
}

/** Returns whether a value is an App, of any copy of this library. */
export function isApp(value: unknown): value is App {
  return typeof value === "object" && value !== null && BRAND in value;
}
