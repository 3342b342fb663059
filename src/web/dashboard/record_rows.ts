/** Records of a topic as a list shows them: without their payload. Pure. */
import type { StoredRecord } from "../../broker/record.ts";
import { readEnvelope } from "../../dead_letters/letter.ts";

/** A record in a list. */
export interface RecordRow {
  /** Its offset. */
  readonly offset: number;
  /** The time of the append, in ms since 1970; another client may have written any number. */
  readonly timestampMs: number;
  /** A job, a tombstone, or something that a worker cannot perform. */
  readonly kind: "job" | "tombstone" | "poison";
  /** The name of the job's class; `null` if its envelope cannot be read. At most 255 characters. */
  readonly jobClass: string | null;
  /** The job's id. At most 255 characters. */
  readonly jobId: string | null;
  /** Whether it has a key. */
  readonly hasKey: boolean;
  /** The size of its value, in bytes; `null` for none. */
  readonly bytes: number | null;
  /** The number of its headers. */
  readonly headers: number;
}

const MAX_NAME = 255;
/** A larger value is not parsed for a page, in bytes. */
export const MAX_PARSED = 1024 * 1024;

/** Returns the size of a value, in bytes; `null` for a tombstone. */
function byteLengthOf({ value, valueBytes }: StoredRecord): number | null {
  if (value === null) return null;
  return valueBytes ?? (typeof value === "string" ? new TextEncoder().encode(value).byteLength : value.byteLength);
}

/** Returns the row of a record. */
export function toRow(record: StoredRecord): RecordRow {
  const { offset, timestampMs, key, value, headers, unreadable } = record;
  const envelope = readEnvelope(record, MAX_PARSED);
  const jobClass = cutName(envelope?.job_class);
  return {
    offset,
    timestampMs,
    kind: value === null && unreadable === undefined ? "tombstone" : jobClass === null ? "poison" : "job",
    jobClass,
    jobId: cutName(envelope?.job_id),
    hasKey: key !== null,
    bytes: byteLengthOf(record),
    headers: headers.length,
  };
}

function cutName(value: unknown): string | null {
  return typeof value === "string" ? value.slice(0, MAX_NAME) : null;
}
