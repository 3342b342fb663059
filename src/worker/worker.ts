/**
 * A worker: performs the jobs of some topics until it is stopped. It owns what its partitions share (slots, intake, pace)
 * and one consumer a group, and it has four states:
 *
 *     new ──run──▶ running ──quiet──▶ quiet
 *      │              │                 │
 *      └───stop───────┴──────stop───────┴──▶ stopping ──▶ stopped
 *
 * Quiet takes no new job and keeps the partitions. Stopping lets running jobs finish, commits, leaves the group; what
 * does not end within `shutdownTimeoutMs` is asked to, and named in the report. A worker runs once.
 */
import type { Broker, Position } from "../broker/broker.ts";
import { describeError, InvalidConfigurationError, ShutdownError } from "../errors.ts";
import { lazily } from "../lazily.ts";
import type { JobInfo, RecordInfo } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import type { GroupConsumer, GroupConsumerOptions } from "./group_consumer.ts";
import type { WorkerContext } from "./group_context.ts";
import { Intake } from "./intake.ts";
import { Pacer } from "./pacer.ts";
import { Slots } from "./slots.ts";
import { within } from "./within.ts";

/** What a worker is made of. */
export interface WorkerOptions {
  readonly routes: readonly Route[];
  readonly shared: Pick<WorkerContext, "registry" | "monitor" | "currentAttributes" | "append" | "within">;
  /** Answers the broker, once it is sure that the topics exist. Rejects where the worker cannot start. */
  readonly prepare: (routes: readonly Route[]) => Promise<Broker>;
  /** The command that passes a record over. */
  readonly skipCommand: (position: Position) => string;
  /** How many jobs run at once. */
  readonly concurrency: number;
  readonly maxBufferedBytes: number;
  readonly maxFetchBytes: number;
  readonly sessionTimeoutMs: number;
  readonly commitIntervalMs: number;
  readonly shutdownTimeoutMs: number;
}

/** How a run ended. */
export interface WorkerReport {
  /** Jobs that did not end in time. */
  readonly unfinished: readonly JobInfo[];
  /** With `once`: the records at which partitions wait for an operator. */
  readonly stuck: readonly RecordInfo[];
}

/** How a worker runs. */
export interface RunOptions {
  /** Perform what is there now, then stop. @default false */
  readonly once?: boolean;
}

/** Commits, and leaving the group, take no longer each, in milliseconds: a broker that is away does not hold a stop. */
const CLOSE_MS = 5000;

/** Performs jobs. */
export class Worker implements AsyncDisposable {
  readonly #options: WorkerOptions;
  readonly #slots: Slots;
  readonly #context: WorkerContext;
  readonly #stopRequested = new AbortController();
  readonly #stopped = Promise.withResolvers<WorkerReport>();
  #state: "new" | "running" | "quiet" | "stopping" | "stopped" = "new";
  #hasRun = false;
  #groups: GroupConsumer[] = [];
  #stuck: readonly RecordInfo[] = [];
  #failure: Error | undefined;

  /** @internal */
  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#slots = new Slots(options.concurrency);
    this.#context = {
      ...options.shared,
      slots: this.#slots,
      intake: new Intake(options.maxBufferedBytes),
      pacer: new Pacer(),
      skipCommand: options.skipCommand,
      isStopping: () => this.#state === "stopping" || this.#state === "stopped",
    };
    // Whoever calls `run` hears of a failure; a worker that nobody runs must not make an unhandled rejection.
    this.#stopped.promise.catch(() => {});
  }

  /** The jobs that run now. */
  running(): JobInfo[] {
    return this.#groups.flatMap((group) => group.running());
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
    this.#hasRun = true;
    if (this.#context.isStopping()) return await this.#stopped.promise;
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
    for (const group of this.#groups) {
      group.quiet();
      this.#context.monitor.emit("worker.quieted", { group: group.group });
    }
  }

  /**
   * Stops: running jobs finish, are committed, and the worker leaves its group. It may be called at any time and often.
   *
   * @returns how it ended
   */
  stop(): Promise<WorkerReport> {
    if (this.#state !== "stopping" && this.#state !== "stopped") void this.#stop();
    return this.#stopped.promise;
  }

  /** Stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  async #start({ once = false }: RunOptions): Promise<void> {
    const { routes, prepare, concurrency } = this.#options;
    const { signal } = this.#stopRequested;
    // The loop is loaded by whoever performs; a process that only enqueues starts without it.
    const loop = lazily(() => Promise.all([import("./group_consumer.ts"), import("./drain.ts")]));
    const loading = Promise.all([prepare(routes), loop]);
    const loaded = await untilStopped(loading, signal);
    if (loaded === null) return;
    const [broker, [{ GroupConsumer }, { drained }]] = loaded;
    this.#groups = Array.from(
      Map.groupBy(routes, (route) => route.group),
      ([group, ofGroup]) => new GroupConsumer(broker, this.#context, this.#groupOptions(group, ofGroup)),
    );
    if (this.#state === "quiet") { for (const group of this.#groups) group.quiet(); }
    const joined = await untilStopped(Promise.all(this.#groups.map((group) => group.joined)), signal);
    if (joined === null) return;
    for (const { group } of this.#groups) {
      const topics = routes.filter((route) => route.group === group).map((route) => route.topic);
      this.#context.monitor.emit("worker.started", { group, topics, concurrency });
    }
    if (!once) return;
    // A question to a broker that is away may take long to fail.
    this.#stuck = await untilStopped(drained(broker, routes, this.#groups, signal), signal) ?? [];
    void this.stop();
  }

  #groupOptions(group: string, routes: readonly Route[]): GroupConsumerOptions {
    const { sessionTimeoutMs, maxFetchBytes, commitIntervalMs } = this.#options;
    const failed = (error: Error) => {
      this.#failure ??= error;
      this.#context.monitor.emit("error.occurred", {
        where: `consumer of group ${group}`,
        error: describeError(error),
      });
      void this.stop();
    };
    return { group, routes, sessionTimeoutMs, maxFetchBytes, commitIntervalMs, failed };
  }

  async #stop(): Promise<void> {
    const { monitor } = this.#context;
    const untilMs = performance.now() + this.#options.shutdownTimeoutMs;
    this.#state = "stopping";
    this.#stopRequested.abort();
    for (const group of this.#groups) {
      monitor.emit("worker.stopping", { group: group.group, running: group.running().length });
      group.stop();
    }
    await within(this.#slots.idle(), this.#options.shutdownTimeoutMs);
    const unfinished = this.running();
    const leftMs = Math.max(Math.min(untilMs - performance.now(), CLOSE_MS), 1000);
    const late = new ShutdownError(
      `The worker stops, and the job did not end within ${this.#options.shutdownTimeoutMs} ms`,
    );
    for (const group of this.#groups) group.abort(late);
    await Promise.all(this.#groups.map((group) => group.close(leftMs)));
    this.#context.pacer.stop();
    this.#state = "stopped";
    for (const { group } of this.#groups) monitor.emit("worker.stopped", { group, unfinished });
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
  return await Promise.race([promise, stopped]);
}
