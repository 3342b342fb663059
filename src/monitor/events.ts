/**
 * The events that the library emits, with their names and fields. They are plain data, so that an event can be logged,
 * counted, sent elsewhere, or kept. Times are in milliseconds.
 */
import type { ErrorInfo, Written } from "../errors.ts";
import type { Position, TopicPartition } from "../support/position.ts";

/** A job that was read from a record. */
export interface JobInfo extends Position {
  /** The class name in the envelope, such as `"WelcomeJob"`. */
  readonly jobClass: string;
  /** The job's id, the same for all retries. */
  readonly jobId: string;
  /** The queue in the envelope. */
  readonly queue: string;
  /** The number of this run of the record, from 1; runs before a restart and in other workers count. */
  readonly attempt: number;
}

/** A running job. */
export interface RunningJob extends JobInfo {
  /** The time since its start, in milliseconds. */
  readonly runningMs: number;
  /** Its time limit, in milliseconds; `null` for none. */
  readonly timeoutMs: number | null;
  /** The further time in which it must end once it is aborted, in milliseconds. */
  readonly timeoutGraceMs: number;
}

/** A job on its way into a topic. */
export interface EnqueueInfo {
  /** The class name in the envelope, such as `"WelcomeJob"`. */
  readonly jobClass: string;
  /** The job's id. */
  readonly jobId: string;
  /** The queue's full name: the topic. */
  readonly queue: string;
}

/** The wait of a record whose job class is not known, since a deploy may be under way. */
export interface UnknownClassWait {
  /** The number of look-ups of the class, this one included. */
  readonly tries: number;
  /** The time for which the record still waits, in milliseconds. */
  readonly leftMs: number;
  /** The next step: the record is dead-lettered, or the partition waits for an operator. */
  readonly next: "dead_letter" | "pause";
}

/**
 * Why an ownership ended. `"closed"`: the worker released it, since it stops. `"revoked"`: the group gave it to another
 * worker. `"unknown"`: the session may have expired. `"recreated"`: the topic was deleted and created again.
 */
export type LostReason = "revoked" | "unknown" | "recreated" | "closed";

/** The records that wait together with one that failed: all behind it, those with its key, or none. */
export type PauseScope = "partition" | "key" | "record";

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
  /** A job was written to its topic, and acknowledged. */
  "job.enqueued": EnqueueInfo & { readonly partition: number; readonly offset: number };
  /** A job could not be enqueued. `written`: whether it may be in the topic all the same. */
  "job.enqueue_failed": EnqueueInfo & { readonly written: Written; readonly error: ErrorInfo };
  /**
   * A job waits in the topic of delayed jobs, acknowledged. `queue`: the topic to which it goes when it is due, at `dueAtMs`
   * (ms since 1970). `partition`, `offset`: its place among the delayed jobs.
   */
  "job.scheduled": EnqueueInfo & { readonly dueAtMs: number; readonly partition: number; readonly offset: number };
  /**
   * A delayed job was due, and was written to its topic, acknowledged: the position is there. `latenessMs`: the time from
   * `dueAtMs` (ms since 1970) to the acknowledgement.
   */
  "job.released": Position & { readonly jobId: string; readonly dueAtMs: number; readonly latenessMs: number };
  /**
   * An operator has cancelled a job. `state`: it was among the delayed jobs, and the position is there; it waited in its topic;
   * or it ran, for `durationMs`. `by`, `why`: the operator's name and reason, where they are known: `app.cancelScheduled` has none.
   */
  "job.cancelled": Position & {
    readonly jobId: string;
    readonly jobClass: string | null;
    readonly state: "delayed" | "waiting" | "running";
    readonly durationMs: number | null;
    readonly by: string | null;
    readonly why: string | null;
  };
  /** A callback halted the enqueuing of a job. `queue`: as the job names it. */
  "job.enqueue_halted": EnqueueInfo;
  /** A job's `perform` is about to be called. */
  "job.performing": JobInfo;
  /** A job's `perform` succeeded. `waitMs`: the time from its enqueuing, or its due time, to its start; `null` if unknown. */
  "job.performed": JobInfo & { readonly durationMs: number; readonly waitMs: number | null };
  /** A callback halted a job before its `perform`: it counts as done. */
  "job.halted": JobInfo & { readonly durationMs: number };
  /**
   * A job was too old to be performed (`expiresAfterMs`): it counts as done. `ageMs`: the time since it was enqueued, or since it
   * was due.
   */
  "job.expired": Omit<JobInfo, "attempt"> & { readonly ageMs: number; readonly expiresAfterMs: number };
  /** A job failed, and its class discards such an error (`discardOn`), or has no run left (`retryOn` with a block). */
  "job.discarded": JobInfo & { readonly durationMs: number; readonly error: ErrorInfo };
  /** A job failed, and its class has handled the error (`rescueFrom`): it counts as done. */
  "job.rescued": JobInfo & { readonly durationMs: number; readonly error: ErrorInfo };
  /**
   * A job failed, and its class runs it again (`retryOn`): a new record is due in `waitMs`, or with `inPlace` the same one.
   * `executions`: the number of its runs so far.
   */
  "job.retry_scheduled": JobInfo & {
    readonly durationMs: number;
    readonly error: ErrorInfo;
    readonly waitMs: number;
    readonly inPlace: boolean;
    readonly executions: number;
  };
  /** A job failed, and its class (`retryOn`) has no run left for it. */
  "job.retry_stopped": JobInfo & { readonly error: ErrorInfo; readonly executions: number };
  /**
   * A job in steps was interrupted in a step, or after it: it goes on there in another record, in `waitMs`. `reason`:
   * `"stopping"`, `"quiet"` or `"isolating"`.
   */
  "job.interrupted": JobInfo & {
    readonly durationMs: number;
    readonly step: string | null;
    readonly reason: string;
    readonly waitMs: number;
  };
  /** A job in steps goes on. `completed`: the steps that are not run again. `step`: the one that goes on, if it had begun. */
  "job.resumed": JobInfo & {
    readonly resumptions: number;
    readonly completed: readonly string[];
    readonly step: string | null;
  };
  /** A job failed. `next`: it is retried in `waitMs`, or dead-lettered. */
  "job.failed": JobInfo & {
    readonly durationMs: number;
    readonly error: ErrorInfo;
    readonly next: "retry" | "dead_letter";
    readonly waitMs: number;
  };
  /** A job still runs although it was aborted: it is over its timeout and grace, or its partition was lost. */
  "job.orphaned": JobInfo & { readonly reason: "timeout" | "revoked"; readonly runningMs: number };
  /**
   * A job settled after its partition was lost: it is not marked, and the new owner performs it, perhaps again.
   * `sessionTimeoutMs`: a job that blocks the event loop for longer loses its partition for that reason.
   */
  "job.revoked": JobInfo & {
    readonly durationMs: number;
    readonly outcome: "passed" | "failed";
    readonly sessionTimeoutMs: number;
  };
  /** A job wrote a line with `this.logger`. */
  "job.log": Position & {
    readonly jobClass: string;
    readonly jobId: string;
    readonly level: "debug" | "info" | "warn" | "error";
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
  /** A record was skipped: it has no value, or an earlier run finished it. */
  "record.skipped": Position & { readonly reason: "tombstone" | "finished" };
  /** A record was written to the dead letter topic, and acknowledged. */
  "record.dead_lettered": Position & {
    readonly to: Position;
    readonly attempts: number;
    readonly error: ErrorInfo;
    readonly jobClass: string | null;
    readonly jobId: string | null;
  };
  /** Retention, or a deletion, removed the offsets `from` up to (not including) `to` before they were performed. */
  "records.expired": { readonly topic: string; readonly partition: number; readonly from: number; readonly to: number };
  /**
   * The worker got partitions for which its group has committed nothing, and their logs are not empty: each is performed
   * from its first record on. The group is new, or it was deleted, or its offsets have expired: Kafka cannot tell.
   * `offset`: the first record. `records`: the number of records up to the end of the log, at most.
   */
  "group.started_at_beginning": {
    readonly group: string;
    readonly partitions: readonly {
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly records: number;
    }[];
  };
  /** A topic of the worker does not exist any more: it is waited for, and the other topics go on. Emitted once. */
  "topic.missing": { readonly group: string; readonly topic: string };
  /**
   * An operator has paused a topic of the worker, or one of its partitions (`null`: all of them): no job of it starts. Emitted
   * by each worker, also by one that starts later.
   */
  "topic.paused": {
    readonly topic: string;
    readonly partition: number | null;
    readonly by: string;
    readonly why: string | null;
  };
  /** An operator has resumed a topic or a partition. `by`: `null` if it is unknown. */
  "topic.resumed": { readonly topic: string; readonly partition: number | null; readonly by: string | null };
  /** The topic was deleted and created again: its partition is read from the start. */
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
  /** The worker was assigned a partition. `offset`: the group's committed offset; `null` for none. */
  "partition.assigned": { readonly topic: string; readonly partition: number; readonly offset: number | null };
  /** The worker lost a partition, or released it. */
  "partition.lost": { readonly topic: string; readonly partition: number; readonly reason: LostReason };
  /**
   * A partition of the worker has no leader, since all brokers that have its records are away: it waits, and the others go
   * on. Emitted once; `partition.led` follows when it has one again.
   */
  "partition.leaderless": { readonly topic: string; readonly partition: number };
  /** A partition that had no leader has one again, and is read on. */
  "partition.led": { readonly topic: string; readonly partition: number };
  /**
   * This record waits for its next try, in `waitMs`. `scope`: what waits with it; `"partition"`: all records behind it,
   * `"key"`: those of its key, `"record"`: nothing.
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
  /**
   * No job of the partition can start until one that failed is finished: `waiting` records are read and not finished, and
   * `maxMessages`, the memory, or the space for finished offsets in the group's commit allows no more. Only with `ordering`
   * other than `"partition"`, where a failed job does not hold up the others as long as there is space. Emitted once each
   * time. `front`: the first offset that is not finished.
   */
  "partition.exhausted": {
    readonly topic: string;
    readonly partition: number;
    readonly front: number | null;
    readonly waiting: number;
  };
  /** The group's offset was committed, and acknowledged. */
  "offset.committed": { readonly topic: string; readonly partition: number; readonly offset: number };
  /** The worker is a member of its group (`isMember`), or its session may have expired: then no job starts. */
  "membership.changed": { readonly isMember: boolean };
  /**
   * The session has been lost for two session timeouts although the broker responds: no job starts. The worker goes on trying;
   * after two minutes `/livez` fails. Emitted once for each loss; `membership.changed` reports its end.
   */
  "session.lost": { readonly group: string; readonly lostMs: number };
  /**
   * The worker has read a partition of the delayed jobs, and releases them from now on. `waiting`: their number. Emitted again
   * once the worker stood still for long, and has read them again.
   */
  "schedule.ready": TopicPartition & { readonly waiting: number; readonly readMs: number };
  /** A record among the delayed jobs cannot be read: it is set aside, and stays in the log. */
  "schedule.unreadable": Position & { readonly reason: string };
  /**
   * A delayed job of another program waits for longer than `maxDelayMs`: it is due at `clampedToMs` instead of `dueAtMs` (both
   * in ms since 1970).
   */
  "schedule.clamped": Position & {
    readonly jobId: string;
    readonly dueAtMs: number;
    readonly clampedToMs: number;
  };
  /**
   * Jobs that are due cannot be released to a topic, and wait. Emitted once for each topic and reason, until it takes jobs again.
   * `undeclared`: the App does not declare it. `missing`: it does not exist. `refused`: it refuses a job for good, and has no dead
   * letter topic. `unavailable`: it does not acknowledge.
   */
  "schedule.blocked": {
    readonly target: string;
    readonly reason: "undeclared" | "missing" | "refused" | "unavailable";
    readonly error: ErrorInfo | null;
  };
  /**
   * A recurring job was enqueued for its tick at `tickAtMs` (ms since 1970), acknowledged. `latenessMs`: the time from the
   * tick to the acknowledgement.
   */
  "recurring.enqueued": EnqueueInfo & {
    readonly recurringId: string;
    readonly tickAtMs: number;
    readonly partition: number;
    readonly offset: number;
    readonly latenessMs: number;
  };
  /**
   * Ticks of a recurring job with `missed: "skip"` passed while nothing enqueued them. `tickAtMs`, `nextAtMs`: the first one,
   * and the next one, in ms since 1970.
   */
  "recurring.missed": { readonly recurringId: string; readonly tickAtMs: number; readonly nextAtMs: number };
  /** A tick of a recurring job with `overlap: false` was left out, since the job of the last tick still waits or runs. */
  "recurring.overlapped": {
    readonly recurringId: string;
    readonly tickAtMs: number;
    readonly nextAtMs: number;
    readonly lastJobId: string;
  };
  /** A worker runs: it has joined its group, and has `partitions` partitions of it at first. */
  "worker.started": {
    readonly group: string;
    readonly topics: readonly string[];
    readonly concurrency: number;
    readonly partitions: number;
  };
  /** A worker starts no new job, and keeps its partitions. */
  "worker.quieted": { readonly group: string };
  /** A worker is stopping: running jobs may finish within `shutdownTimeoutMs`. */
  "worker.stopping": { readonly group: string; readonly running: number; readonly shutdownTimeoutMs: number };
  /** A worker has stopped. `unfinished`: the jobs that did not end in time. */
  "worker.stopped": { readonly group: string; readonly unfinished: readonly RunningJob[] };
  /** A report of a worker could not be written. Emitted once, until one is written again; jobs go on. */
  "report.failed": { readonly topic: string; readonly error: ErrorInfo };
  /**
   * A user of the dashboard changed something, or tried to. `path`: the page. `action`: such as `"requeue"`; `null` for a user
   * who may only look. `target`: the things that it was about, in one line. `message`: the sentence that the user is shown.
   */
  "operator.acted": {
    readonly user: string | null;
    readonly path: string;
    readonly action: string | null;
    readonly target: string | null;
    readonly outcome: "done" | "failed" | "refused";
    readonly message: string;
  };
  /** The broker's client wrote a line to its log. */
  "broker.log": {
    readonly level: "debug" | "info" | "warn" | "error";
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
  /** An error that no caller got. `where`: its place, such as `"retention"`, or `"listener of job.log"`. */
  "error.occurred": { readonly where: string; readonly error: ErrorInfo };
}

/** The name of an event. */
export type EventName = keyof EventMap;
