/**
 * The Fetch request in version 13 (Kafka 3.1 and later), which names topics by their ids: a topic that was deleted and
 * created again is an error, and never read at a position of the old one.
 *
 * In this version a follower may answer, also one that is being shut down and gets nothing new. The epoch of the leader, as
 * the client knows it, prevents that: a broker that knows a later one refuses at once.
 */
import { Buffer } from "node:buffer";
import type { AbortedTransaction } from "../batch/aborted_filter.ts";
import { Reader, writeVarint } from "./reader.ts";
import { chooseVersion, type Request } from "./request.ts";

/** Limits of a fetch. */
export interface FetchLimits {
  /** The longest wait of the broker for records, in milliseconds. */
  readonly maxWaitMs: number;
  /** Limit of the response, in bytes; its first batch may be larger. */
  readonly maxBytes: number;
  /** Limit of one partition, in bytes. */
  readonly maxPartitionBytes: number;
}

/** A position from which to fetch. */
export interface FetchPosition {
  /** Id of the topic, 32 hexadecimal digits. */
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  /** Epoch of the leader, as the metadata has it. */
  readonly leaderEpoch: number;
}

/** A partition in the response. */
export interface FetchedPartitionData {
  readonly topicId: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  /** The end of what is read committed: before the first record of a transaction that is open. */
  readonly lastStable: number;
  /** The offset of the first record that is still there. */
  readonly low: number;
  readonly aborted: readonly AbortedTransaction[];
  /** Batches; the last may be cut off. A window on the response. */
  readonly data: Buffer;
}

/** Response of the Fetch request. */
export interface FetchResponse {
  readonly clientSideThrottleTime: number;
  readonly error: number;
  readonly partitions: readonly FetchedPartitionData[];
}

const API_KEY = 1;
const VERSION = 13;
const READ_COMMITTED = 1;
const CONSUMER = -1;
const TOPIC_ID_BYTES = 16;
const PARTITION_BYTES = 33;
/** An id, a count of up to five bytes, tagged fields. */
const TOPIC_BYTES = TOPIC_ID_BYTES + 6;
/** Everything but topics, with a count of up to five bytes. */
const FIXED_BYTES = 33;

/**
 * Asks for the records of some partitions, read committed.
 *
 * @param positions where each partition goes on. The broker fills its response in their order
 */
export function fetchRequest(positions: readonly FetchPosition[], limits: FetchLimits): Request<FetchResponse> {
  return {
    name: "Fetch",
    encode(versions) {
      const version = chooseVersion("Fetch", API_KEY, { min: VERSION, max: VERSION }, versions);
      return { apiKey: API_KEY, version, isFlexible: true, body: encode(positions, limits), decode };
    },
  };
}

function encode(positions: readonly FetchPosition[], { maxWaitMs, maxBytes, maxPartitionBytes }: FetchLimits): Buffer {
  const topics = Map.groupBy(positions, ({ topicId }) => topicId);
  const body = Buffer.alloc(FIXED_BYTES + topics.size * TOPIC_BYTES + positions.length * PARTITION_BYTES);
  let at = body.writeInt32BE(CONSUMER, 0);
  at = body.writeInt32BE(maxWaitMs, at);
  at = body.writeInt32BE(1, at); // at least one byte
  at = body.writeInt32BE(maxBytes, at);
  at = body.writeInt8(READ_COMMITTED, at);
  at = body.writeInt32BE(0, at); // no session
  at = body.writeInt32BE(-1, at);
  at = writeVarint(body, topics.size + 1, at);
  for (const [topicId, partitions] of topics) {
    at += body.write(topicId, at, "hex");
    at = writeVarint(body, partitions.length + 1, at);
    for (const { partition, offset, leaderEpoch } of partitions) {
      at = body.writeInt32BE(partition, at);
      at = body.writeInt32BE(leaderEpoch, at);
      at = body.writeBigInt64BE(BigInt(offset), at);
      at = body.writeInt32BE(-1, at); // the epoch of the last record: a follower's business
      at = body.writeBigInt64BE(-1n, at); // so is the log's start
      at = body.writeInt32BE(maxPartitionBytes, at) + 1; // and no tagged fields
    }
    at++; // no tagged fields
  }
  at = writeVarint(body, 1, at); // nothing is taken out of a session
  at = writeVarint(body, 1, at); // no rack
  return body.subarray(0, at + 1); // and no tagged fields
}

function decode(payload: Buffer): FetchResponse {
  const reader = new Reader(payload);
  reader.skipTags();
  const clientSideThrottleTime = reader.int32();
  const error = reader.int16();
  reader.int32(); // the session's id
  const partitions = reader.compactArray(() => {
    const topicId = reader.bytes(TOPIC_ID_BYTES).toString("hex");
    const ofTopic = reader.compactArray(() => readPartition(reader, topicId));
    reader.skipTags();
    return ofTopic;
  }).flat();
  return { clientSideThrottleTime, error, partitions };
}

function readPartition(reader: Reader, topicId: string): FetchedPartitionData {
  const partition = reader.int32();
  const error = reader.int16();
  const highWatermark = reader.int64();
  const lastStable = reader.int64();
  const low = reader.int64();
  const aborted = reader.compactArray(() => {
    const transaction = { producerId: reader.bigInt64(), firstOffset: reader.int64() };
    reader.skipTags();
    return transaction;
  });
  reader.int32(); // a replica that is nearer: none without a rack
  const data = reader.bytes(Math.max(reader.varint() - 1, 0));
  reader.skipTags();
  return { topicId, partition, error, highWatermark, lastStable, low, aborted, data };
}
