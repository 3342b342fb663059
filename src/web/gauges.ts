/** Writes a worker's status for Prometheus: its state, its running jobs, and the progress of its partitions. */
import type { Exposition, Labels } from "../monitor/exposition.ts";
import {
  type PartitionStatus,
  type ScheduledPartitionStatus,
  type SchedulerStatus,
  WORKER_STATES,
  type WorkerStatus,
} from "../worker/status.ts";

/** Adds a worker's gauges to a scrape. */
export function writeGauges(to: Exposition, { state, concurrency, groups, scheduler }: WorkerStatus): void {
  to.gauges(
    "activejob_worker_state",
    "1 for the state in which the worker is, 0 for the others",
    WORKER_STATES.map((each) => [{ state: each }, Number(each === state)]),
  );
  to.gauges("activejob_worker_concurrency", "Jobs that the worker runs at once, at most", [[{}, concurrency]]);
  to.gauges(
    "activejob_group_joined",
    "1 if the worker has joined the consumer group",
    groups.map(({ group, isJoined }) => [{ group }, Number(isJoined)]),
  );
  to.gauges(
    "activejob_group_session_valid",
    "1 if its session in the consumer group is known to be valid",
    groups.map(({ group, isSessionValid }) => [{ group }, Number(isSessionValid)]),
  );
  to.gauges(
    "activejob_jobs_running",
    "Jobs that run, those of lost partitions included",
    groups.flatMap(({ topics, running }) =>
      topics.map((topic) => [{ topic }, running.filter((job) => job.topic === topic).length] as const)
    ),
  );
  to.gauges(
    "activejob_longest_running_seconds",
    "The run time of the oldest running job; 0 for none",
    [[{}, Math.max(0, ...groups.flatMap(({ running }) => running.map(({ runningMs }) => runningMs))) / 1000]],
  );
  const partitions = groups.flatMap(({ group, partitions }) =>
    partitions.map((status) => {
      const { topic, partition } = status;
      return [{ group, topic, partition }, status] as const;
    })
  );
  writePartitions(to, partitions);
  // A worker of another copy of this library may have none.
  if (scheduler) writeScheduler(to, scheduler);
}

/** No lag: a job that waits for a year holds the offset of its group for a year. */
function writeScheduler(to: Exposition, { topic, partitions }: SchedulerStatus): void {
  const samples = (pick: (status: ScheduledPartitionStatus) => number) =>
    partitions.map((status) => [{ topic, partition: status.partition }, pick(status)] as const);
  to.gauges("activejob_delayed_waiting", "Delayed jobs that wait", samples(({ waiting }) => waiting));
  to.gauges(
    "activejob_delayed_overdue_seconds",
    "Time for which the oldest delayed job has been due; 0 for none",
    samples(({ oldestOverdueMs }) => oldestOverdueMs / 1000),
  );
  to.gauges(
    "activejob_delayed_ready",
    "1 if the partition was read, so that its jobs are released",
    samples(({ isReady }) => Number(isReady)),
  );
}

function writePartitions(to: Exposition, partitions: readonly (readonly [Labels, PartitionStatus])[]): void {
  to.gauges(
    "activejob_partition_position",
    "The offset up to which everything is finished",
    samplesOf(partitions, ({ position }) => position),
  );
  to.gauges(
    "activejob_partition_lag",
    "Offsets from there to the end of the log",
    samplesOf(partitions, ({ lag }) => lag),
  );
  to.gauges(
    "activejob_partition_oldest_seconds",
    "The age of the oldest record that is not finished",
    samplesOf(partitions, ({ oldestAgeMs }) => oldestAgeMs === null ? null : oldestAgeMs / 1000),
  );
  to.gauges(
    "activejob_partition_waiting",
    "Records in the worker that are not finished",
    samplesOf(partitions, ({ waiting }) => waiting),
  );
  to.gauges(
    "activejob_partition_running",
    "Jobs that run",
    samplesOf(partitions, ({ running }) => running.length),
  );
  to.gauges(
    "activejob_partition_paused",
    "Records that wait before their next attempt",
    samplesOf(partitions, ({ retrying, stuck }) => retrying.length + stuck.length),
  );
  to.gauges(
    "activejob_partition_stuck",
    "Records that wait for an operator",
    samplesOf(partitions, ({ stuck }) => stuck.length),
  );
  to.gauges(
    "activejob_partition_paused_by_operator",
    "1 if an operator has paused the partition or its topic: no job starts",
    // A worker of another copy of this library may not know it.
    samplesOf(partitions, ({ pausedBy }) => Number((pausedBy ?? null) !== null)),
  );
  to.gauges(
    "activejob_partition_exhausted",
    "1 if no job can start until one that failed is finished, although the order would allow it",
    samplesOf(partitions, ({ isExhausted }) => Number(isExhausted)),
  );
}

/** Returns the samples whose value is known. */
function samplesOf(
  partitions: readonly (readonly [Labels, PartitionStatus])[],
  pick: (status: PartitionStatus) => number | null,
): (readonly [Labels, number])[] {
  const samples = partitions.map(([labels, status]) => [labels, pick(status)] as const);
  return samples.filter((sample): sample is readonly [Labels, number] => sample[1] !== null);
}
