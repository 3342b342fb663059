/** A schedule with everything that its release needs, in memory while its time is near. */
import type { StoredRecord } from "../broker/broker.ts";
import { copyBytes } from "../support/small_bytes.ts";
import { readScheduled, type Schedule } from "../dispatch/schedule.ts";

/** See the module. */
export interface Candidate {
  readonly offset: number;
  /** The time at which it is due, within the longest wait, in milliseconds since 1970. */
  readonly dueAtMs: number;
  readonly timestampMs: number;
  readonly key: Uint8Array | string;
  readonly value: Uint8Array | string;
  readonly schedule: Schedule;
  /** Its share of the memory for values, in bytes. */
  readonly bytes: number;
}

/**
 * Makes a candidate of a record that was read with its value. Bytes are copied, since they may be a view into a whole fetch.
 *
 * @returns `null` for a record that is not a schedule
 */
export function toCandidate(record: StoredRecord, dueAtMs: number): Candidate | null {
  const schedule = readScheduled(record);
  if (schedule.kind !== "schedule") return null;
  const { offset, timestampMs, key, value } = record;
  return {
    offset,
    dueAtMs,
    timestampMs,
    key: copyOf(key!),
    value: copyOf(value!),
    schedule: {
      ...schedule,
      targetKey: schedule.targetKey && copyBytes(schedule.targetKey),
      headers: schedule.headers.map(([name, bytes]) => [name, bytes && copyBytes(bytes)] as const),
    },
    bytes: memoryOf(record),
  };
}

/** The memory that a record takes, in bytes, as far as it can be had without encoding a string. */
export function memoryOf({ key, value, headers }: StoredRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, value] of headers) bytes += name.length + (value?.length ?? 0);
  return bytes;
}

function copyOf(data: Uint8Array | string): Uint8Array | string {
  return typeof data === "string" ? data : copyBytes(data);
}
