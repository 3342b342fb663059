/** The references that partitions share: put together once for each worker and once for each group. */
import type { Consumer } from "../../broker/broker.ts";
import type { WaitGroup } from "../../support/wait_group.ts";
import type { WorkerConfig } from "../config.ts";
import type { WorkerControl } from "../control.ts";
import type { EventLoopYield } from "../event_loop_yield.ts";
import type { Limits } from "../limits/limits.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import type { Semaphore } from "../semaphore.ts";
import type { UnknownClasses } from "../unknown_classes.ts";
import type { Committer } from "./committer.ts";
import type { StartCondition } from "./start_condition.ts";

/**
 * Calls a function in the context in which all jobs of a worker start. A broker calls from whatever context it was woken
 * in, for example that of the request that enqueued a job.
 */
export type RunInWorkerContext = <T>(fn: () => T) => T;

/** The references that all partitions of a worker share. */
export interface WorkerContext {
  readonly config: WorkerConfig;
  /** The limits of topics that have some. */
  readonly limits: Limits;
  /** An operator's orders. */
  readonly control: WorkerControl;
  readonly semaphore: Semaphore;
  readonly memoryBudget: MemoryBudget;
  readonly eventLoopYield: EventLoopYield;
  /**
   * Outcomes that are being settled: the job has ended but is not yet marked, scheduled for retry or dead-lettered. They
   * hold no slot, so that a dead letter topic that is offline does not block other partitions; a stop waits for them.
   */
  readonly settling: WaitGroup;
  readonly unknownClasses: UnknownClasses;
  readonly runInWorkerContext: RunInWorkerContext;
  /** Whether the worker is stopping: nothing new starts. */
  readonly isStopping: () => boolean;
  /** Reports an error after which the worker cannot continue. `where`: the part that failed. */
  readonly reportFailure: (where: string, error: Error) => void;
}

/** The references that all partitions of a group share. */
export interface GroupContext extends WorkerContext {
  /** The group's name. */
  readonly group: string;
  readonly consumer: Consumer;
  readonly startCondition: StartCondition;
  readonly committer: Committer;
  /** The longest metadata of a commit, in characters. It shrinks where the broker accepts less than it should. */
  readonly metadataLimit: { maxLength: number };
}
