/**
 * A worker performs the jobs of some topics until it is stopped. It has a state; its parts (`Engine`) exist once it has
 * its broker.
 *
 *     new ──run──▶ running ──quiet──▶ quiet
 *      │              │                 │
 *      └───stop───────┴──────stop───────┴──▶ stopping ──▶ stopped
 *
 * Quiet: starts no new job, keeps the partitions. Stopping: running jobs may finish, finished jobs are committed, the
 * group is left; a job that does not end within `shutdownTimeoutMs` is asked to end, and the report names it. A worker
 * runs once.
 */
import { nodeBuiltin } from "../support/node_builtin.ts";
import { describeError, InvalidConfigurationError } from "../errors.ts";
import type { RunningJob } from "../monitor/events.ts";
import { waitUntilAborted, waitUntilSettled } from "../support/deadline.ts";
import type { Route } from "../routing/route.ts";
import type { Position } from "../support/position.ts";
import { lazyImport, runInRootContext } from "../support/root_context.ts";
import { boolean, checkOptions, show } from "../support/validation.ts";
import type { WorkerConfig } from "./config.ts";
import type { Engine } from "./engine.ts";
import type { RunInWorkerContext } from "./partition/context.ts";
import type { LoadReporter, WorkerReporter } from "./reporter.ts";
import type { CreateScheduler } from "./scheduler.ts";
import type { GroupStatus, WorkerState, WorkerStatus } from "./status.ts";

/** The end of a run. */
export interface WorkerReport {
  /** The jobs that did not end in time. */
  readonly unfinished: readonly RunningJob[];
  /** With `once`: the records that wait for an operator, those of other workers included. */
  readonly stuck: readonly Position[];
}

/** Options of a run. */
export interface RunOptions {
  /** Perform what is there now, then stop. @default false */
  readonly once?: boolean;
}

/** Performs jobs. */
export class Worker implements AsyncDisposable {
  readonly #config: WorkerConfig;
  readonly #createScheduler: CreateScheduler | null;
  readonly #loadReporter: LoadReporter | null;
  readonly #stopRequested = new AbortController();
  readonly #stopped = Promise.withResolvers<WorkerReport>();
  #state: WorkerState = "new";
  #hasRun = false;
  #engine: Engine | undefined;
  #reporter: WorkerReporter | undefined;
  #stuck: readonly Position[] = [];
  #failure: Error | undefined;

  /**
   * @param createScheduler makes the part that releases delayed jobs; `null` if the worker has none
   * @param loadReporter loads the part that reports the worker; `null` if the worker has none
   * @internal
   */
  constructor(
    config: WorkerConfig,
    createScheduler: CreateScheduler | null,
    loadReporter: LoadReporter | null = null,
  ) {
    this.#config = config;
    this.#createScheduler = createScheduler;
    this.#loadReporter = loadReporter;
    // The caller of `run` gets the failure; without a caller it must not become an unhandled rejection.
    this.#stopped.promise.catch(() => {});
  }

  /** Whether it has stopped. */
  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** Returns the jobs that run now. */
  running(): RunningJob[] {
    return this.#engine?.running() ?? [];
  }

  /**
   * Returns its status: its state, its groups, what runs, and the progress of its partitions.
   *
   * @returns plain data, computed at the call
   * @example
   * ```ts
   * import { activeJobTopic, App } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * await using app = new App({ name: "shop", broker: "memory:", jobs: [], topics: [activeJobTopic("default")] });
   * const { state, groups } = app.worker().status();
   * assertEquals([state, groups.map(({ isJoined }) => isJoined)], ["new", [false]]);
   * ```
   */
  status(): WorkerStatus {
    const { routes, concurrency } = this.#config;
    return {
      state: this.#state,
      failure: this.#failure === undefined ? null : describeError(this.#failure),
      concurrency,
      groups: this.#engine?.status() ?? groupsBeforeStart(routes),
      scheduler: this.#engine?.schedulerStatus() ?? null,
    };
  }

  /**
   * Asks the broker for the ends of the partitions' logs, so that `status()` has the current lag instead of the lag at the
   * last fetch. If the broker does not respond, the values stay as they are.
   *
   * @param deadlineMs the longest time to wait, in milliseconds
   */
  async refreshLag(deadlineMs: number = 1000): Promise<void> {
    if (this.#engine !== undefined && !this.#isStopping) await waitUntilSettled(this.#engine.refreshLag(), deadlineMs);
  }

  /**
   * Performs jobs until it is stopped.
   *
   * @param signal stops the worker; if it is already aborted, nothing starts and the broker is not opened
   * @param options whether the worker ends by itself
   * @returns how it ended
   * @throws {InvalidConfigurationError} if it runs already, or has run
   * @throws {UnknownTopicError} if a topic of jobs does not exist
   * @throws {BrokerError} if the broker's client fails for good
   */
  async run(signal?: AbortSignal, options: RunOptions = {}): Promise<WorkerReport> {
    if (this.#hasRun) {
      throw new InvalidConfigurationError(`A worker runs once, but this one is ${this.#state}: make another`);
    }
    if (signal !== undefined && typeof signal?.addEventListener !== "function") {
      throw new InvalidConfigurationError(
        `The signal of run(signal, options) must be an AbortSignal, but it is ${show(signal)}`,
      );
    }
    checkOptions("run()", options, { once: boolean });
    this.#hasRun = true;
    if (signal?.aborted) void this.stop();
    if (this.#isStopping) return await this.#stopped.promise;
    if (this.#state === "new") this.#state = "running";
    const stop = () => void this.stop();
    signal?.addEventListener("abort", stop);
    try {
      await this.#start(options);
    } catch (error) {
      this.#fail(error as Error);
    }
    try {
      return await this.#stopped.promise;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Takes no new job, but keeps the partitions. */
  quiet(): void {
    if (this.#state !== "new" && this.#state !== "running") return;
    this.#state = "quiet";
    this.#engine?.quiet();
    this.#reporter?.report();
  }

  /**
   * Stops: running jobs finish and are committed, and the worker leaves its group. It may be called at any time, and more
   * than once.
   *
   * @returns how it ended
   */
  stop(): Promise<WorkerReport> {
    if (!this.#isStopping) void this.#stop();
    return this.#stopped.promise;
  }

  /** Stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  get #isStopping(): boolean {
    return this.#state === "stopping" || this.#state === "stopped";
  }

  async #start({ once = false }: RunOptions): Promise<void> {
    const { signal } = this.#stopRequested;
    const loading = Promise.all([
      this.#config.prepareBroker(this.#config.routes),
      lazyImport(() => import("./engine.ts")),
      this.#captureContext(),
      // A worker with `once` ends before another process could see it.
      once ? null : this.#loadReporter?.(),
    ]);
    const loaded = await waitUntilAborted(loading, signal);
    if (loaded === null) return;
    const [broker, { Engine }, runInWorkerContext, createReporter] = loaded;
    const scheduler = await this.#createScheduler?.(broker) ?? null;
    if (signal.aborted) return;
    // Before the first job: a topic may be paused.
    const control = await this.#config.createControl(broker, this.#config.routes);
    if (signal.aborted) return control?.close();
    const engine = this.#engine = new Engine({
      broker,
      config: this.#config,
      scheduler,
      control,
      runInWorkerContext,
      isStopping: () => this.#isStopping,
      onFailure: (error) => this.#fail(error),
    });
    if (this.#state === "quiet") engine.quiet();
    this.#reporter = createReporter?.(broker, () => this.status());
    await waitUntilAborted(engine.join(), signal);
    this.#reporter?.report();
    if (!once || signal.aborted) return;
    // A request to a broker that is offline may take long to fail.
    this.#stuck = await waitUntilAborted(engine.drain(signal), signal) ?? [];
    void this.stop();
  }

  /** Captures the context in which all jobs start: the App's scope, and nothing of the caller of `run`. */
  #captureContext(): Promise<RunInWorkerContext> {
    return new Promise((resolve) =>
      runInRootContext(() =>
        this.#config.runInAppScope(() => resolve(nodeBuiltin("node:async_hooks").AsyncLocalStorage.snapshot()))
      )
    );
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    void this.stop();
  }

  async #stop(): Promise<void> {
    this.#state = "stopping";
    this.#stopRequested.abort();
    this.#reporter?.report();
    let unfinished: readonly RunningJob[] = [];
    try {
      unfinished = await this.#engine?.stop() ?? [];
    } catch (error) {
      this.#failure ??= error as Error;
    }
    this.#state = "stopped";
    await this.#reporter?.close();
    if (this.#failure !== undefined) this.#stopped.reject(this.#failure);
    else this.#stopped.resolve({ unfinished, stuck: this.#stuck });
  }
}

/** Returns the status of the groups of a worker that has no consumer yet. */
function groupsBeforeStart(routes: readonly Route[]): GroupStatus[] {
  return Array.from(Map.groupBy(routes, (route) => route.group), ([group, ofGroup]) => ({
    group,
    topics: ofGroup.map(({ topic }) => topic),
    isJoined: false,
    isSessionValid: false,
    stalledMs: null,
    running: [],
    partitions: [],
  }));
}
