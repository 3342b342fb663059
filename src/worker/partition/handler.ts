/**
 * The handler of an owned partition: what a group consumer passes its records and its end to. One object for one ownership,
 * made when it starts.
 */
import type { Ownership, RecordBatch } from "../../broker/broker.ts";
import type { LostReason, RunningJob } from "../../monitor/events.ts";
import type { PartitionStatus, StuckRecord } from "../status.ts";
import type { CommitSource } from "./committer.ts";
import type { GroupContext } from "./context.ts";
import type { LagTracker } from "./lag.ts";

/** Makes the handler of a new ownership. */
export type CreateHandler = (ownership: Ownership, context: GroupContext) => PartitionHandler;

/** See the module. Its methods return at once and never throw, except for a fault of the worker. */
export interface PartitionHandler extends CommitSource {
  /** The broker's token for it. */
  readonly ownership: Ownership;
  /** The known end of its log. */
  readonly lag: LagTracker;
  /** The position up to which everything is finished; `null` while nothing is known. */
  readonly front: number | null;

  /** Adds fetched records. */
  add(batch: RecordBatch): void;

  /**
   * Ends the ownership: nothing of it counts any more.
   *
   * @returns a promise that resolves once its jobs have ended
   */
  lose(reason: LostReason): Promise<void>;

  /** Ends all waits, since the worker stops. */
  stop(): void;

  /** Asks the running jobs to end. */
  abort(reason: Error): void;

  /** Returns the jobs that run. */
  running(): RunningJob[];

  /** Returns the records that wait for an operator. */
  stuck(): StuckRecord[];

  /** Returns whether nothing before this offset can be performed until an operator helps. */
  isStuckBefore(end: number): boolean;

  /** Returns its status. */
  status(): PartitionStatus;
}
