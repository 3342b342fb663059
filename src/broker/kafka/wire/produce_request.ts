/** The Produce request in version 7, with acknowledgement by all in-sync replicas. Batches are ready bytes. */
import { Buffer } from "node:buffer";
import type { TopicPartition } from "../../../support/position.ts";
import { Reader } from "./reader.ts";
import { chooseVersion, type Request } from "./request.ts";

/** A batch and the partition that it goes to. */
export interface ProducedBatch extends TopicPartition {
  /** A sealed and stamped record batch. */
  readonly bytes: Buffer;
}

/** A partition in the response. */
export interface ProducedPartition extends TopicPartition {
  readonly error: number;
  /** Offset of the batch's first record; −1 if it is not known. */
  readonly baseOffset: number;
}

/** Response of the Produce request. */
export interface ProduceResponse {
  readonly clientSideThrottleTime: number;
  readonly partitions: readonly ProducedPartition[];
}

const API_KEY = 0;
const VERSION = 7;
const ALL_IN_SYNC = -1;
const FIXED_BYTES = 12;

/**
 * Appends one batch to each of some partitions that one broker leads.
 *
 * @param ackTimeoutMs how long the broker waits for the in-sync replicas, in milliseconds
 */
export function produceRequest(batches: readonly ProducedBatch[], ackTimeoutMs: number): Request<ProduceResponse> {
  return {
    name: "Produce",
    encode(versions) {
      const version = chooseVersion("Produce", API_KEY, { min: VERSION, max: VERSION }, versions);
      return { apiKey: API_KEY, version, body: encode(batches, ackTimeoutMs), decode };
    },
  };
}

function encode(batches: readonly ProducedBatch[], ackTimeoutMs: number): Buffer {
  const topics = Map.groupBy(batches, ({ topic }) => topic);
  let size = FIXED_BYTES;
  for (const topic of topics.keys()) size += 6 + Buffer.byteLength(topic);
  for (const { bytes } of batches) size += 8 + bytes.length;
  const body = Buffer.allocUnsafe(size);
  let at = body.writeInt16BE(-1, 0); // no transaction
  at = body.writeInt16BE(ALL_IN_SYNC, at);
  at = body.writeInt32BE(ackTimeoutMs, at);
  at = body.writeInt32BE(topics.size, at);
  for (const [topic, ofTopic] of topics) {
    at = body.writeInt16BE(Buffer.byteLength(topic), at);
    at += body.write(topic, at);
    at = body.writeInt32BE(ofTopic.length, at);
    for (const { partition, bytes } of ofTopic) {
      at = body.writeInt32BE(partition, at);
      at = body.writeInt32BE(bytes.length, at);
      at += bytes.copy(body, at);
    }
  }
  return body;
}

function decode(payload: Buffer): ProduceResponse {
  const reader = new Reader(payload);
  const partitions = reader.array(() => {
    const topic = reader.string() ?? "";
    return reader.array(() => {
      const produced = { topic, partition: reader.int32(), error: reader.int16(), baseOffset: reader.int64() };
      reader.int64(); // the time of the append, where the broker sets it
      reader.int64(); // the log's start
      return produced;
    });
  }).flat();
  return { clientSideThrottleTime: reader.int32(), partitions };
}
