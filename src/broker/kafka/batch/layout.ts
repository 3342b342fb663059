/**
 * Layout of a record batch in format 2 (Kafka 0.11 and later): a header of 61 bytes, then the records, which may be
 * compressed as a whole. Offsets and timestamps of the records are distances from those in the header.
 */
import type { Buffer } from "node:buffer";
import { readInt64 } from "../wire/reader.ts";

/** Position of each field in the header. The checksum covers everything behind it. */
export const Field = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const;

/** Bytes of the header. */
export const HEADER_BYTES = 61;
/** Bytes of the shortest message in one of the formats before 2. */
const OLD_MESSAGE_BYTES = 26;
/** Bytes before those that the field "length" counts. */
export const LENGTH_END = 12;
/** The format that this library reads and writes. */
export const MAGIC = 2;

/** Bits of the field "attributes"; the lowest three are the compression. */
export const Attribute = { compression: 7, logAppendTime: 8, transactional: 16, control: 32 } as const;

/** Compressions by their number. */
export const COMPRESSIONS = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** Name of a compression. */
export type Compression = (typeof COMPRESSIONS)[number];

/** A batch in a response, before its records are looked at. */
export interface BatchBounds {
  /** Position of its first byte in the data. */
  readonly start: number;
  /** Position after its last byte. */
  readonly end: number;
  /** Offset of its first record. */
  readonly baseOffset: number;
  /** Offset of its last record, also where compaction has removed that record. */
  readonly lastOffset: number;
  /** Format of the batch; see {@linkcode MAGIC}. */
  readonly magic: number;
}

/**
 * Finds the whole batches in the data of a partition. A last batch that the broker cut off is left out, and whatever follows
 * one whose length is damaged: nothing after it can be found.
 */
export function* batchesIn(data: Buffer): Generator<BatchBounds> {
  let start = 0;
  while (start + OLD_MESSAGE_BYTES <= data.length) {
    const magic = data[start + Field.magic]!;
    const end = start + LENGTH_END + data.readInt32BE(start + Field.length);
    if (end > data.length || end < start + (magic < MAGIC ? OLD_MESSAGE_BYTES : HEADER_BYTES)) return;
    const baseOffset = readInt64(data, start + Field.baseOffset);
    const delta = magic === MAGIC ? data.readInt32BE(start + Field.lastOffsetDelta) : 0;
    yield { start, end, baseOffset, lastOffset: baseOffset + Math.max(delta, 0), magic };
    start = end;
  }
}
