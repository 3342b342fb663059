/** Puts the partitions of a topic together, and the topics of an App. Pure. */
import { formatAge } from "../support/age.ts";
import { countOf } from "../support/count.ts";
import { BEHIND_AFTER_MS, describeWait } from "./partition_state.ts";
import { type AppStatus, type PartitionSummary, TOPIC_STATES, type TopicState, type TopicStatus } from "./status.ts";

/** The part of a topic's status that follows from its partitions. */
export type TopicSummary = Pick<TopicStatus, "state" | "reason" | "lag" | "oldestWaitingMs">;

/** Returns the worst of some states; `"ok"` of none. */
export function worstState(states: Iterable<TopicState>): TopicState {
  const all = new Set(states);
  return TOPIC_STATES.find((state) => all.has(state)) ?? "ok";
}

/** Facts about a topic as a whole. */
export interface WholeTopic {
  /** The reason why nothing of it is known; `null` if its partitions are. */
  readonly problem: string | null;
  /** The delayed jobs that go there; `null` for none. */
  readonly delayed: OverdueJobs | null;
}

/** The delayed jobs of a topic, as far as they are overdue. */
export interface OverdueJobs {
  /** Those that are due. */
  readonly overdue: number;
  readonly earliestDueAtMs: number;
  /** The number of workers that release delayed jobs; `null` if it is not known. */
  readonly releasers: number | null;
  readonly nowMs: number;
}

/** Returns the topics that need attention: all but those that are `"ok"`, or `"paused"`, which an operator has wanted. */
export function listWrong({ topics }: Pick<AppStatus, "topics">): TopicStatus[] {
  return topics.filter(({ state }) => state !== "ok" && state !== "paused");
}

/** Puts the partitions of a topic together. */
export function summarizeTopic(
  partitions: readonly PartitionSummary[],
  { problem, delayed }: WholeTopic,
): TopicSummary {
  if (problem !== null) return { state: "unknown", reason: problem, lag: null, oldestWaitingMs: null };
  const known = partitions.map((partition) => partition.lag).filter((lag) => lag !== null);
  const lag = known.length < partitions.length ? null : known.reduce((sum, each) => sum + each, 0);
  const oldestWaitingMs = partitions.reduce<number | null>(
    (oldest, { oldestWaitingMs }) => oldestWaitingMs === null ? oldest : Math.max(oldest ?? 0, oldestWaitingMs),
    null,
  );
  const worst = worstState(partitions.map((partition) => partition.state));
  const [state, reason] = (delayed !== null && judgeDelayed(worst, delayed)) ||
    [worst, describeTopic(partitions, worst, { lag, oldestWaitingMs })];
  return { state, reason, lag, oldestWaitingMs };
}

/** Judges delayed jobs that are overdue, which no partition shows. @returns `null` if the partitions are in a worse state */
function judgeDelayed(worst: TopicState, delayed: OverdueJobs): [TopicState, string] | null {
  const { overdue, earliestDueAtMs, releasers, nowMs } = delayed;
  const overdueMs = nowMs - earliestDueAtMs;
  const state = releasers === 0 ? "no worker" : "behind";
  if (overdueMs <= BEHIND_AFTER_MS || worstState([state, worst]) !== state || state === worst) return null;
  const reason = `${countOf(overdue, "delayed job")} ${overdue === 1 ? "is" : "are"} overdue by up to ${
    formatAge(overdueMs)
  }`;
  return [state, releasers === 0 ? `${reason}, and no worker releases delayed jobs` : reason];
}

/** Compares two topics, or two partitions: the worse first, then the one whose oldest record has waited for longer. */
export function compareStates(
  a: Pick<TopicStatus, "state" | "oldestWaitingMs">,
  b: Pick<TopicStatus, "state" | "oldestWaitingMs">,
): number {
  return TOPIC_STATES.indexOf(a.state) - TOPIC_STATES.indexOf(b.state) ||
    (b.oldestWaitingMs ?? -1) - (a.oldestWaitingMs ?? -1);
}

/** Compares two topics: by state and age, then by name. */
export function compareTopics(a: TopicStatus, b: TopicStatus): number {
  return compareStates(a, b) || (a.topic < b.topic ? -1 : 1);
}

function describeTopic(
  partitions: readonly PartitionSummary[],
  state: TopicState,
  { lag, oldestWaitingMs }: Pick<TopicSummary, "lag" | "oldestWaitingMs">,
): string {
  const inState = partitions.filter((partition) => partition.state === state);
  const [first, ...more] = inState.toSorted((a, b) => (b.oldestWaitingMs ?? -1) - (a.oldestWaitingMs ?? -1));
  if (first === undefined || partitions.length === 1) return first?.reason ?? "it has no partition";
  if (state === "ok" && lag !== null) return describeWait(lag, oldestWaitingMs);
  const others = more.length === 0 ? "" : ` (and ${countOf(more.length, "other partition")})`;
  return `partition ${first.partition}${others}: ${first.reason}`;
}
