/** Records on their way into an embedded log: their bytes copied, their size measured. */
import type { NewRecord, StoredRecord } from "./broker.ts";

/** A record that has no offset yet. */
export type NewStoredRecord = Omit<StoredRecord, "offset">;

/** The largest record of a topic whose config does not say: Kafka's default, in bytes. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

const encoder = new TextEncoder();

/** Most records have none: they share this one. */
const NO_HEADERS: StoredRecord["headers"] = Object.freeze([]);

/**
 * A record as it is stored. The bytes are copies: the caller may use its buffers again.
 *
 * @param record what the caller appends
 * @param timestampMs when, in milliseconds since 1970
 */
export function stored(record: NewRecord, timestampMs: number): NewStoredRecord {
  const { key, value, headers } = record;
  return { key: bytesOf(key), value: bytesOf(value), headers: copyOf(headers), timestampMs };
}

/**
 * A record's size: its key, its value and its headers.
 *
 * @returns bytes
 */
export function sizeOf(record: NewStoredRecord): number {
  let bytes = (record.key?.byteLength ?? 0) + (record.value?.byteLength ?? 0);
  for (const [name, value] of record.headers) bytes += name.length + (value?.byteLength ?? 0);
  return bytes;
}

function bytesOf(data: Uint8Array | string | null | undefined): Uint8Array | null {
  if (data === null || data === undefined) return null;
  return typeof data === "string" ? encoder.encode(data) : new Uint8Array(data);
}

function copyOf(headers: NewRecord["headers"]): StoredRecord["headers"] {
  if (headers === undefined || headers.length === 0) return NO_HEADERS;
  return headers.map(([name, value]) => [name, bytesOf(value)] as const);
}
