/**
 * Writes dead letters: the record byte for byte in another topic, with headers that say where it came from and why.
 *
 * If the broker refuses a letter for its content, the next smaller form is tried: with fewer headers, then without the value.
 * A record that can neither be performed nor be kept would stop its partition for ever.
 */
import { Buffer } from "node:buffer";
import type { AppendOutcome, Headers, NewRecord } from "../../broker/broker.ts";
import { type ErrorInfo, RecordRefusedError } from "../../errors.ts";
import type { Position } from "../../support/position.ts";
import { keyBytes, type QueuedRecord, valueBytes } from "./queued_record.ts";

/** The prefix of the library's own headers. Headers of the record with this prefix are left out. */
export const DEAD_LETTER_PREFIX = "dead-letter-";
/** The longest error message in a header, in bytes. */
const MAX_MESSAGE_BYTES = 4096;

/** Appends one record. It never rejects. */
export type Append = (topic: string, record: NewRecord) => Promise<AppendOutcome>;

/** A record that was given up. */
export interface DeadLetter {
  /** Its position. */
  readonly source: Position;
  readonly record: QueuedRecord;
  /** The consumer group that gave it up. */
  readonly group: string;
  /** The number of runs of its job. */
  readonly attempts: number;
  /** The last error. */
  readonly error: ErrorInfo;
}

/**
 * Writes a dead letter.
 *
 * @param topic the full name of the dead letter topic
 * @returns the outcome of the first form that is not refused for its content
 */
export async function writeDeadLetter(topic: string, letter: DeadLetter, append: Append): Promise<AppendOutcome> {
  let outcome: AppendOutcome | undefined;
  for (const form of forms(letter)) {
    outcome = await append(topic, form);
    if (outcome.ok || !(outcome.error instanceof RecordRefusedError)) return outcome;
  }
  return outcome!;
}

/** The forms of a letter, the complete one first. */
function* forms(letter: DeadLetter): Generator<NewRecord> {
  const { record } = letter;
  const key = keyBytes(record);
  const value = valueBytes(record);
  const own = ownHeaders(letter);
  const original = record.headers.filter(([name]) => !name.startsWith(DEAD_LETTER_PREFIX));
  yield { key, value, headers: [...original, ...own] };
  if (original.length > 0) yield { key, value, headers: own };
  const omitted = [...own, header("value", "omitted")];
  yield { key, value: null, headers: omitted };
  if (key !== null) yield { key: null, value: null, headers: omitted };
}

function ownHeaders({ source, record, group, attempts, error }: DeadLetter): Headers {
  return [
    header("topic", source.topic),
    header("partition", source.partition),
    header("offset", source.offset),
    header("timestamp", record.timestampMs),
    header("group", group),
    header("attempts", attempts),
    header("error-class", error.errorClass),
    header("error-message", error.message),
  ];
}

function header(name: string, value: string | number): readonly [string, Uint8Array] {
  const bytes = Buffer.from(String(value));
  return [`${DEAD_LETTER_PREFIX}${name}`, bytes.length <= MAX_MESSAGE_BYTES ? bytes : truncate(bytes)];
}

/** Truncates UTF-8 to the limit, without splitting a character. */
function truncate(bytes: Buffer): Uint8Array {
  let end = MAX_MESSAGE_BYTES;
  while ((bytes[end]! & 0b1100_0000) === 0b1000_0000) end--;
  return bytes.subarray(0, end);
}
