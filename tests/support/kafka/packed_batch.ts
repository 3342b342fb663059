/** Record batches as foreign producers write them, in each compression, and such as no producer should write. */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import type { NewRecord } from "../../../src/broker/broker.ts";
import { BatchBuilder } from "../../../src/broker/kafka/batch/batch_builder.ts";
import { crc32c } from "../../../src/broker/kafka/batch/crc32c.ts";
import {
  Attribute,
  type BatchBounds,
  batchesIn,
  type Compression,
  COMPRESSIONS,
  Field,
  HEADER_BYTES,
  LENGTH_END,
} from "../../../src/broker/kafka/batch/layout.ts";

const SNAPPY_JAVA = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
const SNAPPY_BLOCK_BYTES = 32 * 1024;
const LZ4_BLOCK_BYTES = 64 * 1024;

/** Compresses the records of a batch. snappy in the blocks of snappy-java. */
export function pack(compression: Compression, records: Buffer): Buffer {
  switch (compression) {
    case "none":
      return records;
    case "gzip":
      return zlib.gzipSync(records);
    case "zstd":
      return zlib.zstdCompressSync(records);
    case "snappy": {
      const parts: Buffer[] = [SNAPPY_JAVA];
      for (let at = 0; at < records.length; at += SNAPPY_BLOCK_BYTES) {
        const block = snappyBlock(records.subarray(at, at + SNAPPY_BLOCK_BYTES));
        const size = Buffer.alloc(4);
        size.writeInt32BE(block.length);
        parts.push(size, block);
      }
      return Buffer.concat(parts);
    }
    case "lz4": {
      // Version 1, independent blocks of 64 KB.
      const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])];
      for (let at = 0; at < records.length; at += LZ4_BLOCK_BYTES) {
        const block = lz4Block(records.subarray(at, at + LZ4_BLOCK_BYTES));
        const size = Buffer.alloc(4);
        size.writeUInt32LE(block.length);
        parts.push(size, block);
      }
      return Buffer.concat([...parts, Buffer.alloc(4)]);
    }
  }
}

/** A batch with the base offset 0. */
export function packedBatch(records: readonly NewRecord[], compression: Compression = "none"): Buffer {
  const builder = new BatchBuilder();
  for (const record of records) builder.add(record, 1_700_000_000_000, Infinity);
  builder.seal("none");
  builder.stamp(-1n, -1, -1);
  const sealed = builder.sealed!;
  return withRecords(sealed, pack(compression, sealed.subarray(HEADER_BYTES)), compression);
}

/** Puts other bytes where the records of a batch are, and says that they are in this compression. */
export function withRecords(batch: Buffer, records: Buffer, compression: Compression): Buffer {
  const changed = Buffer.concat([batch.subarray(0, HEADER_BYTES), records]);
  changed.writeInt32BE(changed.length - LENGTH_END, Field.length);
  const others = changed.readInt16BE(Field.attributes) & ~Attribute.compression;
  changed.writeInt16BE(others | COMPRESSIONS.indexOf(compression), Field.attributes);
  return withChecksum(changed);
}

/** Sets the checksum of a batch to the right one, in place. */
export function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch, Field.attributes, batch.length), Field.checksum);
  return batch;
}

/** The bounds of the only batch in some data. */
export function boundsOf(data: Buffer): BatchBounds {
  const [bounds, ...others] = batchesIn(data);
  if (bounds === undefined || others.length > 0) throw new Error("Expected exactly one batch");
  return bounds;
}

/** A block with literals, and copies of the byte before where it repeats. */
function snappyBlock(data: Buffer): Buffer {
  const out: number[] = [];
  for (let size = data.length;; size >>>= 7) {
    out.push(size > 0x7f ? (size & 0x7f) | 0x80 : size);
    if (size <= 0x7f) break;
  }
  for (const [literal, length] of runsOf(data)) {
    for (let at = 0; at < literal.length; at += 60) {
      const part = literal.subarray(at, at + 60);
      out.push((part.length - 1) << 2, ...part);
    }
    for (let left = length; left > 0; left -= Math.min(left, 64)) out.push((Math.min(left, 64) - 1) << 2 | 2, 1, 0);
  }
  return Buffer.from(out);
}

/** A block with literals, and matches of the byte before where it repeats. */
function lz4Block(data: Buffer): Buffer {
  const out: number[] = [];
  const long = (length: number): void => {
    if (length < 15) return;
    length -= 15;
    for (; length >= 255; length -= 255) out.push(255);
    out.push(length);
  };
  for (const [literal, length] of runsOf(data, 4, 12)) {
    const match = Math.max(0, length - 4);
    out.push((Math.min(literal.length, 15) << 4) | Math.min(match, 15));
    long(literal.length);
    for (const byte of literal) out.push(byte);
    if (length === 0) break;
    out.push(1, 0);
    long(match);
  }
  return Buffer.from(out);
}

/** Splits data into literals, each followed by repetitions of its last byte; the last literal has none. */
function* runsOf(data: Buffer, minRun = 8, tail = 1): Generator<[literal: Buffer, repeats: number]> {
  let start = 0;
  for (let at = 1; at < data.length - tail; at++) {
    let end = at;
    while (end < data.length - tail && data[end] === data[at - 1]) end++;
    if (end - at < minRun) continue;
    yield [data.subarray(start, at), end - at];
    start = at = end;
  }
  yield [data.subarray(start), 0];
}
