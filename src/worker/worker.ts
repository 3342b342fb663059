/**
 * A worker: performs the jobs of some topics until it is stopped. It has a state; what does the work, its crew, is there
 * once it has its broker.
 *
 *     new ──run──▶ running ──quiet──▶ quiet
 *      │              │                 │
 *      └───stop───────┴──────stop───────┴──▶ stopping ──▶ stopped
 *
 * Quiet takes no new job and keeps the partitions. Stopping lets running jobs finish, commits, leaves the group; what
 * does not end within `shutdownTimeoutMs` is asked to, and named in the report. A worker runs once.
 */
import type { Broker } from "../broker/broker.ts";
import { describeError, InvalidConfigurationError } from "../errors.ts";
import { lazyImport } from "../support/lazy_import.ts";
import { boolean, checkOptions, show } from "../support/validation.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import { settledWithin } from "../support/deadline.ts";
import type { Engine, EngineOptions } from "./engine.ts";
import { groupsBeforeTheStart, type WorkerState, type WorkerStatus } from "./status.ts";
import type { Position } from "../support/position.ts";

/** What a worker is made of. */
export interface WorkerOptions extends Omit<EngineOptions, "shared" | "failed"> {
  readonly shared: Omit<EngineOptions["shared"], "isStopping">;
  /** Answers the broker, once it is sure that the topics exist. Rejects where the worker cannot start. */
  readonly prepare: (routes: readonly Route[]) => Promise<Broker>;
}

/** How a run ended. */
export interface WorkerReport {
  /** Jobs that did not end in time. */
  readonly unfinished: readonly RunningJob[];
  /** With `once`: the records at which partitions wait for an operator. */
  readonly stuck: readonly Position[];
}

/** How a worker runs. */
export interface RunOptions {
  /** Perform what is there now, then stop. @default false */
  readonly once?: boolean;
}

/** Performs jobs. */
export class Worker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #stopRequested = new AbortController();
  readonly #stopped = Promise.withResolvers<WorkerReport>();
  #state: WorkerState = "new";
  #hasRun = false;
  #engine: Engine | undefined;
  #stuck: readonly Position[] = [];
  #failure: Error | undefined;

  /** @internal */
  constructor(options: WorkerOptions) {
    this.#options = options;
    // Whoever calls `run` hears of a failure; a worker that nobody runs must not make an unhandled rejection.
    this.#stopped.promise.catch(() => {});
  }

  /** Whether it has stopped. */
  get isStopped(): boolean {
    return this.#state === "stopped";
  }

  /** The jobs that run now. */
  running(): RunningJob[] {
    return this.#engine?.running() ?? [];
  }

  /**
   * What there is to say of it now: its state, its groups, what runs, and how far its partitions are.
   *
   * @returns plain data, made when it is asked for
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
    const { routes, concurrency } = this.#options;
    return {
      state: this.#state,
      failure: this.#failure === undefined ? null : describeError(this.#failure),
      concurrency,
      groups: this.#engine?.status() ?? groupsBeforeTheStart(routes),
    };
  }

  /**
   * Asks the broker where the logs of its partitions end, so that `status()` tells their lag as it is, and not as it was at
   * the last fetch. Where the broker does not answer, what is known stays.
   *
   * @param deadlineMs how long to wait, in milliseconds
   */
  async refreshLag(deadlineMs: number = 1000): Promise<void> {
    if (this.#engine !== undefined && !this.#isStopping) await settledWithin(this.#engine.refreshLag(), deadlineMs);
  }

  /**
   * Performs jobs until it is stopped.
   *
   * @param signal stops the worker
   * @param options whether it ends by itself
   * @returns how it ended
   * @throws {InvalidConfigurationError} if it runs already, or has run
   * @throws {UnknownTopicError} if a topic of jobs does not exist
   * @throws {BrokerError} if the broker's client gives up for good
   */
  async run(signal?: AbortSignal, options: RunOptions = {}): Promise<WorkerReport> {
    if (this.#hasRun) {
      throw new InvalidConfigurationError(`A worker runs once, but this one is ${this.#state}: make another`);
    }
    if (signal !== undefined && typeof signal.addEventListener !== "function") {
      throw new InvalidConfigurationError(
        `The signal of run(signal, options) must be an AbortSignal, but it is ${show(signal)}`,
      );
    }
    checkOptions("run()", options, { once: boolean });
    this.#hasRun = true;
    if (this.#isStopping) return await this.#stopped.promise;
    if (this.#state === "new") this.#state = "running";
    const stop = () => void this.stop();
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop);
    try {
      await this.#start(options);
    } catch (error) {
      this.#failure ??= error as Error;
      stop();
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
  }

  /**
   * Stops: running jobs finish, are committed, and the worker leaves its group. It may be called at any time and often.
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
    const { routes, prepare, shared } = this.#options;
    const { signal } = this.#stopRequested;
    const loading = Promise.all([prepare(routes), lazyImport(() => import("./engine.ts"))]);
    const loaded = await untilStopped(loading, signal);
    if (loaded === null) return;
    const [broker, { Engine }] = loaded;
    const crew = this.#engine = new Engine(broker, {
      ...this.#options,
      shared: { ...shared, isStopping: () => this.#isStopping },
      failed: (error) => {
        this.#failure ??= error;
        void this.stop();
      },
    });
    if (this.#state === "quiet") crew.quiet();
    await untilStopped(crew.joined(), signal);
    if (!once || signal.aborted) return;
    // A question to a broker that is away may take long to fail.
    this.#stuck = await untilStopped(crew.drained(signal), signal) ?? [];
    void this.stop();
  }

  async #stop(): Promise<void> {
    this.#state = "stopping";
    this.#stopRequested.abort();
    let unfinished: readonly RunningJob[] = [];
    try {
      unfinished = await this.#engine?.stop() ?? [];
    } catch (error) {
      this.#failure ??= error as Error;
    }
    this.#state = "stopped";
    if (this.#failure !== undefined) this.#stopped.reject(this.#failure);
    else this.#stopped.resolve({ unfinished, stuck: this.#stuck });
  }
}

/** Waits for a promise, but not beyond a stop. @returns `null` where that came first */
async function untilStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  // What is not waited for any more may fail as it likes.
  promise.catch(() => {});
  if (signal.aborted) return null;
  const { promise: stopped, resolve } = Promise.withResolvers<null>();
  signal.addEventListener("abort", () => resolve(null), { once: true });
  const first = await Promise.race([promise, stopped]);
  // Both may have come at once.
  return signal.aborted ? null : first;
}
