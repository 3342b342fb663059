/**
 * The consumer group that releases delayed jobs, in a worker. Its outcomes and its events are its own: those of the groups of
 * jobs say nothing about it.
 */
import type { Broker } from "../broker/broker.ts";
import { waitUntilSettled } from "../support/deadline.ts";
import { WaitGroup } from "../support/wait_group.ts";
import { GroupConsumer } from "./group_consumer.ts";
import type { WorkerContext } from "./partition/context.ts";
import type { WorkerScheduler } from "./scheduler.ts";
import type { SchedulerStatus } from "./status.ts";

/**
 * The bytes of one fetch: a million jobs are read at the start, and their values are dropped at once. With half of it, SQLite
 * measures jobs of 500 bytes before it reads them, which takes a fifth longer (measured).
 */
const MAX_FETCH_BYTES = 512 * 1024;

/** See the module. */
export class SchedulerGroup {
  readonly #scheduler: WorkerScheduler;
  readonly #consumer: GroupConsumer;
  readonly #settling = new WaitGroup();

  constructor(broker: Broker, worker: WorkerContext, scheduler: WorkerScheduler) {
    this.#scheduler = scheduler;
    const { maxFetchBytes } = worker.config;
    const config = {
      ...worker.config,
      monitor: scheduler.monitor,
      maxFetchBytes: Math.min(maxFetchBytes, MAX_FETCH_BYTES),
    };
    this.#consumer = new GroupConsumer(broker, { ...worker, config, settling: this.#settling }, scheduler.plan);
  }

  /** Returns its state. */
  status(): SchedulerStatus {
    return this.#scheduler.status(this.#consumer.status());
  }

  /** Resolves once everything is released that is due at the call. */
  releaseDue(signal: AbortSignal): Promise<void> {
    return this.#scheduler.releaseDue(signal);
  }

  /** Releases nothing more, finishes what has begun, commits it and leaves the group, within a deadline in milliseconds. */
  async close(deadlineMs: number): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    this.#consumer.stop();
    await waitUntilSettled(this.#settling.whenEmpty(), deadlineMs / 2);
    await this.#consumer.close(endMs - performance.now());
  }
}
