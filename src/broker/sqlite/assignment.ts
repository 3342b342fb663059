/**
 * The assignment of a group on a file: which partitions each live member should have. Each consumer computes it by itself
 * from the rows of the file. All get the same result from the same rows, so that no member has to lead.
 */
import type { TopicPartition } from "../../support/position.ts";
import { assignPartitions } from "../assignment.ts";
import type { Connection } from "./connection.ts";
import { keyOf } from "./group_offsets.ts";
import { type Share, sharesOf } from "./leases.ts";
import { type MemberRow, membersOf } from "./members.ts";

/** The rows of a group: its members and every partition of their topics. */
export interface GroupRows {
  readonly members: readonly MemberRow[];
  readonly shares: readonly Share[];
}

/**
 * Reads the rows of a group.
 *
 * @param topics the topics of a consumer that may not be a member yet
 */
export function readGroup(connection: Connection, group: string, topics: readonly string[]): GroupRows {
  const members = membersOf(connection, group);
  const wanted = new Set([...topics, ...members.flatMap((member) => member.topics)]);
  return { members, shares: sharesOf(connection, group, wanted) };
}

/**
 * Computes the partitions of one member.
 *
 * @param isLive whether a member, by its id, is live
 * @returns their keys, as `keyOf` returns them
 */
export function planFor(id: string, { members, shares }: GroupRows, isLive: (id: string) => boolean): Set<string> {
  const live = members.filter((member) => isLive(member.id));
  const owned = new Map(live.map((member) => [member.id, [] as TopicPartition[]]));
  const partitions = new Map<string, number>();
  for (const { topic, partition, lease } of shares) {
    partitions.set(topic, Math.max(partitions.get(topic) ?? 0, partition + 1));
    if (lease !== null) owned.get(lease.owner)?.push({ topic, partition });
  }
  const plan = assignPartitions(
    live.map(({ id, topics }) => ({ id, topics, owned: owned.get(id)! })),
    partitions,
  );
  return new Set((plan.get(id) ?? []).map(keyOf));
}
