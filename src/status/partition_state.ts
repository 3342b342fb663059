/** Judges one partition by what the cluster says about it. Pure. */
import type { Route } from "../routing/route.ts";
import { formatAge } from "../support/age.ts";
import { countOf } from "../support/count.ts";
import { formatPosition, type TopicPartition } from "../support/position.ts";
import { decodeCommitMetadata, NO_PROGRESS, type Progress } from "../worker/partition/commit_metadata.ts";
import type { OperatorPause, PartitionSummary, TopicState } from "./status.ts";

/** A partition is `behind` if its oldest record has waited for longer, in ms. */
export const BEHIND_AFTER_MS = 60_000;

/** A partition is `stalled` if its committed offset has not moved for so long, in ms. */
export const STALLED_AFTER_MS = 300_000;

/** Returns the time after which a partition is `stalled`, in ms. A rate limit may let no job start for its whole time. */
export function stalledAfterMs({ declared: { rateLimit } }: Pick<Route, "declared">): number {
  return Math.max(STALLED_AFTER_MS, 2 * (rateLimit?.perMs ?? 0));
}

/** The facts about one partition. */
export interface PartitionFacts extends TopicPartition {
  readonly low: number | null;
  readonly high: number | null;
  /** The committed offset; `null` for none. */
  readonly committed: number | null;
  /** The metadata of the commit; untrusted. */
  readonly metadata: string;
  /** The reason why something is not known; `null` if all is. */
  readonly problem: string | null;
  /** The timestamp of the first record that is not finished; `null` if it is not known. */
  readonly headAtMs: number | null;
  /** The time for which the committed offset is known not to have moved, in ms. */
  readonly unmovedMs: number;
  /** The id of the owner; `null` if it is not known. */
  readonly owner: string | null;
}

/** The facts that the partitions of a topic share. */
export interface TopicFacts {
  /** The number of workers that read the topic; `null` if it is not known. */
  readonly workers: number | null;
  readonly pause: OperatorPause | null;
  /** The time after which a committed offset that does not move is a bad sign, in ms: see `stalledAfterMs`. */
  readonly stalledAfterMs: number;
  readonly nowMs: number;
  /** The command that skips records, without the position. */
  readonly command: string;
}

/** Returns the position of the first record that is not finished: the start of the log where nothing is committed. */
export function frontOf({ committed, low }: Pick<PartitionFacts, "committed" | "low">): number | null {
  return low === null ? null : Math.max(committed ?? low, low);
}

/** Returns the number of records that are not known to be finished; `null` if it is not known. */
export function lagOf(facts: Pick<PartitionFacts, "committed" | "low" | "high" | "problem">): number | null {
  const front = frontOf(facts);
  if (front === null || facts.high === null || facts.problem !== null) return null;
  return Math.max(0, facts.high - front);
}

/** Returns the status of a partition. */
export function summarizePartition(facts: PartitionFacts, shared: TopicFacts): PartitionSummary {
  const { partition, committed, low, high, owner, headAtMs } = facts;
  const progress = committed === null ? NO_PROGRESS : decodeCommitMetadata(facts.metadata, committed);
  const lag = lagOf(facts);
  const oldestWaitingMs = lag === 0 || headAtMs === null ? null : Math.max(0, shared.nowMs - headAtMs);
  // A record that retention has removed waits for no one, whatever the metadata says.
  const stuck = progress.stuck.filter((offset) => offset >= (low ?? 0) && offset < (high ?? Infinity));
  const [state, reason] = judge(facts, { ...progress, stuck }, { lag, oldestWaitingMs, ...shared });
  return { partition, state, reason, committed, low, high, lag, oldestWaitingMs, owner, stuck };
}

interface Waiting extends TopicFacts {
  readonly lag: number | null;
  readonly oldestWaitingMs: number | null;
}

function judge(facts: PartitionFacts, progress: Progress, waiting: Waiting): [TopicState, string] {
  const { problem, unmovedMs } = facts;
  const { lag, oldestWaitingMs, workers, pause, stalledAfterMs, command } = waiting;
  const [first, ...more] = progress.stuck;
  if (first !== undefined) {
    const others = more.length === 0 ? "" : ` (and ${countOf(more.length, "other record")})`;
    const position = formatPosition({ ...facts, offset: first });
    return ["stuck", `offset ${first} fails until an operator helps${others}; to skip it: ${command} ${position}`];
  }
  if (problem !== null || lag === null) return ["unknown", problem ?? "the broker did not say"];
  const wait = describeWait(lag, oldestWaitingMs);
  if (lag > 0 && workers === 0) {
    const paused = pause === null ? "" : `; it is ${describePause(pause)}`;
    return ["no worker", `${wait}, and no worker reads the topic${paused}`];
  }
  // An offset that did not move before the record came says nothing.
  if (pause === null && Math.min(unmovedMs, oldestWaitingMs ?? 0) >= stalledAfterMs) {
    return ["stalled", `${wait}, and the committed offset has not moved for ${formatAge(unmovedMs)}`];
  }
  const retrying = describeRetry(progress);
  if (retrying !== null) return ["retrying", retrying];
  if (pause !== null) return ["paused", `${describePause(pause)}; ${wait}`];
  return [(oldestWaitingMs ?? 0) > BEHIND_AFTER_MS ? "behind" : "ok", wait];
}

/** Says how much waits, and for how long. */
export function describeWait(lag: number, oldestWaitingMs: number | null): string {
  if (lag === 0) return "nothing waits";
  const verb = lag === 1 ? "waits" : "wait";
  if (oldestWaitingMs === null) return `${countOf(lag, "record")} ${verb}`;
  return `${countOf(lag, "record")} ${verb}${lag === 1 ? "" : ", the oldest"} for ${formatAge(oldestWaitingMs)}`;
}

function describeRetry({ failed, givenUp }: Progress): string | null {
  const [head] = failed;
  if (head !== undefined) {
    return `offset ${head.offset} has failed ${countOf(head.attempts, "time")} and is tried again`;
  }
  const [letter] = givenUp;
  return letter === undefined ? null : `the dead letter of offset ${letter} is being written`;
}

function describePause({ by, why }: OperatorPause): string {
  return `paused by ${by}${why === null ? "" : `: ${why}`}`;
}
