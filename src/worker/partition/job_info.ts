/** A run of a job as events name it. Pure. */
import type { Envelope } from "../../job/envelope_data.ts";
import type { EventMap, JobInfo } from "../../monitor/events.ts";
import type { PerformedJob } from "../../monitor/tracing.ts";
import type { TopicPartition } from "../../support/position.ts";
import { waitMsOf } from "./job_age.ts";
import { keyText, type QueuedRecord } from "./queued_record.ts";

/** The facts of a run. */
export interface RunFacts {
  /** The partition of its record. */
  readonly place: TopicPartition;
  /** The offset of its record. */
  readonly offset: number;
  /** The job as it was enqueued. */
  readonly envelope: Envelope;
  /** The job's id. */
  readonly jobId: string;
  /** The number of this run of the record, from 1. */
  readonly number: number;
  /** The number of its runs over all its records, this one included. */
  readonly executions: number;
  /** The time of its start, on the clock of `performance.now()`. */
  readonly startedMs: number;
}

/** Returns the job's queue: its topic, if the envelope has none. */
export function queueOf({ envelope, place }: Pick<RunFacts, "envelope" | "place">): string {
  return envelope.queueName ?? place.topic;
}

/** Returns the job as events name it. */
export function toJobInfo(run: RunFacts): JobInfo {
  const { place: { topic, partition }, offset, envelope: { jobClass }, jobId, number } = run;
  return { jobClass, jobId, queue: queueOf(run), topic, partition, offset, attempt: number };
}

/**
 * Returns the event of a job that has passed.
 *
 * @param endedMs the time of its end, on the clock of `performance.now()`
 * @param nowMs returns the time of the App's clock, in milliseconds; asked only if the time of the enqueuing is known
 */
export function toPerformedEvent(run: RunFacts, endedMs: number, nowMs: () => number): EventMap["job.performed"] {
  const { place: { topic, partition }, offset, envelope, jobId, number } = run;
  const durationMs = endedMs - run.startedMs;
  // One literal: to spread toJobInfo() costs each job as much again.
  return {
    jobClass: envelope.jobClass,
    jobId,
    queue: queueOf(run),
    topic,
    partition,
    offset,
    attempt: number,
    durationMs,
    waitMs: waitMsOf(envelope, durationMs, nowMs),
  };
}

/** Returns the job as its span names it. */
export function toTracedJob(run: RunFacts, record: QueuedRecord, group: string): PerformedJob {
  const { executions } = run;
  return { ...toJobInfo(run), key: keyText(record), headers: record.headers, group, executions };
}
