/**
 * What the partitions of one group share: the surroundings in which an owned partition works. Plain references, put
 * together once by the group's consumer.
 */
import type { Consumer } from "../../broker/broker.ts";
import type { AnyCurrentAttributes } from "../../job/current_attributes.ts";
import type { JobRegistry } from "../../job/registry.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { Tracing } from "../../monitor/tracing.ts";
import type { Committer } from "./committer.ts";
import type { Append } from "./dead_letter.ts";
import type { StartCondition } from "./start_condition.ts";
import type { MemoryBudget } from "../memory_budget.ts";
import type { EventLoopYield } from "../event_loop_yield.ts";
import type { Semaphore } from "../semaphore.ts";
import type { WaitGroup } from "../../support/wait_group.ts";
import type { Position } from "../../support/position.ts";

/** What all partitions of a worker share. */
export interface WorkerContext {
  readonly registry: JobRegistry;
  readonly monitor: Monitor;
  readonly tracing: Tracing;
  readonly currentAttributes: readonly AnyCurrentAttributes[];
  readonly semaphore: Semaphore;
  readonly memoryBudget: MemoryBudget;
  readonly eventLoopYield: EventLoopYield;
  readonly settling: WaitGroup;
  /** Without a sign of life for so long, the group gives a worker's partitions to others. */
  readonly sessionTimeoutMs: number;
  /** Appends a dead letter. */
  readonly append: Append;
  /** The command that passes a record over, as an operator types it. */
  readonly skipCommand: (position: Position) => string;
  /** Calls a function in the worker's own context: a broker calls from whatever context it was woken in. */
  readonly inWorkerContext: <T>(fn: () => T) => T;
  /** A fault of the worker's own: it cannot go on. */
  readonly failed: (error: Error) => void;
  /** Whether the worker is stopping: nothing new begins. */
  readonly isStopping: () => boolean;
}

/** What all partitions of a group share. */
export interface GroupContext extends WorkerContext {
  /** The longest commit metadata, in characters. */
  readonly maxMetadataLength: number;
  readonly group: string;
  readonly consumer: Consumer;
  readonly startCondition: StartCondition;
  readonly committer: Committer;
}
