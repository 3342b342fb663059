/**
 * Reactions of the producer to the error codes of a Produce response, in one table.
 *
 * `isMaybeWritten`: the batch may be in the log all the same. A leader that loses its place while it waits for a follower
 * returns NOT_LEADER for a batch that its follower already has.
 */
import { Code } from "../wire/errors.ts";

/** The reaction to an error code. */
export interface Reaction {
  /**
   * `retry`: the same bytes again. `lag`: the same bytes again, in a request for partitions whose replicas lag. `refresh`: the same bytes again, once the leader is known again. `epoch`: the broker lost
   * count, the partition goes on under its next epoch. `halve`: one record is to blame, send halves until it is alone.
   * `refuse`: trying again cannot help.
   */
  readonly action: "retry" | "lag" | "refresh" | "epoch" | "halve" | "refuse";
  readonly isMaybeWritten: boolean;
}

const REFUSE: Reaction = { action: "refuse", isMaybeWritten: false };
/** Of a code that is younger than this library nothing is known. */
const UNKNOWN: Reaction = { action: "refuse", isMaybeWritten: true };

const REACTIONS: ReadonlyMap<number, Reaction> = new Map<number, Reaction>([
  [Code.notLeader, { action: "refresh", isMaybeWritten: true }],
  [Code.unknownTopicOrPartition, { action: "refresh", isMaybeWritten: true }],
  [Code.kafkaStorageError, { action: "refresh", isMaybeWritten: true }],
  [Code.leaderNotAvailable, { action: "refresh", isMaybeWritten: false }],
  [Code.replicaNotAvailable, { action: "refresh", isMaybeWritten: false }],
  [Code.fencedLeaderEpoch, { action: "refresh", isMaybeWritten: false }],
  [Code.unknownLeaderEpoch, { action: "refresh", isMaybeWritten: false }],
  [Code.unknownTopicId, { action: "refresh", isMaybeWritten: false }],
  [Code.requestTimedOut, { action: "lag", isMaybeWritten: true }],
  [Code.notEnoughReplicasAfterAppend, { action: "lag", isMaybeWritten: true }],
  [Code.unknown, { action: "retry", isMaybeWritten: true }],
  [Code.notEnoughReplicas, { action: "lag", isMaybeWritten: false }],
  [Code.corruptMessage, { action: "retry", isMaybeWritten: false }],
  [Code.throttlingQuotaExceeded, { action: "retry", isMaybeWritten: false }],
  [Code.outOfOrderSequenceNumber, { action: "epoch", isMaybeWritten: false }],
  [Code.invalidProducerEpoch, { action: "epoch", isMaybeWritten: false }],
  [Code.unknownProducerId, { action: "epoch", isMaybeWritten: false }],
  [Code.producerFenced, { action: "epoch", isMaybeWritten: false }],
  [Code.messageTooLarge, { action: "halve", isMaybeWritten: false }],
  [Code.recordListTooLarge, { action: "halve", isMaybeWritten: false }],
  [Code.invalidRecord, { action: "halve", isMaybeWritten: false }],
  [Code.invalidTimestamp, { action: "halve", isMaybeWritten: false }],
  [Code.invalidTopic, REFUSE],
  [Code.invalidRequiredAcks, REFUSE],
  [Code.topicAuthorizationFailed, REFUSE],
  [Code.clusterAuthorizationFailed, REFUSE],
  [Code.unsupportedVersion, REFUSE],
  [Code.unsupportedForMessageFormat, REFUSE],
  [Code.policyViolation, REFUSE],
  [Code.unsupportedCompressionType, REFUSE],
]);

/** Returns the reaction to an error code. */
export function reactionTo(code: number): Reaction {
  return REACTIONS.get(code) ?? UNKNOWN;
}
