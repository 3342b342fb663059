/**
 * A dead letter as an operator sees it, read from its record. Pure.
 *
 * Headers and value are untrusted, since any client may have written them: a number is read strictly, the name of a topic is
 * one that Kafka accepts, strings are cut, and a part that cannot be read is `null`. Strings may have any character in them:
 * a terminal or a page must escape them.
 */
import { type Headers, isLargerThan, type StoredRecord } from "../broker/record.ts";
import { textOf } from "../broker/record_text.ts";
import { LATEST_MS } from "../support/clock.ts";
import type { Position } from "../support/position.ts";
import { topicName } from "../support/validation.ts";
import { DEAD_LETTER_PREFIX } from "../worker/partition/dead_letter.ts";
import type { DeadLetterHandling } from "./marker.ts";

/** A dead letter. Its own position is where it lies in the dead letter topic. */
export interface DeadLetter extends Position {
  /** The time at which it was written; `null` if its record has no valid time. */
  readonly deadLetteredAt: Date | null;
  /** The name of the job's class on the wire; `null` if its envelope cannot be read. At most 255 characters. */
  readonly jobClass: string | null;
  /** The job's id; `null` if its envelope cannot be read. At most 255 characters. */
  readonly jobId: string | null;
  /** The class of the last error; `null` if a header does not name it. At most 255 characters. */
  readonly errorClass: string | null;
  /** The message of the last error; `null` if a header does not have it. At most 4096 characters. */
  readonly errorMessage: string | null;
  /** The place that it came from, as its headers say; `null` if they do not. */
  readonly source: Position | null;
  /** The number of runs of its job; `null` if a header does not say. */
  readonly attempts: number | null;
  /** Its handling; `null` if it was not handled. */
  readonly handled: DeadLetterHandling | null;
}

/** A dead letter with all of its record. The arguments of the job, and headers of the application, may hold secrets. */
export interface DeadLetterDetails extends DeadLetter {
  /** The consumer group that gave it up; `null` if a header does not name it. */
  readonly group: string | null;
  /** The key, as UTF-8; `null` for none. */
  readonly key: string | null;
  /** The headers in order, as UTF-8. */
  readonly headers: readonly (readonly [name: string, value: string | null])[];
  /** The job's envelope with its arguments, as JSON; `null` if it cannot be read. */
  readonly envelope: Readonly<Record<string, unknown>> | null;
  /** The value, as UTF-8; `null` for none, also where it was too large for the dead letter topic. */
  readonly value: string | null;
}

const MAX_NAME_LENGTH = 255;
const MAX_MESSAGE_LENGTH = 4096;
/** Deeper data is not of a job, and a reader could not write it as JSON: that ends in a stack overflow. */
const MAX_DEPTH = 1000;

/**
 * Reads a record of a dead letter topic.
 *
 * @param at its position
 * @param maxPayloadBytes a larger value is not parsed
 */
export function readLetter(
  record: StoredRecord,
  at: Position,
  handled: DeadLetterHandling | null,
  maxPayloadBytes: number,
): DeadLetter {
  const { timestampMs, headers } = record;
  const envelope = readEnvelope(record, maxPayloadBytes);
  return {
    ...at,
    deadLetteredAt: timestampMs > 0 && timestampMs <= LATEST_MS ? new Date(timestampMs) : null,
    jobClass: shortName(envelope?.job_class),
    jobId: shortName(envelope?.job_id),
    errorClass: errorClassOf(headers),
    errorMessage: readHeader(headers, "error-message", MAX_MESSAGE_LENGTH),
    source: sourceOf(headers),
    attempts: readCount(headers, "attempts"),
    handled,
  };
}

/** Reads all of a record of a dead letter topic. */
export function readDetails(
  record: StoredRecord,
  at: Position,
  handled: DeadLetterHandling | null,
  maxPayloadBytes: number,
): DeadLetterDetails {
  const envelope = readEnvelope(record, maxPayloadBytes);
  return {
    ...readLetter(record, at, handled, maxPayloadBytes),
    group: readHeader(record.headers, "group", MAX_NAME_LENGTH),
    key: textOf(record.key),
    headers: record.headers.map(([name, value]) => [name, textOf(value)] as const),
    envelope: isDeeperThan(envelope, MAX_DEPTH) ? null : envelope,
    value: textOf(record.value),
  };
}

/** Returns the place that a dead letter came from; `null` if its headers do not say. */
export function sourceOf(headers: Headers): Position | null {
  const topic = readHeader(headers, "topic", MAX_NAME_LENGTH);
  const partition = readCount(headers, "partition");
  const offset = readCount(headers, "offset");
  return topicName(topic) === null && partition !== null && offset !== null
    ? { topic: topic!, partition, offset }
    : null;
}

/** Returns the class of the last error; `null` if a header does not name it. */
export function errorClassOf(headers: Headers): string | null {
  return readHeader(headers, "error-class", MAX_NAME_LENGTH);
}

/** Returns the name of the job's class; `null` if the envelope cannot be read. */
export function jobClassOf(record: StoredRecord, maxPayloadBytes: number): string | null {
  return shortName(readEnvelope(record, maxPayloadBytes)?.job_class);
}

/** Reads a header of a worker. Of several of a name the last one counts. A huge one is not decoded whole. */
function readHeader(headers: Headers, name: string, maxLength: number): string | null {
  const wanted = `${DEAD_LETTER_PREFIX}${name}`;
  const value = headers.findLast(([other]) => other === wanted)?.[1];
  // A character has at most 4 bytes.
  return value === null || value === undefined ? null : textOf(value.subarray(0, maxLength * 4)).slice(0, maxLength);
}

function readCount(headers: Headers, name: string): number | null {
  const digits = readHeader(headers, name, 17);
  return digits !== null && /^\d{1,16}$/.test(digits) && Number.isSafeInteger(Number(digits)) ? Number(digits) : null;
}

/** Returns the envelope of a record; `null` if it cannot be read. @param maxPayloadBytes a larger value is not parsed */
export function readEnvelope(
  { value, unreadable }: StoredRecord,
  maxPayloadBytes: number,
): Readonly<Record<string, unknown>> | null {
  if (value === null || unreadable !== undefined || isLargerThan({ value }, maxPayloadBytes)) return null;
  try {
    const envelope: unknown = JSON.parse(textOf(value));
    const isObject = typeof envelope === "object" && envelope !== null && !Array.isArray(envelope);
    return isObject ? envelope as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((member) => isDeeperThan(member, depth - 1));
}

function shortName(value: unknown): string | null {
  return typeof value === "string" ? value.slice(0, MAX_NAME_LENGTH) : null;
}
