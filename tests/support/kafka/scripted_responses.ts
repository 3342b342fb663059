/** Bodies of responses, in the versions that the client uses: what a script returns. */
import type { Buffer } from "node:buffer";
import { Writer } from "./writer.ts";
import { Api } from "./scripted_broker.ts";

/** A partition in an answer. */
export interface At {
  readonly topic: string;
  readonly partition: number;
}

/** The versions that a broker announces: the highest of Kafka 4, or a range of one's own. */
export function apiVersionsResponse(
  overrides: Readonly<Record<number, readonly [min: number, max: number]>> = {},
): Buffer {
  const ranges = Object.values(Api).map((api) => [api, ...overrides[api] ?? [0, 17]] as const)
    .filter(([, , max]) => max >= 0);
  const writer = new Writer().int16(0);
  return writer.array(ranges, ([api, min, max]) => writer.int16(api).int16(min).int16(max)).int32(0).bytes;
}

/** A partition of a topic, for the metadata. */
export interface ScriptedPartition {
  readonly error?: number;
  readonly leader: number;
  readonly leaderEpoch?: number;
}

/** A topic, for the metadata. */
export interface ScriptedTopic {
  readonly error?: number;
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly partitions: readonly ScriptedPartition[];
}

/** A broker of the cluster, for the metadata. */
export interface ScriptedNode {
  readonly nodeId: number;
  readonly port: number;
  readonly host?: string;
}

/** Metadata 12. */
export function metadataResponse(
  nodes: readonly ScriptedNode[],
  topics: readonly ScriptedTopic[],
  { controllerId = 0, throttleMs = 0 } = {},
): Buffer {
  const writer = new Writer().noTags().int32(throttleMs);
  writer.compactArray(nodes, ({ nodeId, port, host = "127.0.0.1" }) => {
    writer.int32(nodeId).compactString(host).int32(port).compactString(null).noTags();
  });
  writer.compactString("cluster").int32(controllerId);
  writer.compactArray(topics, ({ error = 0, name, id, partitions }) => {
    writer.int16(error).compactString(name).raw(fromHex(id)).int8(0);
    writer.compactArray([...partitions.entries()], ([partition, { error = 0, leader, leaderEpoch = 0 }]) => {
      writer.int16(error).int32(partition).int32(leader).int32(leaderEpoch);
      for (let list = 0; list < 3; list++) writer.compactArray([leader], (node) => writer.int32(node));
      writer.noTags();
    });
    writer.int32(0).noTags();
  });
  return writer.noTags().bytes;
}

/** ListGroups 2. */
export function listGroupsResponse(groups: readonly string[]): Buffer {
  const writer = new Writer().int32(0).int16(0);
  return writer.array(groups, (group) => writer.string(group).string("consumer")).bytes;
}

/** FindCoordinator 2. */
export function findCoordinatorResponse({ nodeId, port, host = "127.0.0.1" }: ScriptedNode, error = 0): Buffer {
  return new Writer().int32(0).int16(error).string(null).int32(nodeId).string(host).int32(port).bytes;
}

/** JoinGroup 5. */
export function joinGroupResponse(of: {
  readonly error?: number;
  readonly generation?: number;
  readonly leader?: string;
  readonly memberId: string;
  readonly protocol?: string;
  readonly members?: readonly { readonly memberId: string; readonly metadata: Uint8Array }[];
}): Buffer {
  const { error = 0, generation = 1, leader = "", memberId, protocol = "activejob-sticky", members = [] } = of;
  const writer = new Writer().int32(0).int16(error).int32(generation).string(protocol).string(leader).string(memberId);
  return writer.array(members, ({ memberId, metadata }) => writer.string(memberId).string(null).data(metadata)).bytes;
}

/** SyncGroup 3. */
export function syncGroupResponse(assignment: Uint8Array, error = 0): Buffer {
  return new Writer().int32(0).int16(error).data(assignment).bytes;
}

/** Heartbeat 3. */
export function heartbeatResponse(error = 0, throttleMs = 0): Buffer {
  return new Writer().int32(throttleMs).int16(error).bytes;
}

/** LeaveGroup 3. */
export function leaveGroupResponse(error = 0): Buffer {
  return new Writer().int32(0).int16(error).array([], () => {}).bytes;
}

/** OffsetFetch 4. */
export function offsetFetchResponse(
  partitions: readonly (At & { readonly offset: number; readonly metadata: string; readonly error?: number })[],
  error = 0,
): Buffer {
  const writer = new Writer().int32(0);
  writeByTopic(writer, partitions, ({ partition, offset, metadata, error = 0 }) => {
    writer.int32(partition).int64(offset).string(metadata).int16(error);
  });
  return writer.int16(error).bytes;
}

/** OffsetCommit 5. */
export function offsetCommitResponse(partitions: readonly (At & { readonly error: number })[]): Buffer {
  const writer = new Writer().int32(0);
  return writeByTopic(writer, partitions, ({ partition, error }) => writer.int32(partition).int16(error)).bytes;
}

/** ListOffsets 3. */
export function listOffsetsResponse(
  partitions: readonly (At & { readonly offset: number; readonly error?: number })[],
): Buffer {
  const writer = new Writer().int32(0);
  return writeByTopic(writer, partitions, ({ partition, error = 0, offset }) => {
    writer.int32(partition).int16(error).int64(-1).int64(offset);
  }).bytes;
}

/** A member of a group, as its coordinator describes it. */
export interface ScriptedMember {
  readonly memberId: string;
  readonly metadata: Buffer;
  readonly assignment: Buffer;
}

/** DescribeGroups 2, of one group. */
export function describeGroupsResponse(
  { error = 0, state, members }: {
    readonly error?: number;
    readonly state: string;
    readonly members: readonly ScriptedMember[];
  },
): Buffer {
  const writer = new Writer().int32(0);
  return writer.array([state], () => {
    writer.int16(error).string("group").string(state).string("consumer").string("range");
    writer.array(members, ({ memberId, metadata, assignment }) => {
      writer.string(memberId).string("client").string("/127.0.0.1");
      writer.int32(metadata.length).raw(metadata).int32(assignment.length).raw(assignment);
    });
  }).bytes;
}

/** InitProducerId 1. */
export function initProducerIdResponse(producerId: number, error = 0): Buffer {
  return new Writer().int32(0).int16(error).int64(producerId).int16(0).bytes;
}

/** Produce 7. */
export function produceResponse(
  partitions: readonly (At & { readonly error?: number; readonly baseOffset: number })[],
  throttleMs = 0,
): Buffer {
  const writer = new Writer();
  return writeByTopic(writer, partitions, ({ partition, error = 0, baseOffset }) => {
    writer.int32(partition).int16(error).int64(baseOffset).int64(-1).int64(0);
  }).int32(throttleMs).bytes;
}

/** DescribeConfigs 2, for one topic. */
export function describeConfigsResponse(topic: string, config: Readonly<Record<string, string>>, error = 0): Buffer {
  const writer = new Writer().int32(0);
  return writer.array([topic], () => {
    writer.int16(error).string(null).int8(2).string(topic);
    writer.array(Object.entries(config), ([name, value]) => {
      writer.string(name).string(value).int8(0).int8(5).int8(0).array([], () => {});
    });
  }).bytes;
}

/** A partition in the response of Fetch 13. */
export interface ScriptedFetch {
  readonly topicId: string;
  readonly partition: number;
  readonly error?: number;
  readonly highWatermark?: number;
  /** @default the high watermark */
  readonly lastStable?: number;
  /** @default 0 */
  readonly low?: number;
  readonly aborted?: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  readonly data?: Uint8Array;
}

/** Fetch 13. */
export function fetchResponse(
  partitions: readonly ScriptedFetch[],
  { error = 0, throttleMs = 0 } = {},
): Buffer {
  const writer = new Writer().noTags().int32(throttleMs).int16(error).int32(0);
  const topics = [...Map.groupBy(partitions, ({ topicId }) => topicId)];
  writer.compactArray(topics, ([topicId, ofTopic]) => {
    writer.raw(fromHex(topicId));
    writer.compactArray(ofTopic, ({ partition, error = 0, highWatermark = 0, aborted = [], data, ...ends }) => {
      const { lastStable = highWatermark, low = 0 } = ends;
      writer.int32(partition).int16(error).int64(highWatermark).int64(lastStable).int64(low);
      writer.compactArray(aborted, ({ producerId, firstOffset }) => {
        writer.int64(producerId).int64(firstOffset).noTags();
      });
      writer.int32(-1).varint((data?.length ?? 0) + 1).raw(data ?? new Uint8Array()).noTags();
    });
    writer.noTags();
  });
  return writer.noTags().bytes;
}

/** SaslHandshake 1. */
export function saslHandshakeResponse(mechanism: string, error = 0): Buffer {
  const writer = new Writer().int16(error);
  return writer.array([mechanism], (name) => writer.string(name)).bytes;
}

/** SaslAuthenticate 1. */
export function saslAuthenticateResponse(
  { error = 0, message = null as string | null, bytes = new Uint8Array(), lifetimeMs = 0 } = {},
): Buffer {
  return new Writer().int16(error).string(message).data(bytes).int64(lifetimeMs).bytes;
}

function writeByTopic<T extends At>(writer: Writer, partitions: readonly T[], write: (at: T) => void): Writer {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)];
  return writer.array(topics, ([topic, ofTopic]) => writer.string(topic).array(ofTopic, write));
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}
