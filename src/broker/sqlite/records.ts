/**
 * Reads the records of a partition in batches, each within one turn.
 *
 * The rows of a file are untrusted. A row that no version of this library writes is handed over as unreadable, with the
 * reason, so that the worker dead-letters it and goes on behind it.
 */
import { isUtf8 } from "node:buffer";
import type { RecordBatch, StoredRecord } from "../broker.ts";
import { withoutValue } from "../record.ts";
import type { Connection } from "./connection.ts";
import { readHeaders } from "./headers.ts";
import { idOf, offsetIn } from "./record_id.ts";
import { MAX_RECORD_BYTES } from "./topics.ts";
import { LATEST_MS } from "../../support/clock.ts";

/** The most records of a batch, however small they are: they are read in one turn. */
const MAX_BATCH_RECORDS = 500;

/** The number of records whose sizes are read by one statement. */
const MEASURED_AT_ONCE = 50;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

type Row = readonly [offset: number, timestampMs: number, key: unknown, headers: unknown, value: unknown];

/** SQL for the records from `?2` up to and including `?3` of partition `?1`. */
const RANGE = `id BETWEEN ${idOf("?1", "?2")} AND ${idOf("?1", "?3")} ORDER BY id`;

// Statements are built once: they are found by their text.
const SELECT = `SELECT ${offsetIn("id")}, timestamp_ms, key, headers, value FROM records WHERE ${RANGE}`;

/** The same without the values: that of a tombstone stays `NULL`. */
const SELECT_WITHOUT_VALUES = SELECT.replace("value", "iif(value IS NULL, NULL, '')");

/** SQL for a column, or a number if it is larger than a limit; no record has one. */
const unlessLarge = (column: string, limit: string) => `iif(octet_length(${column}) > ${limit}, 0, ${column})`;

/** Ends after the first record if that is large: then the next ones are likely to be. */
const SELECT_SMALL = `SELECT ${offsetIn("id")}, timestamp_ms, ${unlessLarge("key", "?5")},
  ${unlessLarge("headers", "?5")}, ${unlessLarge("value", "?4")} FROM records WHERE ${RANGE}
  LIMIT iif((SELECT octet_length(value) FROM records WHERE ${RANGE} LIMIT 1) > ?4, 1, ${MAX_BATCH_RECORDS})`;

const SELECT_SIZES = `SELECT ${offsetIn("id")}, ifnull(octet_length(key), 0) + ifnull(octet_length(headers), 0)
  + ifnull(octet_length(value), 0) FROM records WHERE ${RANGE} LIMIT ${MEASURED_AT_ONCE}`;

/** SQL for a column and its type: as bytes, which can always be returned, numbers too; `NULL` beyond the limit. */
const checked = (column: string) =>
  `iif(octet_length(${column}) > ${MAX_RECORD_BYTES}, NULL, CAST(${column} AS BLOB)),
  iif(octet_length(${column}) > ${MAX_RECORD_BYTES}, 'oversized', typeof(${column}))`;

/** SQL for a stored time, as one that a `Date` can hold. */
export function timeIn(column: string): string {
  return `max(0, min(${column}, ${LATEST_MS}))`;
}

type CheckedRow = readonly [
  offset: number,
  timestampMs: number,
  key: Uint8Array | null,
  keyType: string,
  headers: Uint8Array | null,
  headersType: string,
  value: Uint8Array | null,
  valueType: string,
];

const SELECT_CHECKED = `SELECT ${offsetIn("id")}, ${timeIn("timestamp_ms")}, ${checked("key")},
  ${checked("headers")}, ${checked("value")} FROM records WHERE ${RANGE}`;

/**
 * Reads a batch.
 *
 * @param from the first offset to read
 * @param high the end of the partition
 * @param maxBytes the most bytes of a batch; one record is read whatever its size
 * @param values whether to read the values; otherwise a value is `""`, and its faults are not noticed
 * @returns the records, or `null` at the end of the log
 */
export function read(
  connection: Connection,
  partitionId: number,
  from: number,
  high: number,
  maxBytes: number,
  values = true,
): RecordBatch | null {
  if (from >= high) return null;
  const small = values ? readSmall(connection, partitionId, from, high, maxBytes) : null;
  if (small !== null) return small;
  const { next, isOversized } = endOfBatch(connection, partitionId, from, high, maxBytes);
  const range = [partitionId, from, next - 1] as const;
  const records = isOversized ? null : readRows(connection, values ? SELECT : SELECT_WITHOUT_VALUES, ...range);
  const checked = () => connection.all<CheckedRow>(SELECT_CHECKED, ...range).map(checkedRecord);
  return {
    records: records ?? (values ? checked() : checked().map(withoutValue)),
    next,
    highWatermark: high,
  };
}

/**
 * Reads a batch of records that are so small that as many as a batch may have are not too many bytes: measuring them first
 * takes as long as reading them.
 *
 * @returns `null` if one of them is larger, or needs checks
 */
function readSmall(
  connection: Connection,
  partitionId: number,
  from: number,
  high: number,
  maxBytes: number,
): RecordBatch | null {
  const eighth = Math.floor(maxBytes / MAX_BATCH_RECORDS / 8);
  const records = readRows(connection, SELECT_SMALL, partitionId, from, high - 1, 6 * eighth, eighth);
  if (records === null) return null;
  const next = records.length < MAX_BATCH_RECORDS ? high : records.at(-1)!.offset + 1;
  return { records, next, highWatermark: high };
}

/** Reads rows without checks in SQL. @returns `null` if one of them needs those */
function readRows(connection: Connection, select: string, ...values: number[]): StoredRecord[] | null {
  try {
    const records: StoredRecord[] = [];
    for (const [offset, timestampMs, key, stored, value] of connection.all<Row>(select, ...values)) {
      const headers = readHeaders(stored);
      const isReadable = isData(key) && isData(value) && headers !== undefined && isTime(timestampMs);
      if (!isReadable) return null;
      records.push({ offset, key, value, headers, timestampMs });
    }
    return records;
  } catch (error) {
    // An integer beyond 2^53.
    if (error instanceof RangeError || (error as { code?: unknown }).code === "ERR_OUT_OF_RANGE") return null;
    throw error;
  }
}

/** The character in place of bytes that are not UTF-8: such a value is read again as bytes. */
const REPLACEMENT = "\ufffd";

function isData(value: unknown): value is Uint8Array | string | null {
  if (typeof value === "string") return !value.includes(REPLACEMENT);
  return value === null || value instanceof Uint8Array;
}

function isTime(timestampMs: number): boolean {
  return timestampMs >= 0 && timestampMs <= LATEST_MS;
}

function checkedRecord(row: CheckedRow): StoredRecord {
  const [offset, timestampMs, keyBytes, keyType, headerBytes, headersType, valueBytes, valueType] = row;
  const key = checkedData("key", keyBytes, keyType);
  const value = checkedData("value", valueBytes, valueType);
  const headers = headersType === "null" ? null : checkedData("headers", headerBytes, headersType).data;
  const pairs = headersType === "oversized" ? undefined : readHeaders(headers);
  const record = { offset, key: key.data, value: value.data, headers: pairs ?? [], timestampMs };
  const unreadable = key.problem ?? value.problem ?? (pairs === undefined ? NOT_HEADERS : null);
  return unreadable === null ? record : { ...record, unreadable };
}

const NOT_HEADERS = "The headers are not a JSON array of names and values";

/** A column as it is handed over, and the reason why it is not what was written. */
interface CheckedData {
  readonly data: Uint8Array | string | null;
  readonly problem: string | null;
}

function checkedData(column: string, bytes: Uint8Array | null, type: string): CheckedData {
  if (type === "oversized") return { data: null, problem: `The ${column} is larger than ${MAX_RECORD_BYTES} bytes` };
  if (bytes === null || type === "blob") return { data: bytes, problem: null };
  if (!isUtf8(bytes)) return { data: bytes, problem: `The ${column} is text that is not UTF-8` };
  const problem = type === "text" ? null : `The ${column} is stored as ${type}, not as text or bytes`;
  return { data: decoder.decode(bytes), problem };
}

interface BatchEnd {
  /** The offset before which the batch ends. */
  readonly next: number;
  /** Whether it is one record that is larger than any record may be. */
  readonly isOversized: boolean;
}

/** The end of a batch, by the sizes of its records alone. */
function endOfBatch(
  connection: Connection,
  partitionId: number,
  from: number,
  high: number,
  maxBytes: number,
): BatchEnd {
  let sum = 0;
  let count = 0;
  // A few at a time: with large records, measuring many would take longer than reading the few that fit.
  for (let at = from;;) {
    const sizes = connection.all<readonly [offset: number, bytes: number]>(
      SELECT_SIZES,
      partitionId,
      at,
      high - 1,
    );
    for (const [offset, bytes] of sizes) {
      sum += bytes;
      if (count > 0 && (sum > maxBytes || count === MAX_BATCH_RECORDS)) return { next: offset, isOversized: false };
      if (bytes > MAX_RECORD_BYTES) return { next: offset + 1, isOversized: true };
      count++;
    }
    if (sizes.length < MEASURED_AT_ONCE) return { next: high, isOversized: false };
    at = sizes.at(-1)![0] + 1;
  }
}
