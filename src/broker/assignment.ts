/**
 * The sticky assignment of a group: which member owns which partition. A pure function, called at each rebalance.
 *
 * - A partition goes only to a member that consumes its topic, and each partition of such a topic has an owner.
 * - The members' numbers of partitions differ by at most one, as far as their topics allow.
 * - A member keeps its partitions, except for the few that must move to make the numbers even.
 */
import type { TopicPartition } from "../support/position.ts";

/** A member of the group. */
export interface Subscriber {
  /** Its unique id in the group. */
  readonly id: string;
  /** The full names of the topics that it consumes. */
  readonly topics: readonly string[];
  /**
   * The partitions that it has owned until now. If two members name the same one, the first member of the list keeps
   * it.
   */
  readonly owned: readonly TopicPartition[];
}

/** The partitions of one member while they are assigned. */
interface MemberAssignment {
  readonly id: string;
  readonly topics: ReadonlySet<string>;
  readonly partitions: TopicPartition[];
}

/**
 * Assigns the partitions to the members.
 *
 * @param subscribers the members of the group
 * @param partitions the number of partitions by topic; a topic without an entry has none
 * @returns the partitions of each member by its id, `[]` for none
 */
export function assignPartitions(
  subscribers: readonly Subscriber[],
  partitions: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const assignments = subscribers.map((member): MemberAssignment => ({
    id: member.id,
    topics: new Set(member.topics),
    partitions: [],
  }));
  const taken = keepClaims(subscribers, assignments, partitions);
  for (const free of findFreePartitions(assignments, partitions, taken)) {
    findLeastLoaded(assignments, free.topic)?.partitions.push(free);
  }
  while (moveOne(assignments));
  return new Map(assignments.map((assignment) => [assignment.id, assignment.partitions]));
}

function keepClaims(
  subscribers: readonly Subscriber[],
  assignments: readonly MemberAssignment[],
  partitions: ReadonlyMap<string, number>,
): Map<string, Set<number>> {
  const taken = new Map<string, Set<number>>();
  subscribers.forEach((member, at) => {
    const assignment = assignments[at]!;
    for (const { topic, partition } of member.owned) {
      const ofTopic = taken.get(topic) ?? new Set<number>();
      taken.set(topic, ofTopic);
      const exists = partition < (partitions.get(topic) ?? 0);
      if (!exists || !assignment.topics.has(topic) || ofTopic.has(partition)) continue;
      ofTopic.add(partition);
      assignment.partitions.push({ topic, partition });
    }
  });
  return taken;
}

/**
 * Returns the partitions without an owner. Topics of few members come first: the others make the numbers even
 * afterwards.
 */
function findFreePartitions(
  assignments: readonly MemberAssignment[],
  partitions: ReadonlyMap<string, number>,
  taken: ReadonlyMap<string, ReadonlySet<number>>,
): TopicPartition[] {
  const countMembers = (topic: string) => assignments.filter((assignment) => assignment.topics.has(topic)).length;
  const topics = [...partitions.keys()].map((topic) => ({ topic, members: countMembers(topic) }));
  topics.sort((a, b) => a.members - b.members || (a.topic < b.topic ? -1 : 1));
  return topics.flatMap(({ topic }) =>
    Array.from({ length: partitions.get(topic)! }, (_, partition) => ({ topic, partition }))
      .filter(({ partition }) => !taken.get(topic)?.has(partition))
  );
}

function findLeastLoaded(assignments: readonly MemberAssignment[], topic: string): MemberAssignment | undefined {
  let least: MemberAssignment | undefined;
  for (const assignment of assignments) {
    if (!assignment.topics.has(topic)) continue;
    if (least === undefined || assignment.partitions.length < least.partitions.length) least = assignment;
  }
  return least;
}

/**
 * Moves one partition from a member with more to one with at least two fewer, if there is one. Each move lowers the sum
 * of the squares of the numbers, so that the moves come to an end.
 *
 * @returns whether a partition was moved
 */
function moveOne(assignments: readonly MemberAssignment[]): boolean {
  const byLoad = [...assignments].sort((a, b) => b.partitions.length - a.partitions.length);
  for (const from of byLoad) {
    for (const to of byLoad.toReversed()) {
      if (from.partitions.length - to.partitions.length < 2) break;
      const at = findMovable(from, to);
      if (at < 0) continue;
      to.partitions.push(...from.partitions.splice(at, 1));
      return true;
    }
  }
  return false;
}

/**
 * Chooses the partition to move: of the topic of which `from` has the most more than `to`, so that each topic is spread
 * out as well.
 *
 * @returns its index in `from.partitions`, -1 for none
 */
function findMovable(from: MemberAssignment, to: MemberAssignment): number {
  const surplus = new Map<string, number>();
  for (const { topic } of from.partitions) surplus.set(topic, (surplus.get(topic) ?? 0) + 1);
  for (const { topic } of to.partitions) surplus.set(topic, (surplus.get(topic) ?? 0) - 1);
  let best = -1;
  let most = -Infinity;
  from.partitions.forEach(({ topic }, at) => {
    if (!to.topics.has(topic) || surplus.get(topic)! < most) return;
    most = surplus.get(topic)!;
    best = at;
  });
  return best;
}
