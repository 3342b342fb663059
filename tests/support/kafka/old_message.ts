/**
 * A message in one of the formats before record batches (Kafka 0.10 and earlier), which a broker keeps as they were written:
 * offset, size, checksum, format, attributes, a timestamp in format 1, key, value.
 */
import { Buffer } from "node:buffer";
import zlib from "node:zlib";

const GZIP = 1;

/**
 * Makes a message.
 *
 * @param compressed whether the value holds other messages, as gzip
 */
export function oldMessage(format: 0 | 1, value: Uint8Array | string | null, compressed = false): Buffer {
  const bytes = value === null ? null : Buffer.from(compressed ? zlib.gzipSync(value) : value);
  const timestamp = Buffer.alloc(format === 0 ? 0 : 8);
  // Its middle is where a record batch has its attributes: there it would be a control batch.
  if (format === 1) timestamp.writeBigInt64BE(1_460_000_000_000n);
  const content = Buffer.concat([
    ...[Buffer.of(format, compressed ? GZIP : 0), timestamp, int32(-1), int32(bytes?.length ?? -1)],
    bytes ?? Buffer.alloc(0),
  ]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(zlib.crc32(content));
  return Buffer.concat([Buffer.alloc(8), int32(4 + content.length), checksum, content]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
