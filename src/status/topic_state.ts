/** Puts the partitions of a topic together, and the topics of an App. Pure. */
import { count, describeWait } from "./partition_state.ts";
import { type PartitionSummary, TOPIC_STATES, type TopicState, type TopicStatus } from "./status.ts";

/** The part of a topic's status that follows from its partitions. */
export type TopicSummary = Pick<TopicStatus, "state" | "reason" | "lag" | "oldestWaitingMs">;

/** Returns the worst of some states; `"ok"` of none. */
export function worstState(states: Iterable<TopicState>): TopicState {
  const all = new Set(states);
  return TOPIC_STATES.find((state) => all.has(state)) ?? "ok";
}

/** Puts the partitions of a topic together. */
export function summarizeTopic(partitions: readonly PartitionSummary[]): TopicSummary {
  const state = worstState(partitions.map((partition) => partition.state));
  const known = partitions.map((partition) => partition.lag).filter((lag) => lag !== null);
  const lag = known.length < partitions.length ? null : known.reduce((sum, each) => sum + each, 0);
  const oldestWaitingMs = partitions.reduce<number | null>(
    (oldest, { oldestWaitingMs }) => oldestWaitingMs === null ? oldest : Math.max(oldest ?? 0, oldestWaitingMs),
    null,
  );
  return { state, reason: describeTopic(partitions, state, { lag, oldestWaitingMs }), lag, oldestWaitingMs };
}

/** Compares two topics: the worse first, then the one whose oldest record has waited for longer, then by name. */
export function compareTopics(a: TopicStatus, b: TopicStatus): number {
  return TOPIC_STATES.indexOf(a.state) - TOPIC_STATES.indexOf(b.state) ||
    (b.oldestWaitingMs ?? -1) - (a.oldestWaitingMs ?? -1) || (a.topic < b.topic ? -1 : 1);
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
  const others = more.length === 0 ? "" : ` (and ${count(more.length, "other partition")})`;
  return `partition ${first.partition}${others}: ${first.reason}`;
}
