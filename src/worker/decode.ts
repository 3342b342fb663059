/**
 * From a record to a job that can be performed. Plain synchronous functions: taking a record in, finding out what it is.
 *
 * A record that is taken in is copied into strings: the bytes that a broker hands over are a window into a whole fetch,
 * which one waiting job would keep alive. Text is decoded at once, for a string is the cheapest copy there is (a broker
 * that keeps texts hands one over); bytes that are no text are kept as Latin-1, which gives every byte back.
 */
import { Buffer, isUtf8 } from "node:buffer";
import type { Headers, StoredRecord } from "../broker/broker.ts";
import { murmur2 } from "../broker/partitioner.ts";
import { sizeOf } from "../broker/record.ts";
import { NotSupportedError, PoisonError, UnknownJobError } from "../errors.ts";
import { type Envelope, readEnvelope } from "../job/envelope.ts";
import type { JobClass } from "../job/job.ts";
import type { JobRegistry } from "../job/registry.ts";
import type { Taken } from "./offset_tracker.ts";

/** A record that waits in the process. */
export interface WaitingRecord extends Taken {
  /** The key's bytes as Latin-1; `null` for none. */
  readonly key: string | null;
  /** The value; `null` for a tombstone. */
  readonly value: string | null;
  /** How `value` was decoded: `"latin1"` where the bytes are no UTF-8. */
  readonly encoding: "utf8" | "latin1";
  /** The headers, copied. */
  readonly headers: Headers;
  /** When it was written, as the broker says. */
  readonly timestampMs: number;
  /** The value's size in bytes. */
  readonly bytes: number;
  /** What waiting costs: the size of key, value and headers in bytes. */
  readonly heldBytes: number;
  /** The reason why the broker could not read it; `undefined` for a record that is sound. */
  readonly unreadable: string | undefined;
}

/** What a record is. */
export type Decoded =
  | { readonly kind: "job"; readonly Class: JobClass; readonly envelope: Envelope }
  | { readonly kind: "tombstone" }
  | { readonly kind: "poison"; readonly error: Error }
  | { readonly kind: "unknown_class"; readonly error: Error };

const TOMBSTONE: Decoded = { kind: "tombstone" };
const NO_HEADERS: Headers = [];

/** Takes a record in: nothing of the broker's memory is kept. */
export function takeIn(record: StoredRecord, next: number): WaitingRecord {
  const { key, value } = record;
  const undecoded = value === null || typeof value === "string" ? null : asBuffer(value);
  const text = undecoded === null ? value as string | null : undecoded.toString("utf8");
  // Decoding puts U+FFFD where bytes are no UTF-8; only where one stands must the bytes be looked at again.
  const isText = undecoded === null || !text!.includes("\ufffd") || isUtf8(undecoded);
  return {
    offset: record.offset,
    next,
    finished: false,
    key: key === null ? null : latin1Of(key),
    value: isText ? text : undecoded.toString("latin1"),
    encoding: isText ? "utf8" : "latin1",
    headers: record.headers.length === 0
      ? NO_HEADERS
      : record.headers.map(([name, bytes]) => [name, bytes === null ? null : new Uint8Array(bytes)] as const),
    timestampMs: record.timestampMs,
    bytes: value === null ? 0 : Buffer.byteLength(value),
    heldBytes: sizeOf(record),
    unreadable: record.unreadable,
  };
}

function latin1Of(key: Uint8Array | string): string {
  if (typeof key !== "string") return asBuffer(key).toString("latin1");
  // ASCII, as nearly all keys are, is the same in both.
  return Buffer.byteLength(key) === key.length ? key : Buffer.from(key).toString("latin1");
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The record's key, byte for byte. */
export function keyBytes(record: WaitingRecord): Buffer | null {
  return record.key === null ? null : Buffer.from(record.key, "latin1");
}

/** The record's key as a text; `null` for none, and for bytes that are no text. */
export function keyText(record: WaitingRecord): string | null {
  const bytes = keyBytes(record);
  return bytes !== null && isUtf8(bytes) ? bytes.toString() : null;
}

/** The record's value, byte for byte. */
export function valueBytes(record: WaitingRecord): Uint8Array | null {
  return record.value === null ? null : Buffer.from(record.value, record.encoding);
}

/** Finds out what a record is. It never throws. */
export function decode(record: WaitingRecord, registry: JobRegistry, maxPayloadBytes: number): Decoded {
  if (record.unreadable !== undefined) return { kind: "poison", error: new PoisonError(record.unreadable) };
  if (record.value === null) return TOMBSTONE;
  try {
    if (record.bytes > maxPayloadBytes) {
      throw new PoisonError(`The value has ${record.bytes} bytes, but at most ${maxPayloadBytes} are read`);
    }
    if (record.encoding !== "utf8") throw new PoisonError("The value is no UTF-8");
    const envelope = readEnvelope(record.value, registry.isKnown);
    if (envelope.scheduledAtMs !== null && envelope.scheduledAtMs > Date.now()) {
      throw new NotSupportedError(
        `The job is due at ${
          new Date(envelope.scheduledAtMs).toISOString()
        }: delayed jobs are not supported yet, and it is not run before`,
      );
    }
    const Class = registry.find(envelope.jobClass);
    if (Class === undefined) {
      const error = new UnknownJobError(
        `No job class "${envelope.jobClass}" is known (known: ${listed(registry.names())})`,
      );
      return { kind: "unknown_class", error };
    }
    return { kind: "job", Class, envelope };
  } catch (error) {
    return { kind: "poison", error: error as Error };
  }
}

/** So many of the classes that are known are named where one is not. */
const MAX_NAMES = 10;

function listed(names: readonly string[]): string {
  if (names.length === 0) return "none";
  return `${names.slice(0, MAX_NAMES).join(", ")}${names.length > MAX_NAMES ? ", …" : ""}`;
}

/** The id of a job whose envelope has none: the same for each run of the record, in the form of a UUID (version 8). */
export function derivedJobId(topic: string, partition: number, offset: number): string {
  const hash = [0, 1, 2, 3]
    .map((part) => murmur2(Buffer.from(`${part}:${topic}/${partition}@${offset}`)) >>> 0)
    .map((number) => number.toString(16).padStart(8, "0"))
    .join("");
  const variant = ((parseInt(hash[16]!, 16) & 0x3) | 0x8).toString(16);
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(17, 20)}-${
    hash.slice(20, 32)
  }`;
}
