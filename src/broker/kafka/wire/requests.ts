/**
 * The requests that kafkajs encodes, typed. Each is capped at the version whose behaviour this library was tested with.
 */
import type { Buffer } from "node:buffer";
import { kafkaJsRequest, type Request } from "./request.ts";

/** One partition's entry in a request or response, below its topic. */
export interface OfTopic<Partition> {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

/** Finds the coordinator of a group. */
export function findCoordinator(groupId: string): Request<{
  readonly errorCode: number;
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number };
}> {
  return kafkaJsRequest("GroupCoordinator", 2, { groupId, coordinatorType: 0 });
}

/** Asks to be a member of a group, or of its next generation. */
export function joinGroup(args: {
  readonly groupId: string;
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  /** Empty for a new member. */
  readonly memberId: string;
  readonly protocolType: "consumer";
  readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
}): Request<{
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** Only the leader gets them. */
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}> {
  return kafkaJsRequest("JoinGroup", 5, args);
}

/** Gets a member's share of the partitions; the leader brings the shares of all. */
export function syncGroup(args: {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
}): Request<{ readonly errorCode: number; readonly memberAssignment: Buffer }> {
  return kafkaJsRequest("SyncGroup", 3, args);
}

/** Keeps a member's session alive. */
export function heartbeat(args: {
  readonly groupId: string;
  readonly groupGenerationId: number;
  readonly memberId: string;
}): Request<{ readonly errorCode: number }> {
  return kafkaJsRequest("Heartbeat", 3, args);
}

/** Takes a member out of its group. */
export function leaveGroup(groupId: string, memberId: string): Request<{ readonly errorCode: number }> {
  return kafkaJsRequest("LeaveGroup", 3, { groupId, memberId, members: [{ memberId }] });
}

/** Asks what a group has committed. Offset −1: nothing. */
export function offsetFetch(groupId: string, topics: readonly OfTopic<{ readonly partition: number }>[]): Request<{
  readonly errorCode: number;
  readonly responses: readonly OfTopic<
    {
      readonly partition: number;
      readonly offset: string;
      readonly metadata: string | null;
      readonly errorCode: number;
    }
  >[];
}> {
  return kafkaJsRequest("OffsetFetch", 4, { groupId, topics });
}

/** Commits offsets. Generation −1 and an empty member id: for a group without members. */
export function offsetCommit(args: {
  readonly groupId: string;
  readonly groupGenerationId: number;
  readonly memberId: string;
  readonly topics: readonly OfTopic<
    { readonly partition: number; readonly offset: string; readonly metadata: string }
  >[];
}): Request<{
  readonly responses: readonly OfTopic<{ readonly partition: number; readonly errorCode: number }>[];
}> {
  return kafkaJsRequest("OffsetCommit", 5, args);
}

/** Timestamps with a meaning of their own. */
export const Timestamp = { earliest: -2, latest: -1 } as const;

/** Asks for offsets by time; see {@linkcode Timestamp}. Goes to the leader of the partitions. */
export function listOffsets(
  topics: readonly OfTopic<{ readonly partition: number; readonly timestamp: number }>[],
  isolationLevel: "readUncommitted" | "readCommitted",
): Request<{
  readonly responses: readonly OfTopic<
    { readonly partition: number; readonly errorCode: number; readonly offset: string }
  >[];
}> {
  return kafkaJsRequest("ListOffsets", 3, {
    replicaId: -1,
    isolationLevel: isolationLevel === "readCommitted" ? 1 : 0,
    topics,
  });
}

/** Asks for the id of an idempotent producer. */
export function initProducerId(): Request<{ readonly errorCode: number; readonly producerId: string }> {
  return kafkaJsRequest("InitProducerId", 1, { transactionalId: null, transactionTimeout: -1 });
}

/** The outcome of each topic of a change. */
interface TopicErrors {
  readonly topicErrors: readonly {
    readonly topic: string;
    readonly errorCode: number;
    readonly errorMessage: string | null;
  }[];
}

/** Creates topics. Goes to the controller. −1: the cluster's default. */
export function createTopics(
  topics: readonly {
    readonly topic: string;
    readonly numPartitions: number;
    readonly replicationFactor: number;
    readonly configEntries: readonly { readonly name: string; readonly value: string }[];
  }[],
  timeoutMs: number,
): Request<TopicErrors> {
  return kafkaJsRequest("CreateTopics", 3, { topics, timeout: timeoutMs });
}

/** Gives topics more partitions. Goes to the controller. */
export function createPartitions(
  topicPartitions: readonly { readonly topic: string; readonly count: number }[],
  timeoutMs: number,
): Request<TopicErrors> {
  return kafkaJsRequest("CreatePartitions", 1, { topicPartitions, timeout: timeoutMs });
}

/** Asks for the configuration of topics, defaults included. */
export function describeTopicConfigs(topics: readonly string[]): Request<{
  readonly resources: readonly {
    readonly errorCode: number;
    readonly resourceName: string;
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[];
  }[];
}> {
  return kafkaJsRequest("DescribeConfigs", 2, { resources: topics.map((name) => ({ type: 2, name })) });
}

/** Asks a broker for the groups that it coordinates. */
export function listGroups(): Request<{
  readonly errorCode: number;
  readonly groups: readonly { readonly groupId: string; readonly protocolType: string }[];
}> {
  return kafkaJsRequest("ListGroups", 2, {});
}

/** Asks the coordinator of groups for their members. The topics of a member are known in a stable group only. */
export function describeGroups(groupIds: readonly string[]): Request<{
  readonly groups: readonly {
    readonly errorCode: number;
    readonly state: string;
    readonly members: readonly {
      readonly memberId: string;
      readonly memberMetadata: Buffer;
      readonly memberAssignment: Buffer;
    }[];
  }[];
}> {
  return kafkaJsRequest("DescribeGroups", 2, { groupIds });
}
