/** Records on their way into an embedded log: texts as they are, bytes copied, their size measured. */
import { Buffer } from "node:buffer";
import type { NewRecord, StoredRecord } from "./broker.ts";

/** A record that has no offset yet. */
export type NewStoredRecord = Omit<StoredRecord, "offset">;

/** The largest record of a topic whose config does not say: Kafka's default, in bytes. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/** Most records have none: they share this one. */
const NO_HEADERS: StoredRecord["headers"] = Object.freeze([]);

/**
 * A record as it is stored. Bytes are copies, since the caller may use its buffers again; texts are what UTF-8 can say.
 *
 * @param record what the caller appends
 * @param timestampMs when, in milliseconds since 1970
 */
export function stored(record: NewRecord, timestampMs: number): NewStoredRecord {
  const { key, value, headers } = record;
  return { key: copyOfData(key), value: copyOfData(value), headers: copyOfHeaders(headers), timestampMs };
}

/**
 * A record's size: its key, its value and its headers.
 *
 * @returns bytes
 */
export function sizeOf(record: NewStoredRecord): number {
  let bytes = lengthOf(record.key) + lengthOf(record.value);
  for (const [name, value] of record.headers) bytes += name.length + (value?.byteLength ?? 0);
  return bytes;
}

function lengthOf(data: Uint8Array | string | null): number {
  return data === null ? 0 : Buffer.byteLength(data);
}

function copyOfData(data: NewRecord["value"] | undefined): StoredRecord["value"] {
  if (data === null || data === undefined) return null;
  return typeof data === "string" ? data.toWellFormed() : new Uint8Array(data);
}

function copyOfHeaders(headers: NewRecord["headers"]): StoredRecord["headers"] {
  if (headers === undefined || headers.length === 0) return NO_HEADERS;
  return headers.map(([name, value]) => [name, value && new Uint8Array(value)] as const);
}
