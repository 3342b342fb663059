/**
 * Decodes a record batch straight to the records of the broker interface. Keys and values become strings where they are
 * UTF-8, which is what a worker keeps anyway: nothing refers to the response any more, and its memory is free. Large ones
 * are windows on the response.
 *
 * The loop over the records is what a consumer does most, so integers are read in place.
 */
import type { Buffer } from "node:buffer";
import type { Headers, StoredRecord } from "../../broker.ts";
import { NO_HEADERS } from "../../record.ts";
import { type BatchHeader, readBatchHeader, UnreadableBatchError } from "./batch_header.ts";
import { decompress } from "./decompress.ts";
import { TooLargeError } from "./decompression_errors.ts";
import { type BatchBounds, HEADER_BYTES } from "./layout.ts";
import { TextWindow } from "./text_window.ts";

/** A batch that unpacks to more is read in parts, in bytes: what a producer makes by default is less. */
export const MAX_AT_ONCE_BYTES = 2 * 1024 * 1024;

/** A record has so many headers at most: one more, and it is unreadable. Each costs far more in memory than on the wire. */
const MAX_HEADERS = 100_000;
/** Longer data stays bytes: a worker keeps it so. */
const MAX_STRING_BYTES = 64 * 1024;

/** A batch whose records are read, some at a time. */
export interface OpenBatch {
  readonly header: BatchHeader;
  /** The records, not compressed. */
  readonly bytes: Buffer;
  /** First offset that is wanted: a broker sends whole batches. */
  readonly from: number;
  /** Whether values are read; otherwise a value is `""`. */
  readonly hasValues: boolean;
  /** Position of the next record in `bytes`. */
  at: number;
  /** Number of records before it. */
  count: number;
  /** Offset of the record before it; less than that of any record at the start. */
  before: number;
}

/**
 * Opens a batch: checks its header, and decompresses it.
 *
 * @param from first offset that is wanted
 * @param maxBytes limit of the decompressed records, in bytes
 * @throws {UnreadableBatchError} if it cannot be read
 * @throws {TooLargeError} if its records have more bytes: it can be read in parts
 */
export function openBatch(data: Buffer, bounds: BatchBounds, from: number, maxBytes: number): OpenBatch {
  const header = readBatchHeader(data, bounds);
  const packed = data.subarray(bounds.start + HEADER_BYTES, bounds.end);
  try {
    return openRecords(header, decompress(header.compression, packed, maxBytes), from);
  } catch (cause) {
    if (cause instanceof TooLargeError) throw cause;
    throw new UnreadableBatchError(bounds, `${header.compression}: ${(cause as Error).message}`, { cause });
  }
}

/** Opens records that are decompressed already. */
export function openRecords(header: BatchHeader, bytes: Buffer, from: number): OpenBatch {
  return { header, bytes, from, hasValues: true, at: 0, count: 0, before: -1 };
}

/** Whether all records of a batch are read, and nothing follows them. */
export function isRead({ header, bytes, at, count }: OpenBatch): boolean {
  return count >= header.count && at === bytes.length;
}

/**
 * Reads the next records of a batch.
 *
 * @param maxRecords limit of their number
 * @returns fewer if the batch ends, or cannot be read further: then the next call throws
 * @throws {UnreadableBatchError} if the next record cannot be read
 */
export function readRecords(batch: OpenBatch, maxRecords: number): StoredRecord[] {
  const records: StoredRecord[] = [];
  try {
    readInto(records, batch, maxRecords);
  } catch (error) {
    if (records.length === 0) throw error;
  }
  return records;
}

function readInto(records: StoredRecord[], batch: OpenBatch, maxRecords: number): void {
  const { bytes, from, hasValues, header: { bounds, baseTimestampMs, appendTimeMs, count } } = batch;
  const { baseOffset, lastOffset } = bounds;
  const texts = new TextWindow(bytes);
  let { at, before } = batch;
  while (batch.count < count) {
    if (records.length >= maxRecords) return;
    if (at >= bytes.length) {
      throw new UnreadableBatchError(bounds, `it has ${batch.count} records, and announces ${count}`);
    }
    let byte: number, value: number, shift: number;

    // Length of the record.
    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value += ((byte = bytes[at++]!) & 0x7f) * 2 ** shift;
    const next = at + value / 2;
    if (value % 2 === 1 || !(next <= bytes.length)) {
      throw new UnreadableBatchError(bounds, "a record reaches beyond its end");
    }
    at++; // attributes, unused

    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value += ((byte = bytes[at++]!) & 0x7f) * 2 ** shift;
    const timestampMs = appendTimeMs ?? baseTimestampMs + (value % 2 === 1 ? -(value + 1) / 2 : value / 2);

    value = (byte = bytes[at++]!) & 0x7f;
    for (shift = 7; byte > 0x7f; shift += 7) value += ((byte = bytes[at++]!) & 0x7f) * 2 ** shift;
    const offset = baseOffset + value / 2;
    // Its offsets would be another batch's, or none at all.
    if (value % 2 === 1 || offset > lastOffset || offset <= before) {
      throw new UnreadableBatchError(bounds, "the offsets of its records are not in order");
    }

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

    if (!(at < next)) throw new UnreadableBatchError(bounds, "a record is longer than it says");
    if (offset >= from) {
      const key = keyLength < 0 ? null : dataOf(bytes, texts, keyAt, keyAt + keyLength);
      const value = valueLength < 0 ? null : hasValues ? dataOf(bytes, texts, valueAt, valueAt + valueLength) : "";
      const headers = bytes[at] === 0 ? NO_HEADERS : readHeaders(bytes, at, next, bounds);
      const valueBytes = Math.max(valueLength, 0);
      records.push(
        headers === null
          ? { offset, key, value, headers: NO_HEADERS, timestampMs, valueBytes, unreadable: TOO_MANY_HEADERS }
          : { offset, key, value, headers, timestampMs, valueBytes },
      );
    }
    batch.at = at = next;
    batch.before = before = offset;
    batch.count++;
  }
  if (at < bytes.length) {
    throw new UnreadableBatchError(bounds, `it has more records than the ${count} that it announces`);
  }
}

/** A string where the bytes are UTF-8, else a copy of them; of large ones a window, which the receiver copies. */
function dataOf(bytes: Buffer, texts: TextWindow, from: number, to: number): string | Uint8Array {
  return to - from > MAX_STRING_BYTES ? bytes.subarray(from, to) : texts.read(from, to);
}

const TOO_MANY_HEADERS = `The record has more than ${MAX_HEADERS} headers`;

/** @returns the headers; `null` if there are too many */
function readHeaders(bytes: Buffer, at: number, end: number, bounds: BatchBounds): Headers | null {
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
  // A header has two bytes at least: a larger count is wrong, and must not become a list of that size.
  if (count < 0 || count > (end - at) / 2) throw new UnreadableBatchError(bounds, `${count} headers do not fit`);
  if (count > MAX_HEADERS) return null;
  const headers: [string, Uint8Array | null][] = [];
  for (let index = 0; index < count; index++) {
    const name = part(varint()).toString();
    const length = varint();
    headers.push([name, length < 0 ? null : new Uint8Array(part(length))]);
  }
  return headers;
}
