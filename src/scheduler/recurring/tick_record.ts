/**
 * The record of a recurring job: its next tick, which waits among the delayed jobs. All records of a recurring job are
 * schedules of the same job id, `recurring/<id>`, so the latest one counts and removes those before it. The record has what
 * must be known beyond the tick, in its header `recurring`, as JSON:
 *
 * | field | meaning |
 * |---|---|
 * | `tickAtMs` | the tick; the record may be due before it, if the tick is farther than a job may wait |
 * | `definition` | a hash of the definition with which the tick was computed |
 * | `last` | the last tick that enqueued a job, its `jobId` and its position |
 * | `ends` | the enqueuing has begun: the ends of the target's partitions before it |
 *
 * Pure. Untrusted when it is read, since any client may write to the topic.
 */
import type { Schedule } from "../../dispatch/schedule.ts";
import type { Position } from "../../support/position.ts";

/** The partition that has the records of all recurring jobs: each topic has it. */
export const RECURRING_PARTITION = 0;

/** The last tick of a recurring job that enqueued a job. */
export interface LastTick {
  readonly tickAtMs: number;
  readonly jobId: string;
  readonly position: Position;
}

/** The contents of a record. */
export interface TickState {
  readonly tickAtMs: number;
  readonly definition: string;
  /** `null` if no tick has enqueued a job yet. */
  readonly last: LastTick | null;
  /** The end of each partition of the target before the job was enqueued; `null` if that has not begun. */
  readonly ends: Readonly<Record<string, number>> | null;
}

/** A record as it was read. */
export interface TickRecord extends TickState {
  /** The id of the recurring job. */
  readonly id: string;
  readonly offset: number;
  /** The time at which the record is due. */
  readonly dueAtMs: number;
}

const PREFIX = "recurring/";

/** A last tick that is later than now by more was written under a wrong clock, or forged, in milliseconds. */
const MAX_AHEAD_MS = 86_400_000;

/** Returns the job id of the records of a recurring job. */
export function scheduleIdOf(id: string): string {
  return `${PREFIX}${id}`;
}

/** Encodes the contents of a record. */
export function encodeTick({ tickAtMs, definition, last, ends }: TickState): string {
  return JSON.stringify({ tickAtMs, definition, last, ends });
}

/**
 * Decodes a record.
 *
 * @returns `null` if it is not the record of a recurring job
 */
export function decodeTick(
  offset: number,
  { jobId, dueAtMs, recurring }: Pick<Schedule, "jobId" | "dueAtMs" | "recurring">,
): TickRecord | null {
  if (recurring === undefined || !jobId.startsWith(PREFIX)) return null;
  try {
    const { tickAtMs, definition, last, ends } = JSON.parse(recurring);
    if (!isTime(tickAtMs) || typeof definition !== "string") return null;
    if (last !== null && !isLastTick(last)) return null;
    if (ends !== null && !(typeof ends === "object" && Object.values(ends).every(isCount))) return null;
    return { id: jobId.slice(PREFIX.length), offset, dueAtMs, tickAtMs, definition, last, ends };
  } catch {
    return null;
  }
}

/** Returns the time of the last tick; `-Infinity` if there is none, or it is too far in the future to be true. */
export function lastTickAtMs(last: LastTick | null, nowMs: number): number {
  return last === null || last.tickAtMs > nowMs + MAX_AHEAD_MS ? -Infinity : last.tickAtMs;
}

function isLastTick(value: LastTick): boolean {
  const { topic, partition, offset } = value.position;
  return isTime(value.tickAtMs) && typeof value.jobId === "string" && typeof topic === "string" &&
    isCount(partition) && isCount(offset);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value is milliseconds since 1970 that a `Date` can have. */
function isTime(value: unknown): boolean {
  return isCount(value) && (value as number) <= 8.64e15;
}
