/**
 * The records of the control topic: an operator's orders. A record says what is, not what to do, so that a worker which
 * starts later knows it as well.
 *
 * | key                        | value                    |
 * | -------------------------- | ------------------------ |
 * | `pause/<topic>`            | `by`, `at`, `why`        |
 * | `pause/<topic>/<partition>`| the same                 |
 * | `cancel/<job id>`          | the same, and `expiresAt`|
 *
 * A tombstone ends what its key says. Any client may have written a record: a reader takes only what is exactly so. Pure.
 */
import type { Headers, NewRecord, StoredRecord } from "../broker/record.ts";
import { strictTextOf } from "../broker/record_text.ts";
import type { Cancellation, Pause } from "../worker/control.ts";

/** The subject of an order. */
export type Subject =
  | { readonly kind: "pause"; readonly topic: string; readonly partition: number | null }
  | { readonly kind: "cancel"; readonly jobId: string };

/** An order as it was read. `null`: it has ended. */
export type Order =
  | { readonly kind: "pause"; readonly topic: string; readonly partition: number | null; readonly pause: Pause | null }
  | { readonly kind: "cancel"; readonly jobId: string; readonly cancellation: Cancellation | null };

/** An order with its key. */
export interface ReadOrder {
  /** Its key as it is stored. */
  readonly key: string;
  readonly order: Order;
  /** The name of the user who has ended it; `null` if it has not ended, or the name is unknown. */
  readonly endedBy: string | null;
}

/** Longest name of a user, in characters. */
export const MAX_NAME_LENGTH = 255;
/** Longest reason, in characters. */
export const MAX_REASON_LENGTH = 1000;
/** Longest id of a job, in characters: that of an envelope. */
export const MAX_JOB_ID_LENGTH = 1000;
/** Longest time for which a job stays cancelled, in milliseconds: 400 days, more than a job may be delayed. */
export const MAX_CANCEL_MS = 400 * 86_400_000;

/** The clocks of two machines may differ by this, in milliseconds. An order from farther in the future is forged. */
const MAX_AHEAD_MS = 86_400_000;
/** A key or a value is shorter, in bytes. */
const MAX_BYTES = 8192;
/** The header of a tombstone with the name of the user. */
const BY_HEADER = "by";

const PAUSE_KEY = /^pause\/([A-Za-z0-9._-]{1,249})(?:\/(0|[1-9]\d{0,4}))?$/;
const CANCEL_KEY = /^cancel\/([\s\S]+)$/;
const CANCEL_PREFIX = "cancel/";

const encoder = new TextEncoder();
const CANCEL_PREFIX_BYTES = encoder.encode(CANCEL_PREFIX);

/** Returns the key of an order. */
export function keyOf(subject: Subject): string {
  if (subject.kind === "cancel") return `cancel/${subject.jobId}`;
  const { topic, partition } = subject;
  return partition === null ? `pause/${topic}` : `pause/${topic}/${partition}`;
}

/** Returns the record that pauses a topic or a partition. */
export function pauseRecord(topic: string, partition: number | null, pause: Pause): NewRecord {
  return { key: keyOf({ kind: "pause", topic, partition }), value: JSON.stringify(fieldsOf(pause)) };
}

/** Returns the record that cancels a job. */
export function cancelRecord(jobId: string, cancellation: Cancellation): NewRecord {
  const expiresAt = new Date(cancellation.expiresAtMs).toISOString();
  return { key: keyOf({ kind: "cancel", jobId }), value: JSON.stringify({ ...fieldsOf(cancellation), expiresAt }) };
}

/** Returns the record that ends an order. */
export function endRecord(subject: Subject, by: string): NewRecord {
  return { key: keyOf(subject), value: null, headers: [[BY_HEADER, encoder.encode(by)]] };
}

/**
 * Reads an order.
 *
 * @param nowMs the time of the reader, in milliseconds since 1970. The time of the record is not used: its producer sets it
 * @returns `null` for any other record
 */
export function readOrder({ key: rawKey, value, headers }: StoredRecord, nowMs: number): ReadOrder | null {
  const key = strictTextOf(rawKey, MAX_BYTES);
  const subject = key === null ? null : readSubject(key);
  if (key === null || subject === null) return null;
  if (value === null) {
    return { key, order: orderOf(subject, null), endedBy: readEndedBy(headers) };
  }
  const fields = readFields(strictTextOf(value, MAX_BYTES), nowMs);
  if (fields === null || (subject.kind === "cancel" && fields.expiresAtMs === null)) return null;
  return { key, order: orderOf(subject, fields), endedBy: null };
}

/** Returns whether a record is about a job, if it is an order at all: by the first bytes of its key, and nothing else. */
export function isAboutJob({ key }: Pick<StoredRecord, "key">): boolean {
  if (key === null || typeof key === "string") return key?.startsWith(CANCEL_PREFIX) ?? false;
  return CANCEL_PREFIX_BYTES.every((byte, index) => key[index] === byte);
}

interface Fields extends Pause {
  readonly expiresAtMs: number | null;
}

function orderOf(subject: Subject, fields: Fields | null): Order {
  if (subject.kind === "pause") {
    const { topic, partition } = subject;
    if (fields === null) return { kind: "pause", topic, partition, pause: null };
    const { by, why, atMs } = fields;
    return { kind: "pause", topic, partition, pause: { by, why, atMs } };
  }
  const { jobId } = subject;
  if (fields === null) return { kind: "cancel", jobId, cancellation: null };
  const { by, why, atMs, expiresAtMs } = fields;
  return { kind: "cancel", jobId, cancellation: { by, why, atMs, expiresAtMs: expiresAtMs! } };
}

function readSubject(key: string): Subject | null {
  const [, topic, partition] = PAUSE_KEY.exec(key) ?? [];
  if (topic !== undefined) {
    return { kind: "pause", topic, partition: partition === undefined ? null : Number(partition) };
  }
  const [, jobId] = CANCEL_KEY.exec(key) ?? [];
  return jobId === undefined || jobId.length > MAX_JOB_ID_LENGTH ? null : { kind: "cancel", jobId };
}

function fieldsOf({ by, why, atMs }: Pause): Record<string, unknown> {
  return { by, at: new Date(atMs).toISOString(), why };
}

function readFields(text: string | null, nowMs: number): Fields | null {
  try {
    const { by, why, at, expiresAt } = JSON.parse(text ?? "null") as Record<string, unknown>;
    const atMs = readTime(at);
    if (typeof by !== "string" || by === "" || by.length > MAX_NAME_LENGTH || atMs === null) return null;
    if (why !== null && (typeof why !== "string" || why.length > MAX_REASON_LENGTH)) return null;
    const expiresAtMs = readTime(expiresAt);
    // Forged: every later order with its key would be older.
    if (atMs - nowMs > MAX_AHEAD_MS) return null;
    // Forged: it would never be removed.
    if (expiresAtMs !== null && expiresAtMs - atMs > MAX_CANCEL_MS) return null;
    return { by, why, atMs, expiresAtMs };
  } catch {
    return null;
  }
}

/** Returns whether a cancellation may be forgotten: it has expired a day ago, and a clock that is wrong by less can be set right. */
export function hasLongExpired({ expiresAtMs }: Cancellation, nowMs: number): boolean {
  return nowMs - expiresAtMs >= MAX_AHEAD_MS;
}

/** Accepts only the form that this file writes. */
function readTime(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const ms = Date.parse(value);
  return Number.isNaN(ms) || new Date(ms).toISOString() !== value ? null : ms;
}

function readEndedBy(headers: Headers): string | null {
  const by = strictTextOf(headers.find(([name]) => name === BY_HEADER)?.[1] ?? null, MAX_BYTES);
  return by === null || by === "" || by.length > MAX_NAME_LENGTH ? null : by;
}
