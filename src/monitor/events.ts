/**
 * The events that the library emits: names, and what each carries. Plain data only, so that an event can be logged,
 * counted, sent elsewhere, or kept. Times are milliseconds.
 */
import type { ErrorInfo, Written } from "../errors.ts";
import type { Position, TopicPartition } from "../support/position.ts";

/** A job that came out of a record. */
export interface JobInfo extends Position {
  /** The name that the envelope gives, such as `"WelcomeJob"`. */
  readonly jobClass: string;
  /** The job's id, the same over retries. */
  readonly jobId: string;
  /** The queue that the envelope names. */
  readonly queue: string;
  /** Which run of this record it is, counted from 1, restarts and other workers included. */
  readonly attempt: number;
}

/** A job that runs. */
export interface RunningJob extends JobInfo {
  /** For how long, in milliseconds. */
  readonly runningMs: number;
  /** How long it may run, in milliseconds; `null` for no limit. */
  readonly timeoutMs: number | null;
  /** How long it may take to end after that, in milliseconds. */
  readonly timeoutGraceMs: number;
}

/** A job on its way into a topic. */
export interface EnqueueInfo {
  /** The name that the envelope gives, such as `"WelcomeJob"`. */
  readonly jobClass: string;
  /** The job's id. */
  readonly jobId: string;
  /** The queue's full name: the topic. */
  readonly queue: string;
}

/** A record whose job's class is not known: how it is waited for, since a deploy may be on its way. */
export interface UnknownClassWait {
  /** How often the class was looked for, this time included. */
  readonly tries: number;
  /** For how much longer it is, in milliseconds. */
  readonly leftMs: number;
  /** What follows then: the record is dead-lettered, or the partition waits for an operator. */
  readonly next: "dead_letter" | "pause";
}

/**
 * Why an ownership ended. `"closed"`: the worker released it, since it stops. `"revoked"`: the group gave it to another
 * worker. `"unknown"`: the session may have expired. `"recreated"`: the topic was deleted and created again.
 */
export type LostReason = "revoked" | "unknown" | "recreated" | "closed";

/** The records that wait together with one that is paused. */
export type PauseScope = "partition";

/** A partition that a worker was assigned. */
export interface AssignedPartition {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number. */
  readonly partition: number;
  /** The group's committed offset; `null` for none. */
  readonly offset: number | null;
}

/** Every event by name. */
export interface EventMap {
  /** A job is in the log, acknowledged. */
  "job.enqueued": EnqueueInfo & { readonly partition: number; readonly offset: number };
  /** A job could not be enqueued. */
  "job.enqueue_failed": EnqueueInfo & { readonly written: Written; readonly error: ErrorInfo };
  /** A job's `perform` is about to be called. */
  "job.performing": JobInfo;
  /** A job's `perform` settled well. `waitMs`: from its enqueuing to its start, `null` where that cannot be told. */
  "job.performed": JobInfo & { readonly durationMs: number; readonly waitMs: number | null };
  /** A job failed, and what follows: it is tried again in `waitMs`, or dead-lettered. */
  "job.failed": JobInfo & {
    readonly durationMs: number;
    readonly error: ErrorInfo;
    readonly next: "retry" | "dead_letter";
    readonly waitMs: number;
  };
  /** A job goes on although it should have ended: it is over its time, or its partition is another worker's. */
  "job.orphaned": JobInfo & { readonly reason: "timeout" | "revoked"; readonly runningMs: number };
  /**
   * A job settled after its partition had been lost: not marked, the new owner performs it (again). `sessionTimeoutMs`:
   * a job that blocks the event loop for longer loses its partition by that alone.
   */
  "job.revoked": JobInfo & {
    readonly durationMs: number;
    readonly outcome: "passed" | "failed";
    readonly sessionTimeoutMs: number;
  };
  /** What a job itself has to say, through `this.logger`. */
  "job.log": Position & {
    readonly jobClass: string;
    readonly jobId: string;
    readonly level: "debug" | "info" | "warn" | "error";
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
  /** A record was passed over: it has no value, or an earlier run already finished it. */
  "record.skipped": Position & { readonly reason: "tombstone" | "finished" };
  /** A record is in the dead letter topic, acknowledged. */
  "record.dead_lettered": Position & {
    readonly to: Position;
    readonly attempts: number;
    readonly error: ErrorInfo;
    readonly jobClass: string | null;
    readonly jobId: string | null;
  };
  /** Retention, or a deletion, took `from` up to (not including) `to` before they were performed. */
  "records.expired": { readonly topic: string; readonly partition: number; readonly from: number; readonly to: number };
  /** The topic was deleted and made anew: its partition is read from the start. */
  "topic.recreated": { readonly topic: string; readonly partition: number };
  /**
   * The partitions of a worker changed: one event for all that one rebalance, loss or stop moved. `reason`: why those of
   * `lost` are lost; `null` where none is. `owned`: the number of partitions that the worker now has in this group. It
   * follows the `partition.assigned` and `partition.lost` of each partition.
   */
  "assignment.changed": {
    readonly group: string;
    readonly assigned: readonly AssignedPartition[];
    readonly lost: readonly TopicPartition[];
    readonly reason: LostReason | null;
    readonly owned: number;
  };
  /** A partition is ours. `offset`: what the group had committed, `null` for nothing. */
  "partition.assigned": { readonly topic: string; readonly partition: number; readonly offset: number | null };
  /** A partition is no longer ours. */
  "partition.lost": { readonly topic: string; readonly partition: number; readonly reason: LostReason };
  /**
   * This record waits for its next try, in `waitMs`. `scope`: what waits with it; `"partition"`: all records behind it.
   * `lasting`: it fails until an operator helps; `remedy` is then the command that skips it. `unknownClass`: the App does
   * not know its job's class (yet); `null` where that is not the cause.
   */
  "partition.paused": Position & {
    readonly scope: PauseScope;
    readonly waitMs: number;
    readonly attempts: number;
    readonly error: ErrorInfo;
    readonly lasting: boolean;
    readonly remedy: string | null;
    readonly unknownClass: UnknownClassWait | null;
  };
  /** The group's offset was moved, and the broker has acknowledged it. */
  "offset.committed": { readonly topic: string; readonly partition: number; readonly offset: number };
  /** The group still holds us for a member (`true`), or may not any longer (`false`: no job starts). */
  "membership.changed": { readonly held: boolean };
  /** A worker runs: it has joined its group, and has `partitions` partitions of it at first. */
  "worker.started": {
    readonly group: string;
    readonly topics: readonly string[];
    readonly concurrency: number;
    readonly partitions: number;
  };
  /** A worker takes no new job, but keeps its partitions. */
  "worker.quieted": { readonly group: string };
  /** A worker stops: running jobs may finish within `shutdownTimeoutMs`. */
  "worker.stopping": { readonly group: string; readonly running: number; readonly shutdownTimeoutMs: number };
  /** A worker has stopped. `unfinished`: the jobs that did not end in time. */
  "worker.stopped": { readonly group: string; readonly unfinished: readonly RunningJob[] };
  /** What the broker's client has to say. */
  "broker.log": {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
  /** Something went wrong that no caller heard of. */
  "error.occurred": { readonly where: string; readonly error: ErrorInfo };
}

/** The name of an event. */
export type EventName = keyof EventMap;
