/** The record of a requeued dead letter. Pure. */
import type { NewRecord, StoredRecord } from "../broker/record.ts";
import { formatPosition, type Position } from "../support/position.ts";
import { show } from "../support/validation.ts";
import { DEAD_LETTER_PREFIX } from "../worker/partition/dead_letter.ts";
import { sourceOf } from "./letter.ts";

/** The header of a requeued record: the position of its dead letter, such as `dead_jobs/0@41`. */
const REQUEUED_FROM = "requeued-from";

/** The way of a dead letter back, or the reason why there is none. */
export type Return =
  | { readonly topic: string; readonly record: NewRecord }
  | { readonly topic: null; readonly reason: string };

const encoder = new TextEncoder();

/**
 * Returns the record to append, and its topic: that of the job, with the same key and bytes, and the headers that it had there.
 * It is a new record, so that its attempts start at one.
 *
 * @param at the position of the dead letter
 * @param isDeclared whether a topic of jobs has this full name. Headers are untrusted: a record never goes to another one
 */
export function returnOf(record: StoredRecord, at: Position, isDeclared: (topic: string) => boolean): Return {
  const { key, value, headers, unreadable } = record;
  if (unreadable !== undefined) return { topic: null, reason: `it cannot be read: ${unreadable}` };
  const source = sourceOf(headers);
  if (source === null) return { topic: null, reason: "its headers do not say where it came from" };
  if (!isDeclared(source.topic)) {
    return { topic: null, reason: `it came from ${show(source.topic)}, which no topic of this App declares` };
  }
  if (value === null) return { topic: null, reason: "it has no value: it was too large for the dead letter topic" };
  const kept = headers.filter(([name]) => !name.startsWith(DEAD_LETTER_PREFIX) && name !== REQUEUED_FROM);
  return {
    topic: source.topic,
    record: { key, value, headers: [...kept, [REQUEUED_FROM, encoder.encode(formatPosition(at))]] },
  };
}
