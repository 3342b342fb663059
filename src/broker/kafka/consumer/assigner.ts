/**
 * The sticky assignment as kafkajs' assigner: each member names its topics and the partitions that it owns, and the leader of the
 * group shares the partitions out with {@linkcode assignPartitions}. Partitions of topics that the leader itself does not
 * consume are shared out too: during a rolling deploy that adds a topic the leader may be an old member.
 */
import { Buffer } from "node:buffer";
import { assignPartitions } from "../../assignment.ts";
import type { TopicPartition } from "../../../support/position.ts";

/** The protocol's name in the group: all members of a group must offer it. */
export const ASSIGNER_NAME = "activejob-sticky";

/** The claim of a member when it joins. */
export interface Claim {
  readonly owned: readonly TopicPartition[];
  /** Since when it owns them, as `Date.now()`: of two claims for one partition the younger is true. */
  readonly sinceMs: number;
  /** It wants these partitions in any case, and no others: how a record is skipped beside live workers. */
  readonly exclusive: boolean;
}

/** A member as the leader sees it. */
export interface Claimant extends Claim {
  readonly id: string;
  readonly topics: readonly string[];
}

/**
 * Shares partitions out among members and their claims. A pure function.
 *
 * @param members the group's members
 * @param partitions how many partitions each topic has
 * @returns each member's partitions by its id
 */
export function sharePartitions(
  members: readonly Claimant[],
  partitions: ReadonlyMap<string, number>,
): Map<string, TopicPartition[]> {
  const byAge = [...members].sort((a, b) => b.sinceMs - a.sinceMs || (a.id < b.id ? -1 : 1));
  const shares = assignPartitions(byAge.filter(({ exclusive }) => !exclusive), partitions);
  const taken = new Set<string>();
  for (const { id, owned } of byAge.filter(({ exclusive }) => exclusive)) {
    const wanted = new Map(owned.map((at) => [keyOf(at), at]));
    for (const [key, { topic, partition }] of wanted) {
      const free = partition < (partitions.get(topic) ?? 0) && !taken.has(key);
      if (free) taken.add(key);
      else wanted.delete(key);
    }
    shares.set(id, [...wanted.values()]);
  }
  if (taken.size === 0) return shares;
  const exclusive = new Set(byAge.filter((member) => member.exclusive).map(({ id }) => id));
  return new Map([...shares].map(([id, share]) => [
    id,
    exclusive.has(id) ? share : share.filter((at) => !taken.has(keyOf(at))),
  ]));
}

/** A claim as the bytes that other members read. */
export function encodeClaim({ owned, sinceMs, exclusive }: Claim): Buffer {
  return Buffer.from(JSON.stringify({ owned: listed(owned), sinceMs, exclusive }));
}

/** Reads another member's claim; one that cannot be read claims nothing. */
export function decodeClaim(userData: Uint8Array | null | undefined): Claim {
  try {
    const { owned, sinceMs, exclusive } = JSON.parse(new TextDecoder().decode(userData ?? EMPTY));
    const partitions = Object.entries(owned as Record<string, unknown>).flatMap(([topic, list]) =>
      (list as unknown[]).filter(isPartition).map((partition) => ({ topic, partition }))
    );
    return { owned: partitions, sinceMs: Number.isFinite(sinceMs) ? sinceMs : 0, exclusive: exclusive === true };
  } catch {
    return { owned: [], sinceMs: 0, exclusive: false };
  }
}

const EMPTY = Buffer.alloc(0);

function isPartition(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function listed(partitions: readonly TopicPartition[]): Record<string, number[]> {
  const assignment: Record<string, number[]> = Object.create(null);
  for (const { topic, partition } of partitions) (assignment[topic] ??= []).push(partition);
  return assignment;
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
