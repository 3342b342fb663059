/**
 * The parts of a running worker: what all its partitions share (slots, memory budget, event loop), and one consumer for
 * each group. It exists from the moment at which the worker has its broker until the worker has stopped.
 *
 * It is imported by the first worker that runs: a program that only enqueues never loads it.
 */
import type { Broker } from "../broker/broker.ts";
import { ShutdownError } from "../errors.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import { waitUntilSettled } from "../support/deadline.ts";
import type { Position } from "../support/position.ts";
import { WaitGroup } from "../support/wait_group.ts";
import type { WorkerConfig } from "./config.ts";
import { NO_CONTROL, type WorkerControl } from "./control.ts";
import { drain } from "./drain.ts";
import { EventLoopYield } from "./event_loop_yield.ts";
import { GroupConsumer } from "./group_consumer.ts";
import type { GroupPlan } from "./group_plan.ts";
import { Limits } from "./limits/limits.ts";
import { MemoryBudget } from "./memory_budget.ts";
import type { RunInWorkerContext, WorkerContext } from "./partition/context.ts";
import { createLagRefresh } from "./partition/lag.ts";
import { Partition } from "./partition/partition.ts";
import { Semaphore } from "./semaphore.ts";
import { SchedulerGroup } from "./scheduler_group.ts";
import type { WorkerScheduler } from "./scheduler.ts";
import type { GroupStatus, SchedulerStatus } from "./status.ts";
import { UnknownClasses } from "./unknown_classes.ts";

/** The worker's side of an engine. */
export interface EngineOptions {
  readonly broker: Broker;
  readonly config: WorkerConfig;
  /** The part that releases delayed jobs; `null` for none. */
  readonly scheduler: WorkerScheduler | null;
  /** The part that knows an operator's orders; `null` for none. */
  readonly control: WorkerControl | null;
  readonly runInWorkerContext: RunInWorkerContext;
  /** Whether the worker is stopping: nothing new starts. */
  readonly isStopping: () => boolean;
  /** Called with an error after which the worker cannot continue. */
  readonly onFailure: (error: Error) => void;
}

/** The time for commits and for leaving the groups after the jobs have ended, in milliseconds. */
const MAX_CLOSE_MS = 5000;
const MIN_CLOSE_MS = 1000;

/** See the module. */
export class Engine {
  readonly #broker: Broker;
  readonly #config: WorkerConfig;
  readonly #context: WorkerContext;
  readonly #onFailure: (error: Error) => void;
  readonly #groups: readonly GroupConsumer[];
  readonly #scheduler: SchedulerGroup | null;
  /** Asks the broker for the ends of the logs. It never rejects. */
  readonly refreshLag: () => Promise<void>;

  constructor({ broker, config, scheduler, control, runInWorkerContext, isStopping, onFailure }: EngineOptions) {
    this.#broker = broker;
    this.#config = config;
    this.#onFailure = onFailure;
    this.#context = {
      config,
      control: control ?? NO_CONTROL,
      limits: new Limits(config),
      semaphore: new Semaphore(config.concurrency),
      memoryBudget: new MemoryBudget(config.maxBufferedBytes),
      eventLoopYield: new EventLoopYield(),
      settling: new WaitGroup(),
      unknownClasses: new UnknownClasses(),
      runInWorkerContext,
      isStopping,
      reportFailure: (where, error) => this.#reportFailure(where, error),
    };
    const byGroup = Map.groupBy(config.routes, (route) => route.group);
    this.#groups = Array.from(
      byGroup,
      ([group, routes]) => new GroupConsumer(broker, this.#context, planOf(group, routes)),
    );
    this.#scheduler = scheduler === null ? null : new SchedulerGroup(broker, this.#context, scheduler);
    this.refreshLag = createLagRefresh(broker.admin, () => this.#groups.flatMap((group) => group.partitions()));
  }

  /** Returns the jobs that run. */
  running(): RunningJob[] {
    return this.#groups.flatMap((group) => group.running());
  }

  /** Returns the state of each group. */
  status(): GroupStatus[] {
    return this.#groups.map((group) => group.status());
  }

  /** Returns the state of the part that releases delayed jobs; `null` if there is none. */
  schedulerStatus(): SchedulerStatus | null {
    return this.#scheduler?.status() ?? null;
  }

  /** Resolves once every group of jobs is joined. */
  async join(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.joined));
    if (this.#context.isStopping()) return;
    const { monitor, routes, concurrency } = this.#config;
    for (const consumer of this.#groups) {
      const { group } = consumer;
      const topics = routes.filter((route) => route.group === group).map((route) => route.topic);
      monitor.emit("worker.started", { group, topics, concurrency, partitions: consumer.partitions().length });
    }
  }

  /**
   * Waits until everything that is in the log now is performed, and the delayed jobs that are due now.
   *
   * @param signal ends the wait
   * @returns the records that wait for an operator
   */
  async drain(signal: AbortSignal): Promise<Position[]> {
    await this.#scheduler?.releaseDue(signal);
    const { routes, sessionTimeoutMs } = this.#config;
    const { control } = this.#context;
    return await drain({ broker: this.#broker, routes, groups: this.#groups, control, sessionTimeoutMs }, signal);
  }

  /** Starts no job any more, and keeps the partitions. */
  quiet(): void {
    for (const group of this.#groups) {
      group.quiet();
      this.#config.monitor.emit("worker.quieted", { group: group.group });
    }
  }

  /**
   * Stops.
   *
   * 1. Jobs may run for `shutdownTimeoutMs`.
   * 2. The others are asked to end.
   * 3. Outcomes are settled and committed, and the groups are left, within a short deadline whatever the broker does.
   *
   * @returns the jobs that did not end in time
   */
  async stop(): Promise<readonly RunningJob[]> {
    const { semaphore, eventLoopYield, settling } = this.#context;
    const { monitor, shutdownTimeoutMs } = this.#config;
    const untilMs = performance.now() + shutdownTimeoutMs;
    this.#context.control.close();
    // At once, while jobs still run: another worker goes on with what is due.
    const closing = this.#scheduler?.close(MAX_CLOSE_MS);
    for (const group of this.#groups) {
      monitor.emit("worker.stopping", { group: group.group, running: group.running().length, shutdownTimeoutMs });
      group.stop();
    }
    await waitUntilSettled(semaphore.idle(), shutdownTimeoutMs);
    const unfinished = this.running();
    const reason = new ShutdownError(`The worker stops, and the job did not end within ${shutdownTimeoutMs} ms`);
    for (const group of this.#groups) group.abort(reason);
    const closeMs = Math.max(Math.min(untilMs - performance.now(), MAX_CLOSE_MS), MIN_CLOSE_MS);
    const endMs = performance.now() + closeMs;
    await waitUntilSettled(settling.whenEmpty(), closeMs / 2);
    await Promise.all([closing, ...this.#groups.map((group) => group.close(endMs - performance.now()))]);
    eventLoopYield.stop();
    for (const { group } of this.#groups) monitor.emit("worker.stopped", { group, unfinished });
    return unfinished;
  }

  #reportFailure(where: string, error: Error): void {
    this.#config.monitor.reportError(where, error);
    this.#onFailure(error);
  }
}

/** Returns the group of some topics of jobs. */
function planOf(group: string, routes: readonly Route[]): GroupPlan {
  const byTopic = new Map(routes.map((route) => [route.topic, route]));
  return {
    group,
    topics: [...byTopic.keys()],
    maxPayloadBytes: Math.max(...routes.map((route) => route.maxPayloadBytes)),
    createHandler: (ownership, context) => new Partition(ownership, byTopic.get(ownership.topic)!, context),
  };
}
