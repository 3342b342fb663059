/**
 * A record that waits in the process: a copy of what the broker delivered.
 *
 * The bytes that a broker delivers are a view into a whole fetch, which one waiting record would keep alive. They are
 * decoded to a string at once, since that is the cheapest copy (a broker that stores strings delivers one). Bytes that are
 * not UTF-8 are kept as Latin-1, from which every byte can be restored. Large bytes are copied as bytes, outside of the
 * heap, and decoded when the record runs: a heap that large strings fill grows to several times their size.
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { Headers, StoredRecord } from "../../broker/broker.ts";
import { NO_HEADERS, sizeOf } from "../../broker/record.ts";
import type { TrackedRecord } from "./offset_tracker.ts";

/** A longer value that comes as bytes is kept as bytes. */
const MAX_STRING_BYTES = 64 * 1024;

/** A key of at most so many bytes is decoded faster by hand than by a call into the runtime: 0.1 µs, not 0.3 (measured). */
const SHORT_KEY_BYTES = 64;

/** Decodes values: twice as fast as `Buffer` (measured). A byte order mark stays, since values are kept byte for byte. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** See the module. */
export interface QueuedRecord extends TrackedRecord {
  /** The key's bytes as Latin-1; `null` for no key. */
  readonly key: string | null;
  /** The value; `null` for a tombstone. A string, or large bytes. */
  readonly value: string | Uint8Array | null;
  /** The encoding of `value`, if it is a string: `"latin1"` if the bytes are not UTF-8. */
  readonly encoding: "utf8" | "latin1";
  /** A copy of the headers. */
  readonly headers: Headers;
  /** The value's size in bytes. */
  readonly bytes: number;
  /** Its share of the memory budget: the size of key, value and headers in bytes. */
  readonly memoryBytes: number;
  /** The reason why the broker could not read it; `undefined` for a sound record. */
  readonly unreadable: string | undefined;
  /** The next record of its lane; `null` for none. Only the queue sets it. */
  behind: QueuedRecord | null;
  /** The values of its job for the limits of its topic; `null` while they are unknown. Only the gate sets it. */
  limitValues: readonly (string | null)[] | null;
}

/**
 * Copies a delivered record into the process.
 *
 * @param next the position after it
 */
export function toQueuedRecord(record: StoredRecord, next: number): QueuedRecord {
  const { value, headers } = record;
  const key = record.key === null ? null : toLatin1(record.key);
  const undecoded = value === null || typeof value === "string" ? null : value;
  const bytes = undecoded?.byteLength ?? (value === null ? 0 : record.valueBytes ?? Buffer.byteLength(value));
  const isLarge = undecoded !== null && bytes > MAX_STRING_BYTES;
  const text = undecoded === null ? value as string | null : isLarge ? null : decoder.decode(undecoded);
  // Decoding replaces invalid bytes by U+FFFD: only if the string has one must the bytes be checked.
  const isText = undecoded === null || isLarge || !text!.includes("\ufffd") || isUtf8(undecoded);
  return {
    offset: record.offset,
    next,
    isFinished: false,
    placeEnd: 0,
    key,
    value: isLarge ? ownBytes(asBuffer(undecoded)) : isText ? text : asBuffer(undecoded).toString("latin1"),
    encoding: isText ? "utf8" : "latin1",
    headers: headers.length === 0
      ? NO_HEADERS
      : headers.map(([name, bytes]) => [name, bytes === null ? null : new Uint8Array(bytes)] as const),
    timestampMs: record.timestampMs,
    bytes,
    // A character of the key is a byte.
    memoryBytes: bytes + (key?.length ?? 0) + (headers.length === 0 ? 0 : sizeOf({ value: null, headers })),
    unreadable: record.unreadable,
    behind: null,
    limitValues: null,
  };
}

/** Frees what a finished record holds: it may be tracked for long, while a record before it is not finished. */
export function dropContent(record: { -readonly [Field in keyof QueuedRecord]: QueuedRecord[Field] }): void {
  record.key = null;
  record.value = null;
  record.headers = NO_HEADERS;
  record.behind = null;
  record.limitValues = null;
}

/** Returns the record's key, byte for byte. */
export function keyBytes(record: QueuedRecord): Buffer | null {
  return record.key === null ? null : Buffer.from(record.key, "latin1");
}

/** Returns the record's key as a string; `null` for no key, and for bytes that are not UTF-8. */
export function keyText(record: QueuedRecord): string | null {
  const bytes = keyBytes(record);
  return bytes !== null && isUtf8(bytes) ? bytes.toString() : null;
}

/** Returns the record's value, byte for byte. */
export function valueBytes({ value, encoding }: QueuedRecord): Uint8Array | null {
  return typeof value === "string" ? Buffer.from(value, encoding) : value;
}

/** Returns the record's value as a string; `null` for no value, and for bytes that are not UTF-8. */
export function valueText({ value, encoding }: QueuedRecord): string | null {
  if (typeof value === "string") return encoding === "utf8" ? value : null;
  return value !== null && isUtf8(value) ? asBuffer(value).toString() : null;
}

/** Copies bytes, unless they are most of what their buffer keeps alive. */
function ownBytes(bytes: Buffer): Buffer {
  return bytes.length * 2 > bytes.buffer.byteLength ? bytes : Buffer.from(bytes);
}

function toLatin1(key: Uint8Array | string): string {
  if (typeof key !== "string") {
    if (key.length > SHORT_KEY_BYTES) return asBuffer(key).toString("latin1");
    let text = "";
    for (let at = 0; at < key.length; at++) text += String.fromCharCode(key[at]!);
    return text;
  }
  return isAscii(key) ? key : Buffer.from(key).toString("latin1");
}

/** ASCII, as nearly all keys are, is the same in both encodings. */
function isAscii(text: string): boolean {
  if (text.length > SHORT_KEY_BYTES) return Buffer.byteLength(text) === text.length;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
