/**
 * The Fetch request in version 10: only leaders answer. From version 11 on a follower may answer, also one that is being
 * shut down, and a leader that lost its place is noticed seconds later.
 */
import { Buffer } from "node:buffer";
import type { AbortedTransaction } from "../batch/aborted_filter.ts";
import type { Position } from "../../../support/position.ts";
import { Reader } from "./reader.ts";
import { chooseVersion, type Request } from "./request.ts";

/** Limits of a fetch. */
export interface FetchLimits {
  /** How long the broker waits for records, in milliseconds. */
  readonly maxWaitMs: number;
  /** Limit of the response, in bytes; its first batch may be larger. */
  readonly maxBytes: number;
  /** Limit of one partition, in bytes. */
  readonly maxPartitionBytes: number;
}

/** A partition in the response. */
export interface FetchedPartitionData {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
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
const VERSION = 10;
const READ_COMMITTED = 1;
const CONSUMER = -1;
const PARTITION_BYTES = 28;
const FIXED_BYTES = 33;

/**
 * Asks for the records of some partitions, read committed.
 *
 * @param positions where each partition goes on. The broker fills its response in their order
 */
export function fetchRequest(positions: readonly Position[], limits: FetchLimits): Request<FetchResponse> {
  return {
    name: "Fetch",
    encode(versions) {
      const version = chooseVersion("Fetch", API_KEY, { min: VERSION, max: VERSION }, versions);
      return { apiKey: API_KEY, version, body: encode(positions, limits), decode };
    },
  };
}

function encode(positions: readonly Position[], { maxWaitMs, maxBytes, maxPartitionBytes }: FetchLimits): Buffer {
  const topics = Map.groupBy(positions, ({ topic }) => topic);
  let size = FIXED_BYTES + positions.length * PARTITION_BYTES;
  for (const topic of topics.keys()) size += 6 + Buffer.byteLength(topic);
  const body = Buffer.allocUnsafe(size);
  let at = body.writeInt32BE(CONSUMER, 0);
  at = body.writeInt32BE(maxWaitMs, at);
  at = body.writeInt32BE(1, at); // at least one byte
  at = body.writeInt32BE(maxBytes, at);
  at = body.writeInt8(READ_COMMITTED, at);
  at = body.writeInt32BE(0, at); // no session
  at = body.writeInt32BE(-1, at);
  at = body.writeInt32BE(topics.size, at);
  for (const [topic, partitions] of topics) {
    at = body.writeInt16BE(Buffer.byteLength(topic), at);
    at += body.write(topic, at);
    at = body.writeInt32BE(partitions.length, at);
    for (const { partition, offset } of partitions) {
      at = body.writeInt32BE(partition, at);
      at = body.writeInt32BE(-1, at); // the leader's epoch: unknown
      at = body.writeBigInt64BE(BigInt(offset), at);
      at = body.writeBigInt64BE(-1n, at); // the log's start: a follower's business
      at = body.writeInt32BE(maxPartitionBytes, at);
    }
  }
  body.writeInt32BE(0, at); // nothing is taken out of a session
  return body;
}

function decode(payload: Buffer): FetchResponse {
  const reader = new Reader(payload);
  const clientSideThrottleTime = reader.int32();
  const error = reader.int16();
  reader.int32(); // the session's id
  const partitions = reader.array(() => {
    const topic = reader.string() ?? "";
    return reader.array(() => readPartition(reader, topic));
  }).flat();
  return { clientSideThrottleTime, error, partitions };
}

function readPartition(reader: Reader, topic: string): FetchedPartitionData {
  const partition = reader.int32();
  const error = reader.int16();
  const highWatermark = reader.int64();
  reader.int64(); // the last stable offset: what is read committed ends there
  const logStartOffset = reader.int64();
  const aborted = reader.array(() => ({ producerId: reader.bigInt64(), firstOffset: reader.int64() }));
  const data = reader.bytes(Math.max(reader.int32(), 0));
  return { topic, partition, error, highWatermark, logStartOffset, aborted, data };
}
