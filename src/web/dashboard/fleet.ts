/** Sums up the reports of all workers: slots, the last hour, the jobs that run, the records that fail. Pure. */
import type { ErrorInfo } from "../../errors.ts";
import type { RunningJob } from "../../monitor/events.ts";
import type { ReportedWorker } from "../../reports/reported_worker.ts";
import type { TopicStatus } from "../../status/status.ts";
import { formatPosition, type Position } from "../../support/position.ts";
import type { RetryingRecord } from "../../worker/status.ts";
import type { Hour } from "./charts.ts";

/** The workers in numbers. */
export interface FleetSummary {
  /** Workers that report now. */
  readonly alive: number;
  /** Workers that have stopped reporting without saying so. */
  readonly gone: number;
  /** The jobs that all live workers run at once, at most. */
  readonly slots: number;
  /** The jobs that run. */
  readonly running: number;
}

/** A record that fails, as its worker reports it. */
export interface FailingRecord extends Position {
  /** Whether it waits for an operator; otherwise it is tried again by itself. */
  readonly isStuck: boolean;
  /** The number of failed runs. */
  readonly attempts: number;
  /** The time of the next try, in ms since 1970. */
  readonly nextTryAtMs: number;
  /** The last error. */
  readonly error: Pick<ErrorInfo, "errorClass" | "message">;
  /** The command that skips it; `null` if it is not stuck. */
  readonly remedy: string | null;
  /** The id of its worker. */
  readonly worker: string;
}

/** A job that runs, with its worker. */
export interface RunningOnWorker extends RunningJob {
  /** The id of its worker. */
  readonly worker: string;
}

const MINUTES = 60;
const MINUTE_MS = 60_000;

/** Counts workers and slots. */
export function summarizeFleet(workers: readonly ReportedWorker[]): FleetSummary {
  const alive = workers.filter(isAlive);
  return {
    alive: alive.length,
    gone: workers.length - alive.length,
    slots: alive.reduce((sum, { status }) => sum + status.concurrency, 0),
    running: alive.reduce((sum, { totals }) => sum + totals.running, 0),
  };
}

/** Returns whether a worker reports. */
function isAlive({ state }: ReportedWorker): boolean {
  return state !== "gone";
}

/**
 * Adds up the last hour of all workers, those that are gone included: they did their part of it. The minutes of a worker are by
 * its own clock.
 *
 * @returns an hour for each topic: its last minute is not over
 */
export function addUpHours(workers: readonly ReportedWorker[], nowMs: number): Map<string, Hour> {
  const thisMinute = Math.floor(nowMs / MINUTE_MS);
  const byTopic = new Map<string, { done: number[]; failed: number[] }>();
  for (const { history } of workers) {
    const shift = thisMinute - Math.floor(history.minuteMs / MINUTE_MS);
    for (const { topic, performed, failed } of history.topics) {
      let hour = byTopic.get(topic);
      if (hour === undefined) byTopic.set(topic, hour = createHour());
      addCounts(hour.done, performed, shift);
      addCounts(hour.failed, failed, shift);
    }
  }
  return byTopic;
}

/** Adds up the hours of several topics. */
export function addUpTopics(hours: Iterable<Hour>): Hour {
  const total = createHour();
  for (const { done, failed } of hours) {
    addCounts(total.done, done, 0);
    addCounts(total.failed, failed, 0);
  }
  return total;
}

function createHour(): { done: number[]; failed: number[] } {
  return { done: Array<number>(MINUTES).fill(0), failed: Array<number>(MINUTES).fill(0) };
}

/** @param shift the minutes by which the counts are older; a clock that is ahead counts into the newest minute */
function addCounts(to: number[], counts: readonly number[], shift: number): void {
  for (let at = Math.max(0, shift); at < MINUTES; at++) to[Math.min(MINUTES - 1, at - shift)]! += counts[at] ?? 0;
}

/**
 * Lists the records that fail on live workers, those that wait for an operator first.
 *
 * @param command the command that skips a record, without its position; @default that of the App
 */
export function listFailing(workers: readonly ReportedWorker[], command?: string): FailingRecord[] {
  const failing = workers.filter(isAlive).flatMap((worker) =>
    worker.status.groups.flatMap(({ partitions }) =>
      partitions.flatMap(({ stuck, retrying }) => [
        ...stuck.map((record) =>
          toFailing(worker, record, command === undefined ? record.remedy : `${command} ${formatPosition(record)}`)
        ),
        ...retrying.map((record) => toFailing(worker, record, null)),
      ])
    )
  );
  return failing.sort((a, b) => Number(b.isStuck) - Number(a.isStuck));
}

function toFailing(
  { id, writtenAtMs }: ReportedWorker,
  { topic, partition, offset, attempts, nextTryInMs, error }: RetryingRecord,
  remedy: string | null,
): FailingRecord {
  const { errorClass, message } = error;
  return {
    topic,
    partition,
    offset,
    isStuck: remedy !== null,
    attempts,
    nextTryAtMs: writtenAtMs + nextTryInMs,
    error: { errorClass, message },
    remedy,
    worker: id,
  };
}

/** Lists the jobs that run on live workers, the longest first. */
export function listRunning(workers: readonly ReportedWorker[]): RunningOnWorker[] {
  return workers.filter(isAlive).flatMap(({ id, status }) =>
    status.groups.flatMap(({ running }) => running.map((job) => ({ ...job, worker: id })))
  ).sort((a, b) => b.runningMs - a.runningMs);
}

/** Fills in the jobs that run, where only workers report them. */
export function withRunning(topics: readonly TopicStatus[], workers: readonly ReportedWorker[]): TopicStatus[] {
  const counts = new Map<string, number>();
  for (const { topic } of listRunning(workers)) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return topics.map((topic) => ({ ...topic, running: topic.running ?? counts.get(topic.topic) ?? 0 }));
}
