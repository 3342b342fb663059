/**
 * The status of a worker: plain data, computed when it is asked for, so that it costs a job nothing. Health checks
 * and gauges are made from it.
 */
import type { Pause } from "./control.ts";
import type { ErrorInfo } from "../errors.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { Position } from "../support/position.ts";

/** `new`: not run yet. `quiet`: keeps its partitions and starts no job. `stopping`: running jobs may end. */
export type WorkerState = "new" | "running" | "quiet" | "stopping" | "stopped";

/** All states. */
export const WORKER_STATES: readonly WorkerState[] = ["new", "running", "quiet", "stopping", "stopped"];

/** A worker at one moment. */
export interface WorkerStatus {
  /** The state of its life cycle. */
  readonly state: WorkerState;
  /** The error with which it could not start or continue; `null` for none. */
  readonly failure: ErrorInfo | null;
  /** The number of jobs that it runs at once. */
  readonly concurrency: number;
  /** Its consumer groups of jobs. */
  readonly groups: readonly GroupStatus[];
  /** Its part in releasing delayed jobs; `null` if it has none, or has not started. */
  readonly scheduler: SchedulerStatus | null;
}

/** The part of a worker that releases delayed jobs. Its state is the oldest overdue job, never the lag of its group. */
export interface SchedulerStatus {
  /** The group's name. */
  readonly group: string;
  /** The full name of the topic in which delayed jobs wait. */
  readonly topic: string;
  /** Whether the worker has joined the group. */
  readonly isJoined: boolean;
  /** Whether its session is known to be valid now: otherwise nothing is released. */
  readonly isSessionValid: boolean;
  /** The time for which its session has been lost although the broker responds, in milliseconds; `null` if it is not. */
  readonly stalledMs: number | null;
  /** The number of jobs that wait in the worker's partitions. */
  readonly waiting: number;
  /** The time for which the oldest of them has been due, in milliseconds; 0 if none is due. */
  readonly oldestOverdueMs: number;
  /** The partitions that the worker owns now. */
  readonly partitions: readonly ScheduledPartitionStatus[];
}

/** A partition of the topic in which delayed jobs wait. */
export interface ScheduledPartitionStatus {
  /** The partition's number. */
  readonly partition: number;
  /** Whether it was read up to its end at the start, or since the worker stood still: nothing is released before. */
  readonly isReady: boolean;
  /** The number of jobs that wait. */
  readonly waiting: number;
  /** The time for which the oldest of them has been due, in milliseconds; 0 if none is due. */
  readonly oldestOverdueMs: number;
  /** The number of records that could not be read, and were set aside. */
  readonly unreadable: number;
}

/** A consumer group of a worker. */
export interface GroupStatus {
  /** The group's name. */
  readonly group: string;
  /** The topics that the worker reads in this group. */
  readonly topics: readonly string[];
  /** Whether the worker has joined the group: it has had an assignment, also an empty one. */
  readonly isJoined: boolean;
  /** Whether its session is known to be valid now: otherwise no job starts. */
  readonly isSessionValid: boolean;
  /** The time for which its session has been lost although the broker responds, in milliseconds; `null` if it is not. */
  readonly stalledMs: number | null;
  /** The jobs that run now, those of lost partitions included. */
  readonly running: readonly RunningJob[];
  /** The partitions that the worker owns now. */
  readonly partitions: readonly PartitionStatus[];
}

/**
 * A partition that a worker owns. Values that depend on the end of the log are as of the last fetch or `refreshLag()`.
 */
export interface PartitionStatus {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number. */
  readonly partition: number;
  /** The offset up to which everything is finished, which the group commits; `null` while it is unknown. */
  readonly position: number | null;
  /** The offset after the last record of the log; `null` while it is unknown. */
  readonly highWatermark: number | null;
  /** The number of offsets between the two; `null` while it is unknown. */
  readonly lag: number | null;
  /** The age of the oldest record that is not finished, in milliseconds; `null` while it is unknown. */
  readonly oldestAgeMs: number | null;
  /** The number of records in the worker that are not finished, the running ones included. */
  readonly waiting: number;
  /**
   * Whether no job can start until one that failed is finished, although the order would allow it: as much is read ahead as
   * may be. Always `false` with `ordering: "partition"`.
   */
  readonly isExhausted: boolean;
  /** The pause of the partition, or of its topic, by an operator; `null` for none. */
  readonly pausedBy: Pause | null;
  /** The jobs that run now. */
  readonly running: readonly RunningJob[];
  /** The records that failed and wait for their next try. Those that need an operator are in `stuck` instead. */
  readonly retrying: readonly RetryingRecord[];
  /** The records that fail until an operator helps. They stay listed during their tries. */
  readonly stuck: readonly StuckRecord[];
}

/** A record that failed and is tried again by itself. */
export interface RetryingRecord extends Position {
  /** The number of failed runs. */
  readonly attempts: number;
  /** Time until the next try, in milliseconds; 0 while it is being tried. */
  readonly nextTryInMs: number;
  /** The last error. */
  readonly error: ErrorInfo;
}

/** A record that fails until an operator removes the cause or skips it. */
export interface StuckRecord extends RetryingRecord {
  /** The command that skips it. */
  readonly remedy: string;
}
