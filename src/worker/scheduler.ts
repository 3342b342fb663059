/**
 * The part of a worker that releases delayed jobs, as the worker sees it: one more consumer group, whose partitions another
 * module handles. It shares nothing with the jobs but the broker: it holds no slot, goes on while the worker is quiet, and
 * leaves its group at once when the worker stops.
 */
import type { Broker } from "../broker/broker.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { GroupPlan } from "./group_plan.ts";
import type { GroupStatus, SchedulerStatus } from "./status.ts";

/** See the module. */
export interface WorkerScheduler {
  readonly plan: GroupPlan;
  /** Receives the events of its group. */
  readonly monitor: Monitor;

  /** Returns its status. */
  status(group: GroupStatus): SchedulerStatus;

  /** Resolves once everything is released that is due at the call, whichever worker does it. */
  releaseDue(signal: AbortSignal): Promise<void>;
}

/** Makes the scheduler of a worker. */
export type CreateScheduler = (broker: Broker) => Promise<WorkerScheduler>;
