/**
 * Markers: the records that say how a dead letter was handled. The key is its position, such as `dead_jobs/0@41`, the value is
 * JSON. The last marker of a dead letter counts. Pure.
 */
import type { NewRecord, StoredRecord } from "../broker/record.ts";
import { strictTextOf } from "../broker/record_text.ts";
import { formatPosition, parsePosition, type Position } from "../support/position.ts";

/** The handling of a dead letter: enqueued again, or dismissed without that. */
export type DeadLetterAction = "requeued" | "dismissed";

/** The handling of a dead letter. Any client may have written it. */
export interface DeadLetterHandling {
  /** The action. */
  readonly action: DeadLetterAction;
  /** The name of the user or the program. At most 255 characters. */
  readonly by: string;
  /** The time. */
  readonly at: Date;
}

/** A marker. */
export interface Marker {
  /** The position of the dead letter. */
  readonly position: Position;
  readonly handling: DeadLetterHandling;
}

const MAX_NAME_LENGTH = 255;
/** Longest key or value of a marker, in bytes. */
const MAX_MARKER_BYTES = 8192;

/** Returns the record that marks a dead letter. */
export function markerRecord({ position, handling: { action, by, at } }: Marker): NewRecord {
  const value = JSON.stringify({ action, by: by.slice(0, MAX_NAME_LENGTH), at: at.toISOString() });
  return { key: formatPosition(position), value };
}

/** Reads a marker. @returns `null` for any other record */
export function readMarker({ key, value }: StoredRecord): Marker | null {
  const position = parsePosition(strictTextOf(key, MAX_MARKER_BYTES) ?? "");
  const handling = readHandling(strictTextOf(value, MAX_MARKER_BYTES));
  return position === null || handling === null ? null : { position, handling };
}

function readHandling(text: string | null): DeadLetterHandling | null {
  try {
    const { action, by, at } = JSON.parse(text ?? "null") as Record<string, unknown>;
    const time = new Date(at as string);
    if (action !== "requeued" && action !== "dismissed") return null;
    if (typeof by !== "string" || typeof at !== "string" || Number.isNaN(time.getTime())) return null;
    return { action, by: by.slice(0, MAX_NAME_LENGTH), at: time };
  } catch {
    return null;
  }
}
