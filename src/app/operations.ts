/**
 * The calls of an operator on an App: look at topics, workers, dead letters, delayed and recurring jobs, and change them; skip,
 * pause and cancel. No worker needs to run for them. `App` documents each; the code of each is loaded at its first use.
 */
import type { CancelOptions, Control, PausedTopic, PauseOptions, ResumeOptions } from "../control/control.ts";
import { DeadLetters, selectDeadLetterTopics } from "../dead_letters/dead_letters.ts";
import type { ReportedWorker } from "../reports/reported_worker.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { copyJob } from "../recurring/definition.ts";
import { fullName } from "../routing/route.ts";
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
import type { AppParts } from "./app_parts.ts";
import type { ReadLogOptions, TopicLogPage } from "./read_log.ts";
import { SKIP_COMMAND } from "./options.ts";

const listOfNames: Check = (value) =>
  Array.isArray(value) && value.every((name) => nonEmptyString(name) === null) ? null : "an array of queues";

const isPromise: Check = (value) => value instanceof Promise ? null : "a promise";

/** The default of the option `timeoutMs` of `app.status()`, in milliseconds. */
const STATUS_TIMEOUT_MS = 10_000;

/** Options of `app.skip()`. */
export interface SkipOptions {
  /** Whether the records before it that are not finished are skipped as well. @default false */
  readonly force?: boolean;
}

/** The operations of one App. */
export class Operations {
  readonly #parts: AppParts;
  #movement: Movement | undefined;
  #ticks: TickReader | undefined;

  constructor(parts: AppParts) {
    this.#parts = parts;
  }

  /** See `App.skip`. */
  async skip(position: Position, options: SkipOptions): Promise<void> {
    assertPosition("app.skip()", position);
    checkOptions("app.skip()", options, { force: boolean });
    const [route] = this.#parts.routes.select([position.topic]);
    const broker = await this.#parts.broker.ready();
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
    const { broker, dispatcher, topics, options: { name } } = this.#parts;
    await dispatcher.flush();
    const { admin } = await broker.ready();
    const { listScheduled } = await lazyImport(() => import("../scheduler/list_scheduled.ts"));
    return await listScheduled(admin, topics.scheduled, schedulerGroup(name), options);
  }

  /** See `App.cancelScheduled`. */
  async cancelScheduled(jobId: string): Promise<void> {
    checkOptions("app.cancelScheduled()", { jobId }, { jobId: nonEmptyString });
    await this.#parts.dispatcher.cancelScheduled(jobId);
  }

  /** See `App.recurring`. */
  async recurring(): Promise<RecurringJob[]> {
    const { broker, topics, options: { name, recurring, clock } } = this.#parts;
    const { admin } = await broker.ready();
    if (recurring.length === 0) return [];
    const [{ listRecurring }, { TickReader }] = await lazyImport(() =>
      Promise.all([
        import("../scheduler/recurring/list_recurring.ts"),
        import("../scheduler/recurring/tick_reader.ts"),
      ])
    );
    this.#ticks ??= new TickReader(topics.scheduled, schedulerGroup(name), recurring);
    const nowMs = clock.nowMs();
    return listRecurring(recurring, await this.#ticks.read(admin, nowMs), nowMs);
  }

  /** See `App.runRecurring`. */
  async runRecurring(id: string): Promise<Job> {
    const { enqueue, options: { recurring } } = this.#parts;
    const definition = recurring.find((each) => each.id === id);
    if (definition !== undefined) return await enqueue(copyJob(definition));
    const known = recurring.map((each) => each.id);
    throw new InvalidConfigurationError(`No recurring job has the id ${show(id)}${didYouMean(String(id), known)}`);
  }

  /** See `App.workers`. */
  async workers(): Promise<ReportedWorker[]> {
    const { broker, topics: { workers: topic }, options: { clock } } = this.#parts;
    if (topic === null) return [];
    const { admin } = await broker.ready();
    const { listWorkers } = await lazyImport(() => import("../reports/list_workers.ts"));
    const skipCommand = (position: Position) => `${SKIP_COMMAND} ${formatPosition(position)}`;
    return await listWorkers({ admin, topic, nowMs: clock.nowMs(), skipCommand });
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

  /** Makes the part that writes an operator's orders, if the App's workers take any. */
  async #control(caller: string): Promise<Control> {
    const { options, routes, topics, broker, dispatcher } = this.#parts;
    if (!options.control) {
      throw new InvalidConfigurationError(
        `${caller} has no effect, since no worker of "${options.name}" takes orders: set "control: true" in new App(), ` +
          `create the topic "${topics.control}" with "topics apply", and restart the workers`,
      );
    }
    const { Control } = await lazyImport(() => import("../control/control.ts"));
    return new Control({
      name: options.name,
      topic: topics.control,
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
    const { options: { name, broker: source, clock, control }, routes, topics, broker } = this.#parts;
    const selected = options.topics === undefined ? routes.all() : routes.select(options.topics);
    const [{ readStatus }, { Movement }] = await lazyImport(() =>
      Promise.all([import("../status/read_status.ts"), import("../status/movement.ts")])
    );
    this.#movement ??= new Movement();
    return await readStatus({
      name,
      brokerName: source.name,
      routes: selected,
      scheduledTopic: topics.scheduled,
      schedulerGroup: schedulerGroup(name),
      workers: topics.workers === null ? null : () => workers ?? this.workers(),
      pauses: control ? () => this.paused() : null,
      movement: this.#movement,
      broker: () => broker.ready(),
      nowMs: () => clock.nowMs(),
    }, { timeoutMs, command });
  }

  /** See `App.deadLetters`. */
  deadLetters(topic: string | undefined): DeadLetters {
    const { options, routes, broker, dispatcher } = this.#parts;
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
    const [route] = this.#parts.routes.select([queue]);
    const broker = await this.#parts.broker.ready();
    const { readLog } = await lazyImport(() => import("./read_log.ts"));
    return await readLog(broker, route!, options);
  }
}
