/**
 * Counts the delayed jobs that wait, by the topic to which they go. It reads the topic in which they wait, since nothing else knows
 * of each where it goes, and stops after a number of records: a status must not read a million.
 */
import type { BrokerAdmin } from "../broker/broker.ts";
import type { TopicPartition } from "../support/position.ts";
import { readWaiting } from "../scheduler/list_scheduled.ts";

/** Most records that are read for one status. */
export const MAX_DELAYED_RECORDS = 10_000;

/** Most pages of 1 MiB that are read for one status. */
const MAX_PAGES = 8;

/** The delayed jobs of one topic. */
export interface DelayedJobs {
  /** Those that wait. */
  count: number;
  /** Those of them that are due already. */
  overdue: number;
  /** The earliest time at which one is due; `Infinity` for none. */
  earliestDueAtMs: number;
}

/** The delayed jobs of an App. */
export interface DelayedCounts {
  /** By the full name of the topic to which they go. */
  readonly byTopic: ReadonlyMap<string, DelayedJobs>;
  /** Whether all were read. */
  readonly isComplete: boolean;
}

/** A partition of the topic of delayed jobs, from the first record that may wait on. */
export interface DelayedPartition extends TopicPartition {
  readonly from: number;
}

/** Counts the delayed jobs of some partitions. */
export async function countDelayed(
  admin: Pick<BrokerAdmin, "read">,
  partitions: readonly DelayedPartition[],
  nowMs: number,
  signal: AbortSignal,
): Promise<DelayedCounts> {
  const byTopic = new Map<string, DelayedJobs>();
  const budget = { records: MAX_DELAYED_RECORDS, pages: MAX_PAGES };
  let isComplete = true;
  for (const at of partitions) {
    const read = await readWaiting(admin, at, at.from, budget, signal);
    isComplete &&= read.isComplete;
    for (const { queue, place: [dueAtMs] } of read.waiting) {
      let jobs = byTopic.get(queue);
      if (jobs === undefined) byTopic.set(queue, jobs = { count: 0, overdue: 0, earliestDueAtMs: Infinity });
      jobs.count++;
      if (dueAtMs <= nowMs) jobs.overdue++;
      jobs.earliestDueAtMs = Math.min(jobs.earliestDueAtMs, dueAtMs);
    }
  }
  return { byTopic, isComplete };
}
