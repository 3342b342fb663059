/**
 * The workers of an App in this process. It makes each from the options and the parts of the App, and stops them when the App
 * is closed. A worker opens the broker and loads its further parts (orders, reports, delayed jobs) when it runs.
 */
import type { Broker } from "../broker/broker.ts";
import type { Route } from "../routing/route.ts";
import { formatPosition } from "../support/position.ts";
import { lazyImport } from "../support/root_context.ts";
import { boolean, checkOptions, integerFrom, nonEmptyString } from "../support/validation.ts";
import type { WorkerConfig } from "../worker/config.ts";
import type { WorkerControl } from "../worker/control.ts";
import type { CreateReporter } from "../worker/reporter.ts";
import type { WorkerScheduler } from "../worker/scheduler.ts";
import { Worker } from "../worker/worker.ts";
import type { AppParts } from "./app_parts.ts";
import { SKIP_COMMAND } from "./options.ts";

/** The time between two readings of the control topic, in ms. In the process, a reading takes some microseconds. */
const EMBEDDED_CONTROL_MS = 200;
const CONTROL_MS = 1000;

/** Options of `app.worker()`. */
export interface WorkerSettings {
  /** The queues of the worker, without the App's prefix. @default all */
  readonly topics?: readonly string[];
  /** Most jobs that run at once. @default the App's */
  readonly concurrency?: number;
  /** Whether missing topics are created before the start. @default false; embedded brokers always do */
  readonly createTopics?: boolean;
  /**
   * Whether the worker takes part in releasing delayed jobs. Without any worker that does, none is released.
   *
   * @default true
   */
  readonly scheduler?: boolean;
  /**
   * The command line that `partition.paused` shows for skipping a record.
   *
   * @default "deno run -A jsr:@activejob/kafka/cli skip --app app.ts"
   */
  readonly command?: string;
}

/** Options that a test sets for its workers. */
export type TestConfig = Pick<WorkerConfig, "interruptReason" | "maxRetryWaitMs"> & {
  /** Whether recurring jobs are enqueued. @default true */
  readonly isRecurring?: boolean;
};

/** The workers of one App. */
export class AppWorkers {
  readonly #parts: AppParts;
  readonly #workers = new Set<Worker>();

  constructor(parts: AppParts) {
    this.#parts = parts;
  }

  /** See `App.worker`. */
  create(settings: WorkerSettings, { isRecurring = true, ...testConfig }: TestConfig): Worker {
    checkWorkerSettings(settings);
    const { options, routes, topics, registry, monitor, tracing, codec, dispatcher, run } = this.#parts;
    const { clock } = options;
    const config: WorkerConfig = {
      routes: settings.topics === undefined ? routes.all() : routes.select(settings.topics),
      registry,
      monitor,
      tracing,
      codec,
      concurrency: settings.concurrency ?? options.concurrency,
      maxBufferedBytes: options.maxBufferedBytes,
      maxFetchBytes: options.maxFetchBytes,
      sessionTimeoutMs: options.sessionTimeoutMs,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      commitIntervalMs: options.commitIntervalMs,
      shutdownTimeoutMs: options.shutdownTimeoutMs,
      prepareBroker: (routes) => this.#prepareBroker(routes, settings.createTopics ?? false),
      createControl: (broker, routes) => this.#createControl(broker, routes),
      append: (topic, record) => dispatcher.append(topic, record),
      schedule: (record, schedule) => dispatcher.schedule(record, schedule),
      nowMs: () => clock.nowMs(),
      callAt: (timeMs, fn) => clock.callAt(timeMs, fn),
      ...testConfig,
      skipCommand: (position) => `${settings.command ?? SKIP_COMMAND} ${formatPosition(position)}`,
      runInAppScope: run,
    };
    const createScheduler = settings.scheduler === false
      ? null
      : (broker: Broker) => this.#createScheduler(broker, isRecurring);
    const { workers: topic } = topics;
    const loadReporter = topic === null ? null : () => this.#loadReporter(topic);
    const worker = new Worker(Object.freeze(config), createScheduler, loadReporter);
    for (const earlier of this.#workers) if (earlier.isStopped) this.#workers.delete(earlier);
    this.#workers.add(worker);
    return worker;
  }

  /** Stops all of them. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#workers, (worker) => worker[Symbol.asyncDispose]()));
  }

  /** Opens the broker and checks the topics. A missing dead letter topic is only reported. */
  async #prepareBroker(routes: readonly Route[], createTopics: boolean): Promise<Broker> {
    const { monitor } = this.#parts;
    const { broker, missing } = await this.#parts.broker.prepare(routes, createTopics);
    for (const topic of missing) {
      monitor.reportError(
        "start",
        new Error(
          `The dead letter topic "${topic}" does not exist: create it with "topics apply", or failed jobs wait`,
        ),
      );
    }
    return broker;
  }

  /** Makes the part of a worker that knows an operator's orders, if the App's workers take any. */
  async #createControl({ admin }: Broker, routes: readonly Route[]): Promise<WorkerControl | null> {
    const { options: { broker, clock, control }, topics, monitor } = this.#parts;
    if (!control) return null;
    const { FollowedControl } = await lazyImport(() => import("../control/worker_control.ts"));
    return await FollowedControl.start({
      admin,
      topic: topics.control,
      topics: routes.map((route) => route.topic),
      monitor,
      nowMs: () => clock.nowMs(),
      intervalMs: broker.embedded === true ? EMBEDDED_CONTROL_MS : CONTROL_MS,
    });
  }

  /** Makes the part of a worker that releases delayed jobs. */
  async #createScheduler(broker: Broker, isRecurring: boolean): Promise<WorkerScheduler> {
    const { createScheduler } = await lazyImport(() => import("./create_scheduler.ts"));
    return await createScheduler(broker, this.#parts, isRecurring);
  }

  /** Loads the part of a worker that reports it in a topic. */
  async #loadReporter(topic: string): Promise<CreateReporter> {
    const { monitor, options: { clock } } = this.#parts;
    const { Reporter } = await lazyImport(() => import("../reports/reporter.ts"));
    return (broker, status) => new Reporter({ broker, status, topic, monitor, clock });
  }
}

/**
 * Checks the settings of a worker.
 *
 * @throws {InvalidConfigurationError} for the first wrong setting
 */
export function checkWorkerSettings(settings: WorkerSettings): void {
  checkOptions("app.worker()", settings, {
    topics: (value) =>
      Array.isArray(value) && value.length > 0 && value.every((queue) => nonEmptyString(queue) === null)
        ? null
        : "an array of queues that is not empty",
    concurrency: integerFrom(1),
    createTopics: boolean,
    scheduler: boolean,
    command: nonEmptyString,
  });
}
