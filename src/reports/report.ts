/**
 * A report as a record: JSON, with everything that a reader needs. Lists of numbers begin with their first number that is not 0.
 * Any client may have written a record: what is read of it is checked field by field, and bounded. Pure.
 */
import type { NewRecord, StoredRecord } from "../broker/record.ts";
import { strictTextOf } from "../broker/record_text.ts";
import { Budget } from "./budget.ts";
import { boundStatus, MAX_NAME, totalsOf } from "./bounded_status.ts";
import { FieldError, readInteger, readList, readNumber, readObject, readString } from "./fields.ts";
import { MAX_TOPICS } from "./job_history.ts";
import { readWorkerStatus, type SkipCommand } from "./read_worker_status.ts";
import { MINUTES } from "./recent_counts.ts";
import type {
  ReportedHistogram,
  ReportedTotals,
  ReportedWorker,
  TopicHistory,
  WorkerHistory,
} from "./reported_worker.ts";
import { LATEST_MS } from "../support/clock.ts";
import type { WorkerStatus } from "../worker/status.ts";

/** The largest value of a report, in characters. A reader parses no larger one. */
export const MAX_REPORT_LENGTH = 256 * 1024;

/** Longest id of a worker, in characters. */
const MAX_ID = 400;
/** Most buckets of a histogram. */
const MAX_BUCKETS = 64;

/** The parts of a worker that never change. */
export type WorkerIdentity = Pick<ReportedWorker, "id" | "host" | "pid" | "version" | "runtime" | "startedAtMs">;

/** The content of a record: everything but the time of the record, and what follows from it. */
export type Report = Omit<ReportedWorker, "writtenAtMs" | "state">;

/** Returns the record of a report. */
export function reportRecord(identity: WorkerIdentity, status: WorkerStatus, history: WorkerHistory | null): NewRecord {
  const { id, ...worker } = identity;
  const report = { ...worker, status: boundStatus(status), totals: totalsOf(status) };
  const whole = history === null ? report : { ...report, history: packHistory(history) };
  const value = JSON.stringify(whole);
  if (value.length <= MAX_REPORT_LENGTH) return { key: id, value };
  // Names and messages full of characters that JSON escapes: the totals say the most.
  return { key: id, value: JSON.stringify({ ...whole, status: { ...report.status, groups: [] } }) };
}

/** Returns the record that takes a worker away. */
export function endRecord({ id }: WorkerIdentity): NewRecord {
  return { key: id, value: null };
}

/**
 * Reads the worker of a record.
 *
 * @returns its id; `null` if the record cannot be of a worker
 */
export function readWorkerId({ key }: StoredRecord): string | null {
  const id = strictTextOf(key, MAX_ID);
  return id !== null && /^[\x21-\x7e]+$/.test(id) ? id : null;
}

/** Reads a report. @returns `null` for any other record */
export function readReport(id: string, { value }: StoredRecord, skipCommand: SkipCommand): Report | null {
  try {
    const fields = readObject(JSON.parse(strictTextOf(value, MAX_REPORT_LENGTH) ?? "null"));
    return {
      id,
      host: readString(fields.host, MAX_NAME),
      pid: readInteger(fields.pid),
      version: readString(fields.version, MAX_NAME),
      runtime: readString(fields.runtime, MAX_NAME),
      startedAtMs: readTime(fields.startedAtMs),
      status: readWorkerStatus(fields.status, skipCommand),
      totals: readTotals(fields.totals),
      history: readHistory(fields.history ?? {}),
    };
  } catch (error) {
    if (error instanceof FieldError || error instanceof SyntaxError) return null;
    throw error;
  }
}

function readTotals(value: unknown): ReportedTotals {
  const { partitions, running, retrying, stuck } = readObject(value);
  return {
    partitions: readInteger(partitions),
    running: readInteger(running),
    retrying: readInteger(retrying),
    stuck: readInteger(stuck),
  };
}

function packHistory({ minuteMs, topics, otherTopics }: WorkerHistory): unknown {
  return {
    minuteMs,
    otherTopics,
    topics: topics.map(({ topic, performed, failed, retried, deadLettered, runMs, waitMs }) => ({
      topic,
      performed: packMinutes(performed),
      failed: packMinutes(failed),
      retried: packMinutes(retried),
      deadLettered: packMinutes(deadLettered),
      runMs,
      waitMs,
    })),
  };
}

function packMinutes(numbers: readonly number[]): readonly number[] {
  const first = numbers.findIndex((number) => number !== 0);
  return first < 0 ? [] : numbers.slice(first);
}

function readHistory(value: unknown): WorkerHistory {
  const { minuteMs = 0, otherTopics = 0, topics } = readObject(value);
  return {
    minuteMs: readTime(minuteMs),
    topics: readList(topics, new Budget(MAX_TOPICS), readTopic),
    otherTopics: readInteger(otherTopics),
  };
}

function readTopic(value: unknown): TopicHistory {
  const { topic, performed, failed, retried, deadLettered, runMs, waitMs } = readObject(value);
  return {
    topic: readString(topic, MAX_NAME),
    performed: readMinutes(performed),
    failed: readMinutes(failed),
    retried: readMinutes(retried),
    deadLettered: readMinutes(deadLettered),
    runMs: readHistogram(runMs),
    waitMs: readHistogram(waitMs),
  };
}

function readMinutes(value: unknown): number[] {
  if (!Array.isArray(value)) throw new FieldError("not a list");
  const minutes = Array<number>(MINUTES).fill(0);
  const numbers = value.slice(-MINUTES);
  for (const [index, number] of numbers.entries()) minutes[MINUTES - numbers.length + index] = readInteger(number);
  return minutes;
}

function readHistogram(value: unknown): ReportedHistogram {
  const { bounds, counts, sum } = readObject(value);
  if (!Array.isArray(bounds) || !Array.isArray(counts)) throw new FieldError("not a list");
  if (bounds.length > MAX_BUCKETS || counts.length !== bounds.length + 1) throw new FieldError("not a histogram");
  const upper = bounds.map(readNumber);
  if (upper.some((bound, index) => index > 0 && bound <= upper[index - 1]!)) throw new FieldError("not ascending");
  return { bounds: upper, counts: counts.map(readInteger), sum: readNumber(sum) };
}

function readTime(value: unknown): number {
  return Math.min(readNumber(value), LATEST_MS);
}
