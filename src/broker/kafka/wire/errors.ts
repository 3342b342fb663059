/**
 * Errors of the wire. A broker that does not respond, or does not speak Kafka's protocol, is a
 * {@linkcode ConnectionError}; a response with an error code is a {@linkcode ProtocolError}.
 */
import { errorCodes } from "./kafkajs.ts";

/** The error codes to which this library reacts in a way of their own. */
export const Code = {
  none: 0,
  unknown: -1,
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeader: 6,
  requestTimedOut: 7,
  replicaNotAvailable: 9,
  messageTooLarge: 10,
  offsetMetadataTooLarge: 12,
  coordinatorLoading: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  invalidRequiredAcks: 21,
  illegalGeneration: 22,
  inconsistentGroupProtocol: 23,
  invalidGroupId: 24,
  unknownMemberId: 25,
  invalidSessionTimeout: 26,
  rebalanceInProgress: 27,
  invalidCommitOffsetSize: 28,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  invalidTimestamp: 32,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  unsupportedForMessageFormat: 43,
  policyViolation: 44,
  outOfOrderSequenceNumber: 45,
  duplicateSequenceNumber: 46,
  invalidProducerEpoch: 47,
  transactionalIdAuthorizationFailed: 53,
  kafkaStorageError: 56,
  unknownProducerId: 59,
  fencedLeaderEpoch: 74,
  unknownLeaderEpoch: 75,
  unsupportedCompressionType: 76,
  offsetNotAvailable: 78,
  memberIdRequired: 79,
  groupMaxSizeReached: 81,
  fencedInstanceId: 82,
  invalidRecord: 87,
  unstableOffsetCommit: 88,
  throttlingQuotaExceeded: 89,
  producerFenced: 90,
  unknownTopicId: 100,
  inconsistentTopicId: 103,
} as const;

const names = new Map(errorCodes.map(({ code, type }) => [code, type]));

/** Names of codes that are younger than kafkajs. */
const YOUNGER: Readonly<Record<number, string>> = {
  75: "UNKNOWN_LEADER_EPOCH",
  76: "UNSUPPORTED_COMPRESSION_TYPE",
  78: "OFFSET_NOT_AVAILABLE",
  79: "MEMBER_ID_REQUIRED",
  81: "GROUP_MAX_SIZE_REACHED",
  82: "FENCED_INSTANCE_ID",
  87: "INVALID_RECORD",
  88: "UNSTABLE_OFFSET_COMMIT",
  89: "THROTTLING_QUOTA_EXCEEDED",
  90: "PRODUCER_FENCED",
  100: "UNKNOWN_TOPIC_ID",
  103: "INCONSISTENT_TOPIC_ID",
};

/** Returns the protocol's name of an error code, such as `"NOT_COORDINATOR"`; `"error 123"` for an unknown one. */
export function errorName(code: number): string {
  return names.get(code) ?? YOUNGER[code] ?? `error ${code}`;
}

/** A broker answered a request with an error code. */
export class ProtocolError extends Error {
  override name = "ProtocolError";
  /** The code, see {@linkcode Code}. */
  readonly code: number;

  /** @param what the request, such as `"JoinGroup"` */
  constructor(what: string, code: number) {
    super(`${what}: ${errorName(code)}`);
    this.code = code;
  }
}

/** Details of a connection that failed. */
export interface ConnectionFailure {
  /** Whether the request was handed to the socket: the broker may have carried it out. @default false */
  readonly isSent?: boolean;
  /** Whether trying again cannot help: a wrong password, a missing permission. @default false */
  readonly isFinal?: boolean;
  /** Whether the process lacks a permission of Deno. @default false */
  readonly isPermission?: boolean;
  readonly cause?: unknown;
}

/** A connection could not be made, was lost, or did not answer in time. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
  /** `host:port`. */
  readonly address: string;
  /** Whether the broker may have carried the request out. */
  readonly isSent: boolean;
  /** Whether trying again cannot help. */
  readonly isFinal: boolean;
  /** Whether the process lacks a permission of Deno. */
  readonly isPermission: boolean;

  constructor(address: string, problem: string, failure: ConnectionFailure = {}) {
    const { isSent = false, isFinal = false, isPermission = false, cause } = failure;
    super(`${address}: ${problem}`, cause === undefined ? undefined : { cause });
    this.address = address;
    this.isSent = isSent;
    this.isFinal = isFinal;
    this.isPermission = isPermission;
  }
}
