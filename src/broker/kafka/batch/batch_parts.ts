/**
 * Reads a batch in parts, for one that is too large to be decompressed at once: a batch of a few hundred kilobytes may have
 * hundreds of megabytes of records. Each part is decompressed only when it is asked for, and a record above the limit is
 * passed over without being kept: it becomes an unreadable record.
 *
 *     chunks ──▶ whole records of the chunk ──▶ part
 *                 └── begin of a record: kept until the rest has come, or skipped if it is too large
 */
import { Buffer } from "node:buffer";
import type { RecordBatch, StoredRecord } from "../../broker.ts";
import { NO_HEADERS } from "../../record.ts";
import { type BatchHeader, readBatchHeader, UnreadableBatchError } from "./batch_header.ts";
import { isRead, type OpenBatch, openRecords, readRecords } from "./decode_batch.ts";
import { decompressInChunks } from "./decompress.ts";
import { type BatchBounds, HEADER_BYTES } from "./layout.ts";

const EMPTY = Buffer.alloc(0);

/** Some records of a batch, and the offset after them. */
export type BatchPart = Omit<RecordBatch, "highWatermark">;

/** The limit of a record, where the caller has none, in bytes. */
export const DEFAULT_MAX_RECORD_BYTES = 16 * 1024 * 1024;
/** Bytes of the records of one part. A single record may be larger. */
const MAX_PART_BYTES = 1024 * 1024;
/** Number of the records of one part: small ones cost more than their bytes. */
const MAX_PART_RECORDS = 10_000;
/** A batch that unpacks to more is not read any further, in bytes: a few hundred bytes can claim terabytes. */
const MAX_BATCH_BYTES = 1024 ** 3;
/** Bytes from the start of a record up to its offset, at most: length, attributes, time, offset. */
const MAX_PREFIX_BYTES = 21;

/**
 * Reads a batch. Never throws: what cannot be read is the last part, one unreadable record for all offsets that are left.
 *
 * @param from first offset that is wanted
 * @param maxRecordBytes limit of a record, in bytes
 */
export async function* batchParts(
  data: Buffer,
  bounds: BatchBounds,
  from: number,
  maxRecordBytes: number,
): AsyncGenerator<BatchPart> {
  let next = Math.max(from, bounds.baseOffset);
  try {
    const header = readBatchHeader(data, bounds);
    const packed = data.subarray(bounds.start + HEADER_BYTES, bounds.end);
    const splitter = new RecordSplitter(header, from, maxRecordBytes);
    for await (const chunk of decompressInChunks(header.compression, packed, 2 * maxRecordBytes)) {
      for (const records of splitter.push(chunk)) {
        next = splitter.isComplete ? bounds.lastOffset + 1 : records.at(-1)!.offset + 1;
        yield { records, next };
      }
      // Nothing is wanted of the rest, which may be a record that is too large.
      if (splitter.isComplete) break;
    }
    if (!splitter.isComplete) {
      throw new UnreadableBatchError(bounds, `it has ${splitter.count} records, and announces ${header.count}`);
    }
    if (next <= bounds.lastOffset) yield { records: [], next: bounds.lastOffset + 1 };
  } catch (error) {
    yield unreadablePart(bounds, next, error as Error);
  }
}

/**
 * Reads the next records of an open batch.
 *
 * @param maxRecords limit of their number
 * @returns the part; one unreadable record for all offsets that are left, if they cannot be read
 */
export function readPart(batch: OpenBatch, maxRecords: number): BatchPart {
  const { from, before, header: { bounds } } = batch;
  try {
    const records = readRecords(batch, maxRecords);
    return { records, next: isRead(batch) ? bounds.lastOffset + 1 : batch.before + 1 };
  } catch (error) {
    return unreadablePart(bounds, Math.max(from, before + 1), error as Error);
  }
}

/** Returns the part that represents all offsets of a batch from one on: one unreadable record, if any is left. */
export function unreadablePart(bounds: BatchBounds, from: number, error: Error): BatchPart {
  const offset = Math.max(from, bounds.baseOffset);
  const next = bounds.lastOffset + 1;
  if (offset >= next) return { records: [], next };
  const { message } = error instanceof UnreadableBatchError ? error : new UnreadableBatchError(bounds, error.message);
  return { records: [unreadableRecord(offset, message)], next };
}

function unreadableRecord(offset: number, unreadable: string): StoredRecord {
  return { offset, key: null, value: null, headers: NO_HEADERS, timestampMs: -1, unreadable };
}

/** Cuts chunks into parts of whole records. */
class RecordSplitter {
  readonly #header: BatchHeader;
  readonly #from: number;
  readonly #maxRecordBytes: number;
  /** The begin of a record: its rest comes with the next chunks. */
  #buffer: Buffer = EMPTY;
  #filled = 0;
  /** Bytes that must have come before it is worth looking. */
  #needed = 1;
  /** Bytes of a record that is passed over, still to come. */
  #toSkip = 0;
  #totalBytes = 0;
  #count = 0;

  constructor(header: BatchHeader, from: number, maxRecordBytes: number) {
    this.#header = header;
    this.#from = from;
    this.#maxRecordBytes = maxRecordBytes;
  }

  /** Number of records so far. */
  get count(): number {
    return this.#count;
  }

  /** Whether all records that the batch announces have come. */
  get isComplete(): boolean {
    return this.#count >= this.#header.count;
  }

  /** Takes a chunk. @returns the wanted records that are complete, in parts that are not empty */
  *push(chunk: Buffer): Generator<StoredRecord[]> {
    this.#totalBytes += chunk.length;
    if (this.#totalBytes > MAX_BATCH_BYTES) {
      throw new UnreadableBatchError(this.#header.bounds, `it unpacks to more than ${MAX_BATCH_BYTES} bytes`);
    }
    const rest = chunk.subarray(Math.min(this.#toSkip, chunk.length));
    this.#toSkip -= chunk.length - rest.length;
    const bytes = this.#filled === 0 ? rest : this.#append(rest);
    if (bytes.length < this.#needed) {
      if (this.#filled === 0) this.#append(rest);
      return;
    }
    const end = yield* this.#split(bytes);
    // Large values are windows on it: it is not used again.
    this.#buffer = EMPTY;
    this.#filled = 0;
    if (end < bytes.length) this.#append(bytes.subarray(end));
  }

  /** Adds to what is kept. @returns all of it */
  #append(bytes: Buffer): Buffer {
    const length = this.#filled + bytes.length;
    if (this.#buffer.length < length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#needed));
      this.#buffer.copy(larger, 0, 0, this.#filled);
      this.#buffer = larger;
    }
    bytes.copy(this.#buffer, this.#filled);
    this.#filled = length;
    return this.#buffer.subarray(0, length);
  }

  /** @returns the position after the last complete record */
  *#split(bytes: Buffer): Generator<StoredRecord[], number> {
    let start = 0;
    let at = 0;
    let count = 0;
    const flush = (): StoredRecord[] => {
      const part = openRecords({ ...this.#header, count }, bytes.subarray(start, at), this.#from);
      const records = readRecords(part, count);
      count = 0;
      return records;
    };
    const announced = this.#header.count;
    this.#needed = 1;
    while (this.#count < announced) {
      const [length, contentAt] = readSigned(bytes, at);
      if (length === null) {
        this.#needed = bytes.length - at + 1;
        break;
      }
      if (length < 0) throw new UnreadableBatchError(this.#header.bounds, "a record has a negative length");
      const end = contentAt + length;
      const isTooLarge = length > this.#maxRecordBytes;
      const neededEnd = isTooLarge ? at + MAX_PREFIX_BYTES : end;
      if (neededEnd > bytes.length) {
        this.#needed = neededEnd - at;
        break;
      }
      if (isTooLarge) {
        const records = flush();
        const offset = offsetOf(bytes, contentAt, this.#header);
        this.#count++;
        const message = `The record has ${length} bytes, but at most ${this.#maxRecordBytes} are unpacked`;
        if (offset >= this.#from) records.push(unreadableRecord(offset, message));
        this.#toSkip = Math.max(0, end - bytes.length);
        start = at = Math.min(end, bytes.length);
        if (records.length > 0) yield records;
        continue;
      }
      at = end;
      count++;
      this.#count++;
      if (at - start < MAX_PART_BYTES && count < MAX_PART_RECORDS) continue;
      const records = flush();
      start = at;
      if (records.length > 0) yield records;
    }
    const records = flush();
    if (records.length > 0) yield records;
    return at;
  }
}

/** Reads an integer. @returns `null` if its end has not come, and the position after it */
function readSigned(bytes: Buffer, at: number): [value: number | null, at: number] {
  let value = 0;
  for (let shift = 0; shift < 70 && at < bytes.length; shift += 7) {
    const byte = bytes[at++]!;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value % 2 === 1 ? -(value + 1) / 2 : value / 2, at];
  }
  return [null, at];
}

function offsetOf(bytes: Buffer, at: number, { bounds }: BatchHeader): number {
  const [, afterTime] = readSigned(bytes, at + 1);
  const [delta] = readSigned(bytes, afterTime);
  return bounds.baseOffset + Math.max(delta ?? 0, 0);
}
