/**
 * Who gets which partition: the sticky assignment of a group whose members may know different topics.
 *
 * A pure function, asked at each rebalance. It gives a partition only to a member that knows its topic, leaves none
 * without an owner while anybody knows its topic, and moves no more than evenness demands: what a member owns stays with
 * it, except for single partitions that go from a more loaded to a less loaded member.
 */
import type { TopicPartition } from "../support/position.ts";

/** A member of the group as the assignment sees it. */
export interface Subscriber {
  /** Its id in the group, unique. */
  readonly id: string;
  /** The topics that it consumes. */
  readonly topics: readonly string[];
  /** What it owns until now. Where two members claim the same partition, the one that stands first in the list keeps it. */
  readonly owned: readonly TopicPartition[];
}

interface Share {
  readonly id: string;
  readonly topics: ReadonlySet<string>;
  readonly partitions: TopicPartition[];
}

/**
 * Shares the partitions out.
 *
 * @param subscribers the group's members
 * @param partitions how many partitions each topic has; a topic that is missing here has none
 * @returns each member's partitions by its id, also where it has none
 */
export function assignPartitions(
  subscribers: readonly Subscriber[],
  partitions: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const shares = subscribers.map((member): Share => ({
    id: member.id,
    topics: new Set(member.topics),
    partitions: [],
  }));
  const taken = keepClaims(subscribers, shares, partitions);
  for (const free of freePartitions(shares, partitions, taken)) leastLoaded(shares, free.topic)?.partitions.push(free);
  while (moveOne(shares));
  return new Map(shares.map((share) => [share.id, share.partitions]));
}

function keepClaims(
  subscribers: readonly Subscriber[],
  shares: readonly Share[],
  partitions: ReadonlyMap<string, number>,
): Map<string, Set<number>> {
  const taken = new Map<string, Set<number>>();
  subscribers.forEach((member, at) => {
    const share = shares[at]!;
    for (const { topic, partition } of member.owned) {
      const ofTopic = taken.get(topic) ?? new Set<number>();
      taken.set(topic, ofTopic);
      const exists = partition < (partitions.get(topic) ?? 0);
      if (!exists || !share.topics.has(topic) || ofTopic.has(partition)) continue;
      ofTopic.add(partition);
      share.partitions.push({ topic, partition });
    }
  });
  return taken;
}

/** Topics that few members know come first: the others can still even out what is left. */
function freePartitions(
  shares: readonly Share[],
  partitions: ReadonlyMap<string, number>,
  taken: ReadonlyMap<string, ReadonlySet<number>>,
): TopicPartition[] {
  const known = (topic: string) => shares.filter((share) => share.topics.has(topic)).length;
  const topics = [...partitions.keys()].map((topic) => ({ topic, known: known(topic) }));
  topics.sort((a, b) => a.known - b.known || (a.topic < b.topic ? -1 : 1));
  return topics.flatMap(({ topic }) =>
    Array.from({ length: partitions.get(topic)! }, (_, partition) => ({ topic, partition }))
      .filter(({ partition }) => !taken.get(topic)?.has(partition))
  );
}

function leastLoaded(shares: readonly Share[], topic: string): Share | undefined {
  let least: Share | undefined;
  for (const share of shares) {
    if (!share.topics.has(topic)) continue;
    if (least === undefined || share.partitions.length < least.partitions.length) least = share;
  }
  return least;
}

/** Moves the partition that evens out most, if any does. Each move lowers the sum of squares, so that this comes to an end. */
function moveOne(shares: readonly Share[]): boolean {
  const byLoad = [...shares].sort((a, b) => b.partitions.length - a.partitions.length);
  for (const from of byLoad) {
    for (const to of byLoad.toReversed()) {
      if (from.partitions.length - to.partitions.length < 2) break;
      const at = movable(from, to);
      if (at < 0) continue;
      to.partitions.push(...from.partitions.splice(at, 1));
      return true;
    }
  }
  return false;
}

/** Of the topics that both know, the one of which `from` has most more than `to`, so that each topic is spread out too. */
function movable(from: Share, to: Share): number {
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
