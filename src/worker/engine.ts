/**
 * What a running worker is made of: the slots, the intake and the pace that all its partitions share, and one consumer a
 * group. It is made once the worker has its broker, and ends with the worker's stop.
 *
 * It is loaded by whoever performs: a process that only enqueues starts without the loop.
 */
import type { Broker } from "../broker/broker.ts";
import { describeError, ShutdownError } from "../errors.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import { drained } from "./drain.ts";
import { GroupConsumer } from "./group_consumer.ts";
import type { WorkerContext } from "./partition/context.ts";
import { MemoryBudget } from "./memory_budget.ts";
import { lagRefresher } from "./partition/lag.ts";
import { EventLoopYield } from "./event_loop_yield.ts";
import { Semaphore } from "./semaphore.ts";
import type { GroupStatus } from "./status.ts";
import { WaitGroup } from "../support/wait_group.ts";
import { settledWithin } from "../support/deadline.ts";
import type { Position } from "../support/position.ts";

/** What a crew is made of. */
export interface EngineOptions {
  readonly routes: readonly Route[];
  readonly shared: Omit<
    WorkerContext,
    "semaphore" | "memoryBudget" | "eventLoopYield" | "settling" | "failed" | "sessionTimeoutMs"
  >;
  /** How many jobs run at once. */
  readonly concurrency: number;
  readonly maxBufferedBytes: number;
  readonly maxFetchBytes: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly commitIntervalMs: number;
  readonly shutdownTimeoutMs: number;
  /** A consumer will not come back by itself. */
  readonly failed: (error: Error) => void;
}

/** What follows the jobs' end takes no longer, in milliseconds: a broker that is away does not hold a stop. */
const CLOSE_MS = 5000;
/** It gets this long in any case, in milliseconds. */
const LEAST_CLOSE_MS = 1000;

/** A running worker's parts. */
export class Engine {
  readonly #broker: Broker;
  readonly #options: EngineOptions;
  readonly #context: WorkerContext;
  readonly #groups: readonly GroupConsumer[];
  /** Asks the broker where the logs end. It never rejects. */
  readonly refreshLag: () => Promise<void>;

  constructor(broker: Broker, options: EngineOptions) {
    const { routes, shared, concurrency, maxBufferedBytes, sessionTimeoutMs } = options;
    this.#broker = broker;
    this.#options = options;
    this.#context = {
      ...shared,
      sessionTimeoutMs,
      semaphore: new Semaphore(concurrency),
      memoryBudget: new MemoryBudget(maxBufferedBytes),
      eventLoopYield: new EventLoopYield(),
      settling: new WaitGroup(),
      failed: (error) => this.#fail("worker", error),
    };
    const byGroup = Map.groupBy(routes, (route) => route.group);
    this.#groups = Array.from(byGroup, ([group, ofGroup]) => this.#consume(group, ofGroup));
    this.refreshLag = lagRefresher(broker.admin, () => this.#groups.flatMap((group) => group.partitions()));
  }

  /** The jobs that run. */
  running(): RunningJob[] {
    return this.#groups.flatMap((group) => group.running());
  }

  /** What there is to say of its groups now. */
  status(): GroupStatus[] {
    return this.#groups.map((group) => group.status());
  }

  /** Resolves once every group is joined. */
  async joined(): Promise<void> {
    await Promise.all(this.#groups.map((group) => group.joined));
    if (this.#context.isStopping()) return;
    const { routes, concurrency } = this.#options;
    for (const consumer of this.#groups) {
      const { group } = consumer;
      const topics = routes.filter((route) => route.group === group).map((route) => route.topic);
      this.#context.monitor.emit("worker.started", {
        group,
        topics,
        concurrency,
        partitions: consumer.partitions().length,
      });
    }
  }

  /** Resolves once what is there now is performed. @returns the records at which partitions wait for an operator */
  drained(signal: AbortSignal): Promise<Position[]> {
    return drained(this.#broker, this.#options.routes, this.#groups, signal);
  }

  /** No job starts any more. */
  quiet(): void {
    for (const group of this.#groups) {
      group.quiet();
      this.#context.monitor.emit("worker.quieted", { group: group.group });
    }
  }

  /** Waits for the running jobs, commits, and leaves the groups. @returns the jobs that did not end in time */
  async stop(): Promise<readonly RunningJob[]> {
    const { monitor, semaphore, eventLoopYield, settling } = this.#context;
    const { shutdownTimeoutMs } = this.#options;
    const untilMs = performance.now() + shutdownTimeoutMs;
    for (const group of this.#groups) {
      monitor.emit("worker.stopping", { group: group.group, running: group.running().length, shutdownTimeoutMs });
      group.stop();
    }
    await settledWithin(semaphore.idle(), shutdownTimeoutMs);
    const unfinished = this.running();
    const late = new ShutdownError(`The worker stops, and the job did not end within ${shutdownTimeoutMs} ms`);
    for (const group of this.#groups) group.abort(late);
    const closeMs = Math.max(Math.min(untilMs - performance.now(), CLOSE_MS), LEAST_CLOSE_MS);
    const endMs = performance.now() + closeMs;
    await settledWithin(settling.empty(), closeMs / 2);
    await Promise.all(this.#groups.map((group) => group.close(endMs - performance.now())));
    eventLoopYield.stop();
    for (const { group } of this.#groups) monitor.emit("worker.stopped", { group, unfinished });
    return unfinished;
  }

  #consume(group: string, routes: readonly Route[]): GroupConsumer {
    const { sessionTimeoutMs, heartbeatIntervalMs, maxFetchBytes, commitIntervalMs } = this.#options;
    const failed = (error: Error) => this.#fail(`consumer of group ${group}`, error);
    const options = { group, routes, sessionTimeoutMs, heartbeatIntervalMs, maxFetchBytes, commitIntervalMs, failed };
    return new GroupConsumer(this.#broker, this.#context, options);
  }

  #fail(where: string, error: Error): void {
    this.#context.monitor.emit("error.occurred", { where, error: describeError(error) });
    this.#options.failed(error);
  }
}
