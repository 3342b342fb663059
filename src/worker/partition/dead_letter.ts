/**
 * Dead letters: the record as it came, byte for byte, in another topic, with headers that say where it came from and why.
 *
 * A letter that its topic refuses for its size is tried with fewer headers, then without its value: a record that can
 * neither be performed nor be kept would stop its partition for ever.
 */
import { Buffer } from "node:buffer";
import type { AppendOutcome, Headers, NewRecord } from "../../broker/broker.ts";
import { type ErrorInfo, RecordTooLargeError } from "../../errors.ts";
import { keyBytes, type QueuedRecord, valueBytes } from "./decode.ts";
import type { Position } from "../../support/position.ts";

/** Names that start so are ours: what comes in under them is replaced. */
const PREFIX = "dead-letter-";
/** The longest error message that a header carries, in bytes. */
const MAX_MESSAGE_BYTES = 4096;

/** Appends one record. */
export type Append = (topic: string, record: NewRecord) => Promise<AppendOutcome>;

/** A record that is given up. */
export interface DeadLetter {
  readonly source: Position;
  readonly record: QueuedRecord;
  readonly group: string;
  /** How often it was performed. */
  readonly attempts: number;
  readonly error: ErrorInfo;
}

/**
 * Writes a dead letter.
 *
 * @param topic the dead letter topic's full name
 * @returns the outcome of the first form that is not too large
 */
export async function writeDeadLetter(topic: string, letter: DeadLetter, append: Append): Promise<AppendOutcome> {
  let outcome: AppendOutcome | undefined;
  for (const form of forms(letter)) {
    outcome = await append(topic, form);
    if (outcome.ok || !(outcome.error instanceof RecordTooLargeError)) return outcome;
  }
  return outcome!;
}

/** The forms of a letter, from the whole to the least. */
function* forms(letter: DeadLetter): Generator<NewRecord> {
  const { record } = letter;
  const key = keyBytes(record);
  const value = valueBytes(record);
  const own = ownHeaders(letter);
  const theirs = record.headers.filter(([name]) => !name.startsWith(PREFIX));
  yield { key, value, headers: [...theirs, ...own] };
  if (theirs.length > 0) yield { key, value, headers: own };
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
  return [`${PREFIX}${name}`, bytes.length <= MAX_MESSAGE_BYTES ? bytes : cut(bytes)];
}

/** Cuts UTF-8 to the limit, not within a character. */
function cut(bytes: Buffer): Uint8Array {
  let end = MAX_MESSAGE_BYTES;
  while ((bytes[end]! & 0b1100_0000) === 0b1000_0000) end--;
  return bytes.subarray(0, end);
}
