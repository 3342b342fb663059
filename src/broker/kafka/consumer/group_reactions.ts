/** Reactions of a group member to the errors of its requests, in one table. */
import { Code, ConnectionError, ProtocolError } from "../wire/errors.ts";

/** The reaction to an error. */
export type GroupReaction =
  /** Another broker coordinates the group, or none does for a moment: look it up, and go on as the same member. */
  | "find coordinator"
  /** The group gets a new generation. */
  | "rejoin"
  /** The generation is over for this member: everything is lost, but the member id is good. */
  | "lost generation"
  /** The group does not know the member: everything is lost. */
  | "lost member"
  /** A transaction that commits offsets is under way. */
  | "ask again"
  /** Trying again cannot help. */
  | "fail";

const REACTIONS: ReadonlyMap<number, GroupReaction> = new Map([
  [Code.coordinatorLoading, "find coordinator"],
  [Code.coordinatorNotAvailable, "find coordinator"],
  [Code.notCoordinator, "find coordinator"],
  [Code.requestTimedOut, "find coordinator"],
  [Code.rebalanceInProgress, "rejoin"],
  [Code.illegalGeneration, "lost generation"],
  [Code.unknownMemberId, "lost member"],
  [Code.unstableOffsetCommit, "ask again"],
  [Code.inconsistentGroupProtocol, "fail"],
  [Code.invalidGroupId, "fail"],
  [Code.invalidSessionTimeout, "fail"],
  [Code.topicAuthorizationFailed, "fail"],
  [Code.groupAuthorizationFailed, "fail"],
  [Code.clusterAuthorizationFailed, "fail"],
  [Code.unsupportedVersion, "fail"],
  [Code.transactionalIdAuthorizationFailed, "fail"],
  [Code.groupMaxSizeReached, "fail"],
  [Code.fencedInstanceId, "fail"],
]);

/** Returns the reaction to an error of a request to the coordinator. */
export function groupReactionTo(error: unknown): GroupReaction {
  if (error instanceof ProtocolError) return REACTIONS.get(error.code) ?? "find coordinator";
  if (error instanceof ConnectionError) return error.isFinal ? "fail" : "find coordinator";
  return "fail";
}
