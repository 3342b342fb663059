/**
 * The group's protocol as this library speaks it: each member names its topics and claims the partitions that it owns, and
 * the group's leader shares them out. The encoding is that of version 0.1, so that old and new workers share a group during
 * a deploy.
 */
import { Buffer } from "node:buffer";
import type { TopicPartition } from "../../../support/position.ts";
import { type Claim, type Claimant, decodeClaim, encodeClaim, sharePartitions } from "./assigner.ts";
import { groupProtocol } from "../wire/kafkajs.ts";

const VERSION = 0;

/** Encodes what a member brings when it joins. */
export function encodeSubscription(topics: readonly string[], claim: Claim): Buffer {
  return groupProtocol.MemberMetadata.encode({ version: VERSION, topics, userData: encodeClaim(claim) });
}

/** A member as the leader gets it. */
export interface JoinedMember {
  readonly memberId: string;
  readonly memberMetadata: Buffer;
}

/** Decodes what the members brought. One that cannot be read gets nothing, and does not keep the others from their shares. */
export function decodeMembers(members: readonly JoinedMember[]): Claimant[] {
  return members.map(({ memberId, memberMetadata }) => {
    const { topics, userData } = decodeSubscription(memberMetadata);
    return { id: memberId, topics, ...decodeClaim(userData) };
  });
}

/** Decodes a member's subscription; one that cannot be read has no topics. */
export function decodeSubscription(
  metadata: Buffer,
): { readonly topics: readonly string[]; readonly userData?: Buffer } {
  try {
    return groupProtocol.MemberMetadata.decode(metadata) ?? { topics: [] };
  } catch {
    return { topics: [] };
  }
}

/** Shares the partitions out, as the leader's answer to the group. */
export function encodeShares(
  claimants: readonly Claimant[],
  partitionCounts: ReadonlyMap<string, number>,
): { memberId: string; memberAssignment: Buffer }[] {
  return [...sharePartitions(claimants, partitionCounts)].map(([memberId, share]) => {
    const assignment: Record<string, number[]> = Object.create(null);
    for (const { topic, partition } of share) (assignment[topic] ??= []).push(partition);
    const memberAssignment = groupProtocol.MemberAssignment.encode({
      version: VERSION,
      assignment,
      userData: Buffer.alloc(0),
    });
    return { memberId, memberAssignment };
  });
}

/** Decodes a member's share. */
export function decodeShare(memberAssignment: Buffer): TopicPartition[] {
  const { assignment = {} } = groupProtocol.MemberAssignment.decode(memberAssignment) ?? {};
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition }))
  );
}
