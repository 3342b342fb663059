/**
 * What a worker says of itself: plain data, put together when somebody asks. Nothing is kept for it, so that it costs no job
 * anything. Health checks and gauges are made of it.
 */
import type { ErrorInfo } from "../errors.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { Route } from "../routing/route.ts";
import type { Position } from "../support/position.ts";

/** `new` has not been run yet; `quiet` keeps its partitions and starts no job; `stopping` lets the running ones end. */
export type WorkerState = "new" | "running" | "quiet" | "stopping" | "stopped";

/** A worker as it is now. */
export interface WorkerStatus {
  /** Where it is in its life. */
  readonly state: WorkerState;
  /** What it failed with, where it could not start or go on; `null` for nothing. */
  readonly failure: ErrorInfo | null;
  /** How many jobs it runs at once. */
  readonly concurrency: number;
  /** Its consumer groups. */
  readonly groups: readonly GroupStatus[];
}

/** A consumer group of a worker. */
export interface GroupStatus {
  /** Its name. */
  readonly group: string;
  /** The topics that the worker reads in it. */
  readonly topics: readonly string[];
  /** Whether the worker has joined it: it has had an assignment, if only an empty one. */
  readonly isJoined: boolean;
  /** Whether its session is known to be good now: otherwise no job starts. */
  readonly isSessionValid: boolean;
  /** The jobs that run now, those of lost partitions included. */
  readonly running: readonly RunningJob[];
  /** The partitions that are owned now. */
  readonly partitions: readonly PartitionStatus[];
}

/** A partition that is owned. What depends on the end of the log is as of the last fetch, or `refreshLag()`. */
export interface PartitionStatus {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number. */
  readonly partition: number;
  /** The offset up to which everything is finished, which the group commits; `null` while nothing is known. */
  readonly position: number | null;
  /** The offset after the last record of the log; `null` while it is not known. */
  readonly highWatermark: number | null;
  /** How many offsets lie between the two; `null` while it is not known. */
  readonly lag: number | null;
  /** How long ago the oldest record that is not finished was written, in milliseconds; `null` while it is not known. */
  readonly oldestAgeMs: number | null;
  /** How many records are in the worker and not finished, the running one included. */
  readonly waiting: number;
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

/** A record that fails until an operator mends the cause or skips it. */
export interface StuckRecord extends RetryingRecord {
  /** The command that skips it. */
  readonly remedy: string;
}

/** The groups of a worker that has no consumer yet. */
export function groupsBeforeTheStart(routes: readonly Route[]): GroupStatus[] {
  return Array.from(Map.groupBy(routes, (route) => route.group), ([group, ofGroup]) => ({
    group,
    topics: ofGroup.map(({ topic }) => topic),
    isJoined: false,
    isSessionValid: false,
    running: [],
    partitions: [],
  }));
}
