/** The report of a worker on another host, as a record. */
import type { NewRecord } from "../../src/broker/broker.ts";
import type { WorkerHistory } from "../../src/reports/reported_worker.ts";
import { reportRecord } from "../../src/reports/report.ts";
import type { PartitionStatus } from "../../src/worker/status.ts";

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Returns the id of the worker with a number. */
export const workerId = (n: number) => `host-${n}:4711:abc`;

/**
 * Creates the report of a worker that has worked for an hour.
 *
 * @param n its number
 * @param topics its topics, of which it owns all partitions
 * @param partitions the number of partitions of each topic
 */
export function createReport(n: number, topics: readonly string[], partitions: number): NewRecord {
  const identity = {
    id: workerId(n),
    host: `host-${n}`,
    pid: 4711,
    version: "0.1.0",
    runtime: "Deno 2.9.6",
    startedAtMs: Date.now() - 3_600_000,
  };
  const group = {
    group: "shop",
    topics,
    isJoined: true,
    isSessionValid: true,
    stalledMs: null,
    running: [],
    partitions: topics.flatMap((topic) => range(partitions).map((partition) => createPartition(topic, partition))),
  };
  const status = { state: "running" as const, failure: null, concurrency: 10, groups: [group], scheduler: null };
  return reportRecord(identity, status, createHistory(topics));
}

function createPartition(topic: string, partition: number): PartitionStatus {
  return {
    topic,
    partition,
    position: 100,
    highWatermark: 107,
    lag: 7,
    oldestAgeMs: 1500,
    waiting: 7,
    isExhausted: false,
    pausedBy: null,
    running: [],
    retrying: [],
    stuck: [],
  };
}

function createHistory(topics: readonly string[]): WorkerHistory {
  const minutes = range(60).map((minute) => 100 + minute);
  const failures = range(60).map((minute) => minute % 7);
  const histogram = { bounds: [1, 10, 100, 1000], counts: [5, 50, 500, 20, 1], sum: 12_345 };
  return {
    minuteMs: Math.floor(Date.now() / 60_000) * 60_000,
    topics: topics.map((topic) => ({
      topic,
      performed: minutes,
      failed: failures,
      retried: failures,
      deadLettered: failures,
      runMs: histogram,
      waitMs: histogram,
    })),
    otherTopics: 0,
  };
}
