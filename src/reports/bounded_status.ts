/**
 * Bounds the status of a worker for a report, whatever number of partitions it has: those in trouble are kept first. Running
 * jobs are listed by group only, since the list of a partition follows from it, and no command is written: a reader has its own.
 * Pure.
 */
import type { ErrorInfo } from "../errors.ts";
import type { Pause } from "../worker/control.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { PartitionStatus, RetryingRecord, WorkerStatus } from "../worker/status.ts";
import { Budget } from "./budget.ts";
import type { ReportedTotals } from "./reported_worker.ts";

/** Most groups, and most partitions of the scheduler. */
export const MAX_GROUPS = 50;
export const MAX_PARTITIONS = 100;
/** Most characters of an error's message, and of a name. */
export const MAX_MESSAGE = 300;
export const MAX_NAME = 255;
/** Longest id of a job, in characters: that of an envelope. A cut one would cancel another job. */
export const MAX_JOB_ID = 1000;

/** The entries of a report, over all groups. A reader takes no more than the writer. */
export class StatusBudgets {
  readonly topics = new Budget(100);
  readonly partitions = new Budget(MAX_PARTITIONS);
  readonly running = new Budget(50);
  /** Records that failed: retrying, and stuck. */
  readonly failing = new Budget(50);
}

/** Returns the sums of a status. */
export function totalsOf({ groups }: WorkerStatus): ReportedTotals {
  const partitions = groups.flatMap((group) => group.partitions);
  const count = (lengthOf: (partition: PartitionStatus) => number) =>
    partitions.reduce((sum, partition) => sum + lengthOf(partition), 0);
  return {
    partitions: partitions.length,
    running: groups.reduce((sum, { running }) => sum + running.length, 0),
    retrying: count(({ retrying }) => retrying.length),
    stuck: count(({ stuck }) => stuck.length),
  };
}

/** Returns a status of bounded size. */
export function boundStatus(status: WorkerStatus): WorkerStatus {
  const { topics, partitions, running, failing } = new StatusBudgets();
  const { failure, scheduler } = status;
  return {
    ...status,
    failure: failure === null ? null : boundError(failure),
    groups: status.groups.slice(0, MAX_GROUPS).map((group) => ({
      ...group,
      topics: topics.take(group.topics),
      running: running.take(group.running).map(boundJob),
      partitions: partitions.take(group.partitions.toSorted(compareTrouble)).map((partition) => ({
        ...partition,
        pausedBy: partition.pausedBy === null ? null : boundPause(partition.pausedBy),
        running: [],
        stuck: failing.take(partition.stuck).map((record) => ({ ...boundRecord(record), remedy: "" })),
        retrying: failing.take(partition.retrying).map(boundRecord),
      })),
    })),
    scheduler: scheduler === null ? null : { ...scheduler, partitions: scheduler.partitions.slice(0, MAX_PARTITIONS) },
  };
}

function boundPause({ by, why, atMs }: Pause): Pause {
  return { by, why: why === null ? null : why.slice(0, MAX_MESSAGE), atMs };
}

function boundJob({ jobClass, jobId, queue, ...job }: RunningJob): RunningJob {
  const bound = (name: string) => name.slice(0, MAX_NAME);
  return { ...job, jobClass: bound(jobClass), jobId: jobId.slice(0, MAX_JOB_ID), queue: bound(queue) };
}

function boundRecord({ topic, partition, offset, attempts, nextTryInMs, error }: RetryingRecord): RetryingRecord {
  return { topic, partition, offset, attempts, nextTryInMs, error: boundError(error) };
}

function boundError({ errorClass, message }: ErrorInfo): ErrorInfo {
  return { errorClass: errorClass.slice(0, MAX_MESSAGE), message: message.slice(0, MAX_MESSAGE) };
}

/** Compares two partitions: the one in more trouble first. */
function compareTrouble(a: PartitionStatus, b: PartitionStatus): number {
  return b.stuck.length - a.stuck.length || b.retrying.length - a.retrying.length ||
    (b.oldestAgeMs ?? 0) - (a.oldestAgeMs ?? 0) || (b.lag ?? 0) - (a.lag ?? 0);
}
