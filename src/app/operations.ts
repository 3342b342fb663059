/**
 * The calls of an operator on an App: look at topics, workers, dead letters, delayed and recurring jobs, and change them; skip,
 * pause and cancel. No worker needs to run for them. `App` documents each; the code of each is loaded at its first use.
 */
import type { CancelOptions, Control, PausedTopic, PauseOptions, ResumeOptions } from "../control/control.ts";
import { DeadLetters, selectDeadLetterTopics } from "../dead_letters/dead_letters.ts";
import type { Broker } from "../broker/broker.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { ReportedWorker } from "../reports/reported_worker.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { copyJob } from "../recurring/definition.ts";
import { fullName, type Route, type Routes } from "../routing/route.ts";
import { schedulerGroup } from "../routing/scheduled_topic.ts";
import type { ScheduledJob, ScheduledOptions } from "../scheduler/list_scheduled.ts";
import type { RecurringJob } from "../scheduler/recurring/list_recurring.ts";
import type { TickReader } from "../scheduler/recurring/tick_reader.ts";
import { assertPosition, formatPosition, type Position } from "../support/position.ts";
import { lazyImport } from "../support/root_context.ts";
import type { Movement } from "../status/movement.ts";
import type { AppStatus, StatusOptions } from "../status/status.ts";
import {
  abortSignal,
  boolean,
  callback,
  type Check,
  checkOptions,
  didYouMean,
  integerFrom,
  nonEmptyString,
  show,
  timeLimit,
} from "../support/validation.ts";
import type { WorkerControl } from "../worker/control.ts";
import type { LoadReporter } from "../worker/reporter.ts";
import type { AppBroker } from "./app_broker.ts";
import type { ReadLogOptions, TopicLogPage } from "./read_log.ts";
import { type ResolvedOptions, SKIP_COMMAND, type SkipOptions } from "./options.ts";

const listOfNames: Check = (value) =>
  Array.isArray(value) && value.every((name) => nonEmptyString(name) === null) ? null : "an array of queues";

const isPromise: Check = (value) => value instanceof Promise ? null : "a promise";

/** The default of the option `timeoutMs` of `app.status()`, in milliseconds. */
const STATUS_TIMEOUT_MS = 10_000;

/** The parts of an App that its operations need. */
export interface OperationsContext {
  readonly options: ResolvedOptions;
  readonly routes: Routes;
  readonly broker: AppBroker;
  readonly dispatcher: Dispatcher;
  /** The full name of the topic in which delayed jobs wait. */
  readonly scheduledTopic: string;
  readonly monitor: Monitor;
  /** The full name of the topic in which workers report; `null` for none. */
  readonly workersTopic: string | null;
  /** The full name of the control topic. */
  readonly controlTopic: string;
}

/** The time between two readings of the control topic, in ms. In the process, a reading takes some microseconds. */
const EMBEDDED_CONTROL_MS = 200;
const CONTROL_MS = 1000;

/** The operations of one App. */
export class Operations {
  readonly #context: OperationsContext;
  #movement: Movement | undefined;
  #ticks: TickReader | undefined;

  constructor(context: OperationsContext) {
    this.#context = context;
  }

  /** See `App.skip`. */
  async skip(position: Position, options: SkipOptions): Promise<void> {
    assertPosition("app.skip()", position);
    checkOptions("app.skip()", options, { force: boolean });
    const [route] = this.#context.routes.select([position.topic]);
    const broker = await this.#context.broker.ready();
    const { skipCommit } = await lazyImport(() => import("../worker/partition/skip_commit.ts"));
    const at = { ...position, topic: route!.topic };
    const decide = skipCommit(at, {
      isAlone: route!.ordering !== "partition",
      force: options.force ?? false,
    });
    await broker.skip(route!.group, at, decide);
  }

  /** See `App.scheduled`. */
  async scheduled(options: ScheduledOptions): Promise<ScheduledJob[]> {
    checkOptions("app.scheduled()", options, {
      limit: integerFrom(1),
      after: () => null,
      maxRecords: integerFrom(1),
      onPartial: callback,
      signal: abortSignal,
    });
    const { broker, dispatcher, scheduledTopic, options: { name } } = this.#context;
    await dispatcher.flush();
    const { admin } = await broker.ready();
    const { listScheduled } = await lazyImport(() => import("../scheduler/list_scheduled.ts"));
    return await listScheduled(admin, scheduledTopic, schedulerGroup(name), options);
  }

  /** See `App.cancelScheduled`. */
  async cancelScheduled(jobId: string): Promise<void> {
    checkOptions("app.cancelScheduled()", { jobId }, { jobId: nonEmptyString });
    await this.#context.dispatcher.cancelScheduled(jobId);
  }

  /** See `App.recurring`. */
  async recurring(): Promise<RecurringJob[]> {
    const { broker, scheduledTopic, options: { name, recurring, clock } } = this.#context;
    const { admin } = await broker.ready();
    if (recurring.length === 0) return [];
    const [{ listRecurring }, { TickReader }] = await lazyImport(() =>
      Promise.all([
        import("../scheduler/recurring/list_recurring.ts"),
        import("../scheduler/recurring/tick_reader.ts"),
      ])
    );
    this.#ticks ??= new TickReader(scheduledTopic, schedulerGroup(name), recurring);
    const nowMs = clock.nowMs();
    return listRecurring(recurring, await this.#ticks.read(admin, nowMs), nowMs);
  }

  /** Returns the job that `App.runRecurring` enqueues. */
  createRecurring(id: string): Job {
    const { recurring } = this.#context.options;
    const definition = recurring.find((each) => each.id === id);
    if (definition !== undefined) return copyJob(definition);
    const known = recurring.map((each) => each.id);
    throw new InvalidConfigurationError(`No recurring job has the id ${show(id)}${didYouMean(String(id), known)}`);
  }

  /** See `App.workers`. */
  async workers(): Promise<ReportedWorker[]> {
    const { broker, workersTopic: topic, options: { clock } } = this.#context;
    if (topic === null) return [];
    const { admin } = await broker.ready();
    const { listWorkers } = await lazyImport(() => import("../reports/list_workers.ts"));
    const skipCommand = (position: Position) => `${SKIP_COMMAND} ${formatPosition(position)}`;
    return await listWorkers({ admin, topic, nowMs: clock.nowMs(), skipCommand });
  }

  /** Returns the loader of a worker's reporter; `null` where workers do not report. */
  reporterLoader(): LoadReporter | null {
    const { monitor, workersTopic: topic, options: { clock } } = this.#context;
    if (topic === null) return null;
    return async () => {
      const { Reporter } = await lazyImport(() => import("../reports/reporter.ts"));
      return (broker, status) => new Reporter({ broker, status, topic, monitor, clock });
    };
  }

  /** See `App.pause`. */
  async pause(queue: string, options: PauseOptions): Promise<PausedTopic> {
    return await (await this.#control("app.pause()")).pause(queue, options);
  }

  /** See `App.resume`. */
  async resume(queue: string, options: ResumeOptions): Promise<PausedTopic[]> {
    return await (await this.#control("app.resume()")).resume(queue, options);
  }

  /** See `App.paused`. */
  async paused(): Promise<PausedTopic[]> {
    return await (await this.#control("app.paused()")).paused();
  }

  /** See `App.cancel`. */
  async cancel(jobId: string, options: CancelOptions): Promise<void> {
    await (await this.#control("app.cancel()")).cancel(jobId, options);
  }

  /** Makes the part of a worker that knows an operator's orders, if the App's workers take any. */
  async createControl({ admin }: Broker, routes: readonly Route[]): Promise<WorkerControl | null> {
    const { options: { broker, clock, control }, controlTopic: topic, monitor } = this.#context;
    if (!control) return null;
    const { FollowedControl } = await lazyImport(() => import("../control/worker_control.ts"));
    return await FollowedControl.start({
      admin,
      topic,
      topics: routes.map((route) => route.topic),
      monitor,
      nowMs: () => clock.nowMs(),
      intervalMs: broker.embedded === true ? EMBEDDED_CONTROL_MS : CONTROL_MS,
    });
  }

  /** Makes the part that writes an operator's orders, if the App's workers take any. */
  async #control(caller: string): Promise<Control> {
    const { options, routes, broker, dispatcher, controlTopic } = this.#context;
    if (!options.control) {
      throw new InvalidConfigurationError(
        `${caller} has no effect, since no worker of "${options.name}" takes orders: set "control: true" in new App(), ` +
          `create the topic "${controlTopic}" with "topics apply", and restart the workers`,
      );
    }
    const { Control } = await lazyImport(() => import("../control/control.ts"));
    return new Control({
      name: options.name,
      topic: controlTopic,
      routes,
      clock: options.clock,
      broker: () => broker.ready(),
      append: (topic, record) => dispatcher.append(topic, record),
      cancelScheduled: (jobId, order) => dispatcher.cancelScheduled(jobId, order),
    });
  }

  /** See `App.status`. */
  async status(options: StatusOptions): Promise<AppStatus> {
    checkOptions("app.status()", options, {
      topics: listOfNames,
      timeoutMs: timeLimit,
      command: nonEmptyString,
      workers: isPromise,
    });
    const { timeoutMs = STATUS_TIMEOUT_MS, command = SKIP_COMMAND, workers } = options;
    // It is awaited later: a rejection, unhandled, would end the process.
    workers?.catch(() => {});
    const { options: { name, broker: source, clock, control }, routes, broker, scheduledTopic, workersTopic } =
      this.#context;
    const selected = options.topics === undefined ? routes.all() : routes.select(options.topics);
    const [{ readStatus }, { Movement }] = await lazyImport(() =>
      Promise.all([import("../status/read_status.ts"), import("../status/movement.ts")])
    );
    this.#movement ??= new Movement();
    return await readStatus({
      name,
      brokerName: source.name,
      routes: selected,
      scheduledTopic,
      schedulerGroup: schedulerGroup(name),
      workers: workersTopic === null ? null : () => workers ?? this.workers(),
      pauses: control ? () => this.paused() : null,
      movement: this.#movement,
      broker: () => broker.ready(),
      nowMs: () => clock.nowMs(),
    }, { timeoutMs, command });
  }

  /** See `App.deadLetters`. */
  deadLetters(topic: string | undefined): DeadLetters {
    const { options, routes, broker, dispatcher } = this.#context;
    const all = routes.all().flatMap(({ deadLetterQueue }) => deadLetterQueue === null ? [] : deadLetterQueue.topic);
    const toFullName = (name: string) => fullName(name, options);
    return new DeadLetters({
      name: options.name,
      toFullName,
      topics: selectDeadLetterTopics([...new Set(all)], topic, toFullName),
      broker: () => broker.ready(),
      append: (topic, record) => dispatcher.append(topic, record),
      isDeclared: (topic) => routes.find(topic) !== undefined,
      maxPayloadBytes: routes.maxPayloadBytes,
    });
  }

  /** See `App.readLog`. */
  async readLog(queue: string, options: ReadLogOptions): Promise<TopicLogPage> {
    const [route] = this.#context.routes.select([queue]);
    const broker = await this.#context.broker.ready();
    const { readLog } = await lazyImport(() => import("./read_log.ts"));
    return await readLog(broker, route!, options);
  }
}
