/**
 * Reads the status in a report. Entries of lists that are malformed are left out, lists are cut, unknown fields are ignored,
 * and the command that skips a record is never taken from a report: an operator would paste it into a shell. Pure.
 */
import type { ErrorInfo } from "../errors.ts";
import type { RunningJob } from "../monitor/events.ts";
import type { Position } from "../support/position.ts";
import { topicName } from "../support/validation.ts";
import type { Pause } from "../worker/control.ts";
import {
  type GroupStatus,
  type PartitionStatus,
  type RetryingRecord,
  type ScheduledPartitionStatus,
  type SchedulerStatus,
  WORKER_STATES,
  type WorkerState,
} from "../worker/status.ts";
import { MAX_GROUPS, MAX_JOB_ID, MAX_MESSAGE, MAX_NAME, MAX_PARTITIONS, StatusBudgets } from "./bounded_status.ts";
import { Budget } from "./budget.ts";
import { FieldError, readInteger, readList, readNullable, readNumber, readObject, readString } from "./fields.ts";
import type { ReportedStatus } from "./reported_worker.ts";

/** Returns the command that skips a record. */
export type SkipCommand = (position: Position) => string;

/** The parts that all groups of a status share. */
interface Reading {
  readonly skipCommand: SkipCommand;
  /** The entries that may be read. */
  readonly budgets: StatusBudgets;
  /** The jobs that partitions may list: each job has one partition, but a forged report may list a partition again and again. */
  readonly ofPartitions: Budget;
}

/** Reads a status. @throws {FieldError} if it is not one */
export function readWorkerStatus(value: unknown, skipCommand: SkipCommand): ReportedStatus {
  const { state, failure, concurrency, groups, scheduler } = readObject(value);
  const reading = { skipCommand, budgets: new StatusBudgets(), ofPartitions: new StatusBudgets().running };
  return {
    state: readState(state),
    failure: readNullable(failure, readError),
    concurrency: readInteger(concurrency),
    groups: readList(groups, new Budget(MAX_GROUPS), (group) => readGroup(group, reading)),
    scheduler: readNullable(scheduler, readScheduler),
  };
}

/** Reads a state. A newer version may have more of them: its workers are shown all the same. */
function readState(value: unknown): ReportedStatus["state"] {
  const state = readString(value, MAX_NAME) as WorkerState;
  return WORKER_STATES.includes(state) ? state : "unknown";
}

function readGroup(value: unknown, reading: Reading): GroupStatus {
  const { budgets } = reading;
  const { group, topics, isJoined, isSessionValid, stalledMs, running, partitions } = readObject(value);
  const jobs = readList(running, budgets.running, readRunningJob);
  return {
    group: readString(group, MAX_NAME),
    topics: readList(topics, budgets.topics, readName),
    isJoined: isJoined === true,
    isSessionValid: isSessionValid === true,
    stalledMs: readNullable(stalledMs, readNumber),
    running: jobs,
    partitions: readList(partitions, budgets.partitions, (partition) => readPartition(partition, jobs, reading)),
  };
}

function readPartition(value: unknown, jobs: readonly RunningJob[], reading: Reading): PartitionStatus {
  const { skipCommand, budgets: { failing }, ofPartitions } = reading;
  const fields = readObject(value);
  const at = { topic: readTopic(fields.topic), partition: readInteger(fields.partition) };
  return {
    ...at,
    position: readNullable(fields.position, readInteger),
    highWatermark: readNullable(fields.highWatermark, readInteger),
    lag: readNullable(fields.lag, readInteger),
    oldestAgeMs: readNullable(fields.oldestAgeMs, readNumber),
    waiting: readInteger(fields.waiting),
    isExhausted: fields.isExhausted === true,
    // A worker of an earlier version does not report it.
    pausedBy: readNullable(fields.pausedBy ?? null, readPause),
    running: ofPartitions.take(
      jobs.filter(({ topic, partition }) => topic === at.topic && partition === at.partition),
    ),
    retrying: readList(fields.retrying, failing, readFailing),
    stuck: readList(fields.stuck, failing, (value) => {
      const record = readFailing(value);
      return { ...record, remedy: skipCommand(record) };
    }),
  };
}

function readPause(value: unknown): Pause {
  const { by, why, atMs } = readObject(value);
  return { by: readName(by), why: readNullable(why, (text) => readString(text, MAX_MESSAGE)), atMs: readInteger(atMs) };
}

function readScheduler(value: unknown): SchedulerStatus {
  const { group, topic, isJoined, isSessionValid, stalledMs, waiting, oldestOverdueMs, partitions } = readObject(value);
  return {
    group: readName(group),
    topic: readName(topic),
    isJoined: isJoined === true,
    isSessionValid: isSessionValid === true,
    stalledMs: readNullable(stalledMs, readNumber),
    waiting: readInteger(waiting),
    oldestOverdueMs: readNumber(oldestOverdueMs),
    partitions: readList(partitions, new Budget(MAX_PARTITIONS), readScheduledPartition),
  };
}

function readScheduledPartition(value: unknown): ScheduledPartitionStatus {
  const { partition, isReady, waiting, oldestOverdueMs, unreadable } = readObject(value);
  return {
    partition: readInteger(partition),
    isReady: isReady === true,
    waiting: readInteger(waiting),
    oldestOverdueMs: readNumber(oldestOverdueMs),
    unreadable: readInteger(unreadable),
  };
}

function readRunningJob(value: unknown): RunningJob {
  const { jobClass, jobId, queue, attempt, runningMs, timeoutMs, timeoutGraceMs, ...at } = readObject(value);
  return {
    ...readPosition(at),
    jobClass: readName(jobClass),
    jobId: readString(jobId, MAX_JOB_ID),
    queue: readName(queue),
    attempt: readInteger(attempt),
    runningMs: readNumber(runningMs),
    timeoutMs: readNullable(timeoutMs, readNumber),
    timeoutGraceMs: readNumber(timeoutGraceMs),
  };
}

function readFailing(value: unknown): RetryingRecord {
  const { attempts, nextTryInMs, error, ...at } = readObject(value);
  return {
    ...readPosition(at),
    attempts: readInteger(attempts),
    nextTryInMs: readNumber(nextTryInMs),
    error: readError(error),
  };
}

function readPosition(value: unknown): Position {
  const { topic, partition, offset } = readObject(value);
  return { topic: readTopic(topic), partition: readInteger(partition), offset: readInteger(offset) };
}

function readError(value: unknown): ErrorInfo {
  const { errorClass, message } = readObject(value);
  return { errorClass: readString(errorClass, MAX_MESSAGE), message: readString(message, MAX_MESSAGE) };
}

/** Returns the name of a topic. It becomes a part of commands: no other characters may. @throws {FieldError} for anything else */
function readTopic(value: unknown): string {
  if (topicName(value) === null) return value as string;
  throw new FieldError("not the name of a topic");
}

function readName(value: unknown): string {
  return readString(value, MAX_NAME);
}
