/** Record batches for tests: of this library, of kafkajs, and made by hand. */
import { Buffer } from "node:buffer";
import type { NewRecord, StoredRecord } from "../../../src/broker/broker.ts";
import { BatchBuilder } from "../../../src/broker/kafka/batch/batch_builder.ts";
import { crc32c } from "../../../src/broker/kafka/batch/crc32c.ts";
import { isRead, openBatch, readRecords } from "../../../src/broker/kafka/batch/decode_batch.ts";
import {
  type BatchBounds,
  batchesIn,
  type Compression,
  COMPRESSIONS,
  Field,
  HEADER_BYTES,
} from "../../../src/broker/kafka/batch/layout.ts";
import type { Random } from "../random.ts";

/** A limit that no test reaches unless it is about it. */
const MAX_BYTES = 64 * 1024 * 1024;

/** A record and its time. */
export type TimedRecord = NewRecord & { readonly timestampMs: number };

/** A sealed and stamped batch, as the producer sends it. */
export function batchOf(records: readonly TimedRecord[]): Buffer {
  const builder = builderOf(records);
  void builder.seal("none");
  builder.stamp(-1n, -1, -1);
  return Buffer.from(builder.sealed!);
}

/** The same, compressed. */
export async function packedBatchOf(
  records: readonly TimedRecord[],
  compression: "none" | "gzip" | "zstd",
): Promise<Buffer> {
  const builder = builderOf(records);
  await builder.seal(compression);
  builder.stamp(-1n, -1, -1);
  return Buffer.from(builder.sealed!);
}

function builderOf(records: readonly TimedRecord[]): BatchBuilder {
  const builder = new BatchBuilder();
  for (const { timestampMs, ...record } of records) {
    if (!builder.add(record, timestampMs, Infinity)) throw new Error("The record does not fit");
  }
  return builder;
}

/** Decodes a batch to its end. */
export function decodeBatch(data: Buffer, bounds: BatchBounds, from: number, maxBytes: number): StoredRecord[] {
  const batch = openBatch(data, bounds, from, maxBytes);
  const records: StoredRecord[] = [];
  do records.push(...readRecords(batch, 1000)); while (!isRead(batch));
  return records;
}

/** Decodes all batches of some data. */
export function decodeAll(data: Buffer, from = 0, maxBytes = MAX_BYTES): StoredRecord[] {
  return [...batchesIn(data)].flatMap((bounds) => decodeBatch(data, bounds, from, maxBytes));
}

/** The bounds of data that is one batch. */
export function boundsOf(data: Buffer): BatchBounds {
  return [...batchesIn(data)][0]!;
}

/** Fields of a batch header that a test changes. */
export interface Changes {
  readonly baseOffset?: number;
  readonly lastOffsetDelta?: number;
  readonly attributes?: number;
  readonly maxTimestamp?: number;
  readonly producerId?: number;
  readonly count?: number;
  readonly magic?: number;
}

/** Changes fields of a batch's header, and its checksum. */
export function changed(batch: Buffer, changes: Changes): Buffer {
  const bytes = Buffer.from(batch);
  const { baseOffset, lastOffsetDelta, attributes, maxTimestamp, producerId, count, magic } = changes;
  if (baseOffset !== undefined) bytes.writeBigInt64BE(BigInt(baseOffset), Field.baseOffset);
  if (lastOffsetDelta !== undefined) bytes.writeInt32BE(lastOffsetDelta, Field.lastOffsetDelta);
  if (attributes !== undefined) bytes.writeInt16BE(attributes, Field.attributes);
  if (maxTimestamp !== undefined) bytes.writeBigInt64BE(BigInt(maxTimestamp), Field.maxTimestamp);
  if (producerId !== undefined) bytes.writeBigInt64BE(BigInt(producerId), Field.producerId);
  if (count !== undefined) bytes.writeInt32BE(count, Field.count);
  if (magic !== undefined) bytes[Field.magic] = magic;
  return withChecksum(bytes);
}

/** The batch with other bytes for its records. */
export function withPayload(batch: Buffer, payload: Uint8Array, compression: Compression): Buffer {
  const bytes = Buffer.concat([batch.subarray(0, HEADER_BYTES), payload]);
  bytes.writeInt32BE(bytes.length - 12, Field.length);
  bytes.writeInt16BE(COMPRESSIONS.indexOf(compression), Field.attributes);
  return withChecksum(bytes);
}

/** Writes the checksum of a batch. */
export function withChecksum(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, Field.attributes, bytes.length), Field.checksum);
  return bytes;
}

/** The marker that ends a transaction. */
export function markerBatch(baseOffset: number, producerId: number, type: "abort" | "commit"): Buffer {
  const key = Uint8Array.of(0, 0, 0, type === "abort" ? 0 : 1);
  return changed(batchOf([{ key, value: Uint8Array.of(0, 0, 0, 0, 0, 0), timestampMs: 1 }]), {
    baseOffset,
    producerId,
    attributes: 16 | 32,
  });
}

const TEXTS = ["", "a", "plain ASCII", "Grüße, 世界 🎉", "\u0000\u007f\u0080", "\ud800", "x\udc00y", "\ufffd"];

/** A random string or bytes, of any length that a varint distinguishes. */
export function randomData(random: Random): Uint8Array | string | null {
  switch (random.integer(0, 5)) {
    case 0:
      return null;
    case 1:
      return random.pick(TEXTS);
    case 2:
      return random.pick(TEXTS).repeat(random.integer(0, 30));
    case 3:
      return Uint8Array.from({ length: random.pick([0, 1, 63, 64, 65, 200]) }, () => random.integer(0, 255));
    case 4:
      return "x".repeat(random.pick([62, 63, 64, 127, 128, 8191, 8192, 8193]));
    default:
      return JSON.stringify({ job_class: "MailJob", arguments: [random.integer(0, 1e6)] });
  }
}

/** A random record. */
export function randomRecord(random: Random, timestampMs: number): TimedRecord {
  const headers = Array.from({ length: random.pick([0, 0, 1, 3, 70]) }, () => {
    const value = randomData(random);
    return [random.pick(TEXTS), typeof value === "string" ? new TextEncoder().encode(value) : value] as const;
  });
  return { key: randomData(random), value: randomData(random), headers, timestampMs };
}

/** Data as bytes, to compare a string with its encoding. */
export function bytesOf(data: Uint8Array | string | null | undefined): string | null {
  if (data === null || data === undefined) return null;
  return Buffer.from(typeof data === "string" ? new TextEncoder().encode(data) : data).toString("hex");
}
