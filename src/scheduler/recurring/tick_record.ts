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
 * | `cancelled` | the ticks that were cancelled, a hundred at most: see `tick_rules.ts` |
 *
 * Pure. Untrusted when it is read, since any client may write to the topic.
 */
import { tickJobIdOf } from "../../recurring/definition.ts";
import type { Schedule } from "../../dispatch/schedule.ts";
import { LATEST_MS } from "../../support/clock.ts";
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
  /** The ticks that were cancelled, and do not come. */
  readonly cancelled: readonly number[];
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

/** The most ticks of a record that were cancelled. */
export const MAX_CANCELLED = 100;

/** A last tick that is later than now by more was written under a wrong clock, or forged, in milliseconds. */
const MAX_AHEAD_MS = 86_400_000;

/** Returns the job id of the records of a recurring job. */
export function scheduleIdOf(id: string): string {
  return `${PREFIX}${id}`;
}

/** Returns the id of the recurring job of a record; `null` if it is a record of another job. */
export function recurringIdOf(jobId: string): string | null {
  return jobId.startsWith(PREFIX) ? jobId.slice(PREFIX.length) : null;
}

/** Encodes the contents of a record. */
export function encodeTick({ tickAtMs, definition, last, ends, cancelled }: TickState): string {
  return JSON.stringify({ tickAtMs, definition, last, ends, cancelled });
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
  const id = recurringIdOf(jobId);
  if (recurring === undefined || id === null) return null;
  try {
    const { tickAtMs, definition, last, ends, cancelled = [] } = JSON.parse(recurring);
    // It would wait for longer than its tick.
    if (!isTime(tickAtMs) || dueAtMs > tickAtMs || typeof definition !== "string") return null;
    if (last !== null && !isLastTick(id, last)) return null;
    if (ends !== null && !(typeof ends === "object" && Object.values(ends).every(isCount))) return null;
    if (!Array.isArray(cancelled) || cancelled.length > MAX_CANCELLED || !cancelled.every(isTime)) return null;
    return { id, offset, dueAtMs, tickAtMs, definition, last, ends, cancelled };
  } catch {
    return null;
  }
}

/** Returns the time of the last tick; `-Infinity` if there is none, or it is too far in the future to be true. */
export function lastTickAtMs(last: LastTick | null, nowMs: number): number {
  return last === null || !isBelievable(last.tickAtMs, nowMs) ? -Infinity : last.tickAtMs;
}

/** Returns whether a tick may be past by the clock of a worker. */
export function isBelievable(tickAtMs: number, nowMs: number): boolean {
  return tickAtMs <= nowMs + MAX_AHEAD_MS;
}

function isLastTick(id: string, { tickAtMs, jobId, position: { topic, partition, offset } }: LastTick): boolean {
  return isTime(tickAtMs) && jobId === tickJobIdOf(id, tickAtMs) && typeof topic === "string" &&
    isCount(partition) && isCount(offset);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value is milliseconds since 1970 that a `Date` can have. */
function isTime(value: unknown): boolean {
  return isCount(value) && (value as number) <= LATEST_MS;
}
