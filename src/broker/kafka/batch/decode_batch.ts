/**
 * Decodes a record batch straight to the records of the broker interface. Keys and values become strings where they are
 * UTF-8, which is what a worker keeps anyway: nothing refers to the response any more, and its memory is free.
 *
 * The loop over the records is what a consumer does most, so integers are read in place.
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { Headers, StoredRecord } from "../../broker.ts";
import { NO_HEADERS } from "../../record.ts";
import { readInt64 } from "../wire/reader.ts";
import { decompress } from "./decompress.ts";
import { Attribute, type BatchBounds, COMPRESSIONS, Field, HEADER_BYTES, MAGIC } from "./layout.ts";

/** A batch cannot be read: it is in an unknown format, damaged, or too large. */
export class UnreadableBatchError extends Error {
  override name = "UnreadableBatchError";
  /** Offset of its first record. */
  readonly baseOffset: number;
  /** Offset of its last record. */
  readonly lastOffset: number;

  constructor({ baseOffset, lastOffset }: BatchBounds, problem: string, options?: ErrorOptions) {
    super(`Cannot read the batch with offsets ${baseOffset} to ${lastOffset}: ${problem}`, options);
    this.baseOffset = baseOffset;
    this.lastOffset = lastOffset;
  }
}

/**
 * Decodes the records of a batch.
 *
 * @param from first offset that is wanted: a broker sends whole batches
 * @param maxBytes limit of the decompressed records, in bytes
 * @throws {UnreadableBatchError} if it cannot be read
 */
export function decodeBatch(data: Buffer, bounds: BatchBounds, from: number, maxBytes: number): StoredRecord[] {
  const { start, end, baseOffset, magic } = bounds;
  if (magic !== MAGIC) throw new UnreadableBatchError(bounds, `message format ${magic} is not supported, only 2 is`);
  const attributes = data.readInt16BE(start + Field.attributes);
  const count = data.readInt32BE(start + Field.count);
  const baseTimestampMs = readInt64(data, start + Field.baseTimestamp);
  const appendTimeMs = attributes & Attribute.logAppendTime ? readInt64(data, start + Field.maxTimestamp) : null;
  const compression = COMPRESSIONS[attributes & Attribute.compression];
  if (compression === undefined) {
    throw new UnreadableBatchError(bounds, `compression ${attributes & Attribute.compression} is not known`);
  }
  let bytes: Buffer;
  try {
    bytes = decompress(compression, data.subarray(start + HEADER_BYTES, end), maxBytes);
  } catch (cause) {
    throw new UnreadableBatchError(bounds, `${compression}: ${(cause as Error).message}`, { cause });
  }
  const records: StoredRecord[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at >= bytes.length) throw new UnreadableBatchError(bounds, `it has ${index} records, and announces ${count}`);
    let byte: number, value: number, shift: number;

    // Length of the record.
    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value += ((byte = bytes[at++]!) & 0x7f) * 2 ** shift;
    const next = at + value / 2;
    if (value % 2 === 1 || next > bytes.length) {
      throw new UnreadableBatchError(bounds, "a record reaches beyond its end");
    }
    at++; // attributes, unused

    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value += ((byte = bytes[at++]!) & 0x7f) * 2 ** shift;
    const timestampMs = appendTimeMs ?? baseTimestampMs + (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value += ((byte = bytes[at++]!) & 0x7f) * 2 ** shift;
    const offset = baseOffset + value / 2;

    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value |= ((byte = bytes[at++]!) & 0x7f) << shift;
    const keyLength = (value >>> 1) ^ -(value & 1);
    const keyAt = at;
    if (keyLength > 0) at += keyLength;

    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value |= ((byte = bytes[at++]!) & 0x7f) << shift;
    const valueLength = (value >>> 1) ^ -(value & 1);
    const valueAt = at;
    if (valueLength > 0) at += valueLength;

    if (at >= next) throw new UnreadableBatchError(bounds, "a record is longer than it says");
    if (offset >= from) {
      records.push({
        offset,
        key: keyLength < 0 ? null : dataOf(bytes, keyAt, keyAt + keyLength),
        value: valueLength < 0 ? null : dataOf(bytes, valueAt, valueAt + valueLength),
        headers: bytes[at] === 0 ? NO_HEADERS : readHeaders(bytes, at, next, bounds),
        timestampMs,
      });
    }
    at = next;
  }
  return records;
}

const decodeUtf8 = (Buffer.prototype as unknown as { utf8Slice(this: Buffer, start: number, end: number): string })
  .utf8Slice;

/** A string where the bytes are UTF-8, else a copy of them. */
function dataOf(bytes: Buffer, from: number, to: number): string | Uint8Array {
  const text = decodeUtf8.call(bytes, from, to);
  // Decoding puts U+FFFD where bytes are not UTF-8: only where one stands, the bytes are looked at again.
  if (!text.includes("\ufffd") || isUtf8(bytes.subarray(from, to))) return text;
  return Uint8Array.prototype.slice.call(bytes, from, to);
}

function readHeaders(bytes: Buffer, at: number, end: number, bounds: BatchBounds): Headers {
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw new UnreadableBatchError(bounds, "a header reaches beyond its record");
      const byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >>> 1) ^ -(value & 1);
  };
  const part = (length: number): Buffer => {
    if (length < 0 || at + length > end) throw new UnreadableBatchError(bounds, "a header reaches beyond its record");
    return bytes.subarray(at, at += length);
  };
  const count = varint();
  // A header has two bytes at least: a larger count is a lie, and must not become a list of that size.
  if (count < 0 || count > (end - at) / 2) throw new UnreadableBatchError(bounds, `${count} headers do not fit`);
  const headers: [string, Uint8Array | null][] = [];
  for (let index = 0; index < count; index++) {
    const name = part(varint()).toString();
    const length = varint();
    headers.push([name, length < 0 ? null : new Uint8Array(part(length))]);
  }
  return headers;
}
