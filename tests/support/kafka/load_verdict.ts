/** Judges a load by what its two processes wrote down: pure functions of the outcomes of all calls and of all runs. */
import { formatPartition, type TopicPartition } from "../../../src/support/position.ts";
import type { EnqueueLine, LedgerLine } from "./load_job.ts";

/** Checks that hold for the whole load, whatever happened to the cluster. */
export interface Verdict {
  /** Jobs that were acknowledged and never ran. */
  readonly lost: number;
  /** Jobs that ran for the first time after a later one of their key. */
  readonly outOfOrder: number;
  /** Records that ran more than once. */
  readonly ranTwice: number;
  /** Jobs that are in the log more than once. */
  readonly writtenTwice: number;
  /** Jobs that were reported as not written, and that are in the log. */
  readonly wronglyDenied: number;
  /** Calls that were not acknowledged. */
  readonly notAcknowledged: number;
  /** The longest time from the call, or from the fault if the call was made before, to the acknowledgement, in milliseconds. */
  readonly worstAckMs: number;
}

/** A period, in milliseconds of the clock that all processes share. */
export interface Period {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Judges a load that has ended.
 *
 * @param lost how many jobs were acknowledged and never ran
 * @param sinceMs when the fault began. @default before all
 */
export function judge(
  outcomes: readonly EnqueueLine[],
  performed: readonly LedgerLine[],
  lost: number,
  sinceMs = 0,
): Verdict {
  const first = firstRuns(performed);
  const latest = new Map<string, number>();
  let outOfOrder = 0;
  for (const { topic, key, n } of first) {
    const id = `${topic} ${key}`;
    if (n < (latest.get(id) ?? -1)) outOfOrder++;
    else latest.set(id, n);
  }
  const ran = new Set(first.map(idOf));
  // With the job's number: a topic that is created again counts from 0 again.
  const records = new Set(performed.map((line) => `${idOf(line)} ${line.partition}@${line.offset}`));
  const acknowledged = outcomes.filter(({ written }) => written === "yes");
  const ackMs = acknowledged.map(({ calledMs, settledMs }) => settledMs - Math.max(calledMs, sinceMs));
  return {
    lost,
    outOfOrder,
    ranTwice: performed.length - records.size,
    writtenTwice: records.size - first.length,
    wronglyDenied: outcomes.filter((line) => line.written === "no" && ran.has(idOf(line))).length,
    notAcknowledged: outcomes.length - acknowledged.length,
    worstAckMs: Math.round(Math.max(0, ...ackMs)),
  };
}

/** Returns the longest time of a period in which nothing was performed in a partition, in milliseconds. */
export function longestStandstillMs(performed: readonly LedgerLine[], at: TopicPartition, period: Period): number {
  const times = [period.sinceMs, ...runsIn(performed, at, period).map(({ atMs }) => atMs), period.untilMs];
  return Math.round(Math.max(...times.slice(1).map((time, before) => time - times[before]!)));
}

/**
 * Returns the longest time from an acknowledgement to the job's run in a period, in milliseconds. Of a job that was acknowledged
 * before, only the part within the period counts.
 */
export function longestDelayMs(
  outcomes: readonly EnqueueLine[],
  performed: readonly LedgerLine[],
  at: TopicPartition,
  period: Period,
): number {
  const settled = new Map(outcomes.map((line) => [idOf(line), line.settledMs]));
  const delays = runsIn(performed, at, period).map((line) =>
    line.atMs - Math.max(period.sinceMs, settled.get(idOf(line)) ?? Infinity)
  );
  return Math.round(Math.max(0, ...delays));
}

/** The identity of a job. */
export function idOf({ topic, key, n }: Pick<EnqueueLine, "topic" | "key" | "n">): string {
  return `${topic} ${key} ${n}`;
}

function runsIn(performed: readonly LedgerLine[], at: TopicPartition, { sinceMs, untilMs }: Period): LedgerLine[] {
  const partition = formatPartition(at);
  return firstRuns(performed).filter((line) =>
    formatPartition(line) === partition && line.atMs > sinceMs && line.atMs < untilMs
  );
}

function firstRuns(performed: readonly LedgerLine[]): LedgerLine[] {
  const seen = new Set<string>();
  return performed.filter((line) => {
    const id = idOf(line);
    if (seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}
