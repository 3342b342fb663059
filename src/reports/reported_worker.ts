/** A worker as its reports describe it: plain data, the same for every process that reads it. */
import type { WorkerState, WorkerStatus } from "../worker/status.ts";

/**
 * The state of a worker that reports. `"gone"`: it ended without saying so, or failed (then `status.failure` says why), or
 * cannot write; its last report is the newest that is known. `"unknown"`: it reports, and its version has a state that the
 * reader's has not.
 */
export type ReportedState = "running" | "quiet" | "stopping" | "unknown" | "gone";

/** The status of a worker in its report, with a state `"unknown"` where that of its version has another name. */
export interface ReportedStatus extends Omit<WorkerStatus, "state"> {
  /** The state of its life cycle. */
  readonly state: WorkerState | "unknown";
}

/** A worker by its newest report. */
export interface ReportedWorker {
  /** Its id: host, process id and random characters. A worker that starts again has another. */
  readonly id: string;
  /** The name of its host; `"unknown"` where the process has no permission to read it. */
  readonly host: string;
  /** The process id on that host. */
  readonly pid: number;
  /** The version of this library. */
  readonly version: string;
  /** The runtime with its version, such as `"Deno 2.9.6"`. */
  readonly runtime: string;
  /** The time at which it started, by its own clock, in milliseconds since 1970. */
  readonly startedAtMs: number;
  /** The time of the report, in milliseconds since 1970: by the clock of Kafka's broker, elsewhere by the worker's own. */
  readonly writtenAtMs: number;
  /** Its state now. */
  readonly state: ReportedState;
  /**
   * Its status at `writtenAtMs`. A report lists at most 100 partitions (those in trouble first), 50 running jobs and 50 records
   * that failed; `totals` counts all of them. Errors have no stack.
   */
  readonly status: ReportedStatus;
  /** Numbers of all that it has, listed or not. */
  readonly totals: ReportedTotals;
  /** The last hour of its jobs. */
  readonly history: WorkerHistory;
}

/** The sums of a worker. */
export interface ReportedTotals {
  /** The partitions that it owns. */
  readonly partitions: number;
  /** The jobs that run. */
  readonly running: number;
  /** The records that failed and wait for their next try. */
  readonly retrying: number;
  /** The records that fail until an operator helps. */
  readonly stuck: number;
}

/** The jobs of a worker in the last hour, by topic. */
export interface WorkerHistory {
  /** The start of the newest minute, by the worker's clock, in milliseconds since 1970. */
  readonly minuteMs: number;
  /** The topics of its jobs, at most 50: those with the most jobs. */
  readonly topics: readonly TopicHistory[];
  /** The number of topics that are not listed. */
  readonly otherTopics: number;
}

/** The jobs of one topic. Each list has 60 numbers, one a minute: the last is the newest minute, which is not over. */
export interface TopicHistory {
  /** The topic's full name. */
  readonly topic: string;
  /** Jobs that are done: performed, halted by a callback, or rescued. */
  readonly performed: readonly number[];
  /** Runs that failed, whatever followed. */
  readonly failed: readonly number[];
  /** Runs that failed and are followed by another. */
  readonly retried: readonly number[];
  /** Records that were dead-lettered. */
  readonly deadLettered: readonly number[];
  /** The time that runs took, in milliseconds, over 50 to 60 minutes. */
  readonly runMs: ReportedHistogram;
  /** The time that jobs waited before they were performed, in milliseconds, over 50 to 60 minutes. */
  readonly waitMs: ReportedHistogram;
}

/** Counts of values in buckets. */
export interface ReportedHistogram {
  /** The upper bounds, ascending and inclusive. */
  readonly bounds: readonly number[];
  /** The number of values in each bucket alone; one more than the bounds, for the values beyond them. */
  readonly counts: readonly number[];
  /** The sum of all values. */
  readonly sum: number;
}
