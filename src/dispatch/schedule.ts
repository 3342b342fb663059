/**
 * The records of the topic in which delayed jobs wait. Pure.
 *
 * | record | key | value | headers |
 * |---|---|---|---|
 * | schedule | `<job id>:<random>`, another one at each scheduling | the job's envelope | `due-at`, `target-topic`, `target-key`, `rewrites`; and the job's own |
 * | tick | `recurring/<id>:<random>` | an envelope of the job | as a schedule, and `recurring`: see `scheduler/recurring/tick_record.ts` |
 * | tombstone | the key of the schedule that it removes | none | none |
 * | cancellation | `<job id>:<random>` | empty | `cancel`: counts against all schedules of the job before it; `forgotten` if a recurring job is not in the code of the writer, so that its tick may come again; `cancel-by`, `cancel-why`: the operator's name and reason |
 *
 * With the job id alone as key, a job that fails and is scheduled again before the tombstone of its first release is written
 * would be deleted by that tombstone.
 *
 * A released record has the job's own headers and `released-at`. Headers come from records and are untrusted: a number is read
 * strictly, and the name of a topic is looked up among the declared ones.
 */
import type { Headers, NewRecord, StoredRecord } from "../broker/record.ts";
import { allocateBytes } from "../support/small_bytes.ts";
import { RELEASED_AT } from "../routing/scheduled_topic.ts";

/** A job that waits. */
export interface Schedule {
  readonly kind: "schedule";
  readonly jobId: string;
  /** The time at which it is due, in milliseconds since 1970, as it was written. */
  readonly dueAtMs: number;
  /** The full name of the topic to which it is released. */
  readonly targetTopic: string;
  /** The key of its record there; `null` for none. */
  readonly targetKey: Uint8Array | null;
  /** The headers of its record there. */
  readonly headers: Headers;
  /**
   * The offset of the schedule that the owner of the partition has replaced by this one, since its target did not take it:
   * if that one was cancelled or moved at the same moment, this one does not count. `null` for a job that was scheduled.
   */
  readonly rewrites: number | null;
  /** The state of the recurring job of which this is the next tick, as it was written. Absent for any other job. */
  readonly recurring?: string;
}

/** The name and the reason of the operator who cancels a job; `null` where they are not known. */
export interface CancelOrder {
  readonly by: string | null;
  readonly why: string | null;
}

/** A record of the topic. */
export type ScheduledRecord =
  | Schedule
  | { readonly kind: "tombstone" }
  | {
    readonly kind: "cancellation";
    readonly jobId: string;
    readonly isForgotten: boolean;
    readonly order: CancelOrder;
  }
  /** It cannot be read: why. */
  | { readonly kind: "unreadable"; readonly reason: string };

const DUE_AT = "due-at";
const TARGET_TOPIC = "target-topic";
const TARGET_KEY = "target-key";
const CANCEL = "cancel";
const FORGOTTEN = "forgotten";
const CANCEL_BY = "cancel-by";
const CANCEL_WHY = "cancel-why";
const REWRITES = "rewrites";
const RECURRING = "recurring";
const OWN_HEADERS: ReadonlySet<string> = new Set([
  DUE_AT,
  TARGET_TOPIC,
  TARGET_KEY,
  CANCEL,
  RELEASED_AT,
  REWRITES,
  RECURRING,
]);

const NO_BYTES = new Uint8Array(0);
/** Longest name and reason of an operator, in characters, as `app.cancel` takes them. */
const MAX_BY_LENGTH = 255;
const MAX_WHY_LENGTH = 1000;
/** An order of no known operator. */
export const NO_ORDER: CancelOrder = Object.freeze({ by: null, why: null });
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the record that lets a job wait. `record` is the one that its topic will get. */
export function scheduleRecord(
  record: Pick<NewRecord, "key" | "value" | "headers">,
  { jobId, dueAtMs, targetTopic, rewrites = null, recurring }:
    & Pick<Schedule, "jobId" | "dueAtMs" | "targetTopic" | "recurring">
    & Partial<Pick<Schedule, "rewrites">>,
): NewRecord {
  const { key, value, headers = [] } = record;
  return {
    key: newKey(jobId),
    value,
    headers: [
      [DUE_AT, toBytes(String(Math.floor(dueAtMs)))],
      [TARGET_TOPIC, topicBytes(targetTopic)],
      ...(key === null || key === undefined ? [] : [[TARGET_KEY, toBytes(key)] as const]),
      ...(rewrites === null ? [] : [[REWRITES, toBytes(String(rewrites))] as const]),
      ...(recurring === undefined ? [] : [[RECURRING, toBytes(recurring)] as const]),
      ...headers.filter(([name]) => !OWN_HEADERS.has(name)),
    ],
  };
}

/** Returns the record that cancels the schedules of a job that are before it. */
export function cancellationRecord(jobId: string, { by, why }: CancelOrder = NO_ORDER): NewRecord {
  const headers: Headers = [
    [CANCEL, NO_BYTES],
    ...(by === null ? [] : [[CANCEL_BY, toBytes(by)] as const]),
    ...(why === null ? [] : [[CANCEL_WHY, toBytes(why)] as const]),
  ];
  return { key: newKey(jobId), value: "", headers };
}

/** Returns the record that removes the tick of a recurring job which is not in the code. */
export function forgettingRecord(jobId: string): NewRecord {
  return { key: newKey(jobId), value: "", headers: [[CANCEL, encoder.encode(FORGOTTEN)]] };
}

/** Returns the record that a job's topic gets once the job is due. */
export function releasedRecord(schedule: Schedule, value: StoredRecord["value"], nowMs: number): NewRecord {
  const headers = [...schedule.headers, [RELEASED_AT, toBytes(String(Math.floor(nowMs)))] as const];
  return { key: schedule.targetKey, value, headers };
}

/**
 * Reads a record of the topic. It needs no value but to see a tombstone. A record that can be read has a key.
 *
 * @param record a record; its value may be left out (`""`)
 */
export function readScheduled({ key, value, headers, unreadable }: StoredRecord): ScheduledRecord {
  if (unreadable !== undefined) return { kind: "unreadable", reason: unreadable };
  if (key === null) return { kind: "unreadable", reason: "its key names no job" };
  if (value === null) return { kind: "tombstone" };
  const jobId = jobIdOf(key);
  if (jobId === null) return { kind: "unreadable", reason: "its key names no job" };
  let [dueAt, target, targetKey, rewrites]: OwnHeaders = [undefined, undefined, undefined, undefined];
  let recurring: Value;
  let cancel: Value;
  // One pass, and the last header of a name counts, as readers of Kafka's headers do.
  const own: [name: string, value: Uint8Array | null][] = [];
  for (const [name, bytes] of headers) {
    if (name === DUE_AT) dueAt = bytes;
    else if (name === TARGET_TOPIC) target = bytes;
    else if (name === TARGET_KEY) targetKey = bytes;
    else if (name === REWRITES) rewrites = bytes;
    else if (name === RECURRING) recurring = bytes;
    else if (name === CANCEL) cancel = bytes;
    else if (name !== RELEASED_AT) own.push([name, bytes]);
  }
  if (cancel !== undefined) {
    const order = readCancelOrder(headers);
    return { kind: "cancellation", jobId, isForgotten: readText(cancel) === FORGOTTEN, order };
  }
  const dueAtMs = readNumber(dueAt);
  if (dueAtMs === null) return { kind: "unreadable", reason: `it has no valid "${DUE_AT}"` };
  const targetTopic = readText(target);
  if (targetTopic === null) return { kind: "unreadable", reason: `it has no valid "${TARGET_TOPIC}"` };
  const schedule: Schedule = {
    kind: "schedule",
    jobId,
    dueAtMs,
    targetTopic,
    targetKey: targetKey ?? null,
    headers: own,
    rewrites: readNumber(rewrites),
  };
  return recurring === undefined ? schedule : { ...schedule, recurring: readText(recurring) ?? "" };
}

function readCancelOrder(headers: Headers): CancelOrder {
  const read = (wanted: string, maxLength: number) => {
    const text = readText(headers.findLast(([name]) => name === wanted)?.[1]);
    return text === null || text === "" || text.length > maxLength ? null : text;
  };
  return { by: read(CANCEL_BY, MAX_BY_LENGTH), why: read(CANCEL_WHY, MAX_WHY_LENGTH) };
}

type Value = Uint8Array | null | undefined;
type OwnHeaders = [dueAt: Value, target: Value, targetKey: Value, rewrites: Value];

/** The longest key, in characters: the longest id of a job, 1000, and something random. A list keeps the keys of all jobs. */
const MAX_KEY_LENGTH = 1100;

/** Returns the job of a key; `null` if it names none. */
export function jobIdOf(key: StoredRecord["key"]): string | null {
  const text = typeof key === "string" ? key : readText(key);
  if (text === null || text.length > MAX_KEY_LENGTH) return null;
  const at = text.lastIndexOf(":");
  return at > 0 ? text.slice(0, at) : null;
}

/** Keys are unique by a random number of the process and a counter: a random number for each takes ten times as long. */
function newKey(jobId: string): string {
  process ??= crypto.randomUUID().slice(0, 13);
  return `${jobId}:${process}-${(count++).toString(36)}`;
}

let process: string | undefined;
let count = 0;

let lastTopic: { readonly name: string; readonly bytes: Uint8Array } | undefined;

/** Encodes the name of a topic: mostly the same as the last one. */
function topicBytes(name: string): Uint8Array {
  if (lastTopic?.name !== name) lastTopic = { name, bytes: encoder.encode(name) };
  return lastTopic.bytes;
}

/** Encodes a string. Short ASCII, as nearly all is, without a call into the runtime. */
function toBytes(data: Uint8Array | string): Uint8Array {
  if (typeof data !== "string") return data;
  if (data.length > MAX_SHORT_BYTES) return encoder.encode(data);
  const bytes = allocateBytes(data.length);
  for (let at = 0; at < bytes.length; at++) {
    const code = data.charCodeAt(at);
    if (code > 0x7f) return encoder.encode(data);
    bytes[at] = code;
  }
  return bytes;
}

/** Decodes UTF-8; `null` for anything else. Short ASCII, as nearly all is, without a call into the runtime. */
function readText(bytes: Uint8Array | null | undefined): string | null {
  if (bytes === null || bytes === undefined) return null;
  if (bytes.length <= MAX_SHORT_BYTES) {
    let text = "";
    for (let at = 0; at < bytes.length; at++) {
      if (bytes[at]! > 0x7f) return decode(bytes);
      text += String.fromCharCode(bytes[at]!);
    }
    return text;
  }
  return decode(bytes);
}

const MAX_SHORT_BYTES = 100;

function decode(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** Reads at most 16 digits. */
function readNumber(bytes: Uint8Array | null | undefined): number | null {
  if (bytes === null || bytes === undefined || bytes.length === 0 || bytes.length > 16) return null;
  let number = 0;
  for (let at = 0; at < bytes.length; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return null;
    number = number * 10 + digit;
  }
  return number;
}
