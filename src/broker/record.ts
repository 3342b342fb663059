/** What records are, whatever the broker: their size, and how an embedded log keeps them: texts as they are, bytes copied. */
import { utf8Length } from "../support/utf8.ts";
import type { NewRecord, StoredRecord } from "./broker.ts";

/** A record that has no offset yet. */
export type NewStoredRecord = Omit<StoredRecord, "offset">;

/** The largest record of a topic whose config does not say: Kafka's default, in bytes. */
export const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/** No headers: most records have none, and share this list. */
export const NO_HEADERS: StoredRecord["headers"] = Object.freeze([]);

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
 * A record's size: its key, its value and its headers. Every bound in bytes counts this.
 *
 * @returns bytes; a text counts as its UTF-8
 */
export function sizeOf({ key, value, headers }: NewRecord): number {
  let bytes = lengthOf(key) + lengthOf(value);
  if (headers === undefined) return bytes;
  for (const [name, value] of headers) bytes += lengthOf(name) + lengthOf(value);
  return bytes;
}

function lengthOf(data: Uint8Array | string | null | undefined): number {
  if (data === null || data === undefined) return 0;
  return typeof data === "string" ? utf8Length(data) : data.byteLength;
}

function copyOfData(data: NewRecord["value"] | undefined): StoredRecord["value"] {
  if (data === null || data === undefined) return null;
  return typeof data === "string" ? data.toWellFormed() : new Uint8Array(data);
}

function copyOfHeaders(headers: NewRecord["headers"]): StoredRecord["headers"] {
  if (headers === undefined || headers.length === 0) return NO_HEADERS;
  return headers.map(([name, value]) => [name, value && new Uint8Array(value)] as const);
}
