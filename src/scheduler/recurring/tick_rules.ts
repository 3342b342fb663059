/**
 * The rules for the ticks of a recurring job, pure: the next one, those that were cancelled, and whether the tick of a record
 * follows from the definition.
 *
 * Each record of the job has the cancelled ticks, until a day after their time: neither a new owner nor a clock that is set back
 * by less lets one come again.
 */
import type { RecurringDefinition } from "../../recurring/definition.ts";
import { isBelievable, lastTickAtMs, MAX_CANCELLED, type TickRecord } from "./tick_record.ts";

/** Returns the first tick after a time that was not cancelled. */
export function nextTickAtMs(
  definition: Pick<RecurringDefinition, "next">,
  afterMs: number,
  cancelled: readonly number[],
): number {
  let tickAtMs = definition.next(afterMs);
  while (cancelled.includes(tickAtMs)) tickAtMs = definition.next(tickAtMs);
  return tickAtMs;
}

/** Adds ticks to those that were cancelled, and forgets those of more than a day ago; if there are too many, the first ones. */
export function addCancelled(known: readonly number[], added: readonly number[], nowMs: number): readonly number[] {
  if (known.length + added.length === 0) return known;
  const all = [...new Set([...known, ...added])].filter((tickAtMs) => isBelievable(nowMs, tickAtMs));
  return all.sort((a, b) => a - b).slice(-MAX_CANCELLED);
}

/** The state of a recurring job that a record is compared with. */
export interface ComparedWith {
  readonly definition: Pick<RecurringDefinition, "next">;
  /** The hash of the definition. */
  readonly hash: string;
  /** The first tick from now on. */
  readonly firstAtMs: number;
  readonly cancelled: readonly number[];
  /** Whether the owner before may have written it with other code. */
  readonly mayDiffer: boolean;
  readonly nowMs: number;
}

/** Returns whether a record has the next tick of the definition, or one that is due. Any other one is old, or forged. */
export function isRightTick({ tickAtMs, definition: hash, last }: TickRecord, compared: ComparedWith): boolean {
  const { definition, firstAtMs, cancelled, mayDiffer, nowMs } = compared;
  const isSame = hash === compared.hash;
  if (tickAtMs > nowMs) return isSame && tickAtMs === firstAtMs;
  if (cancelled.includes(tickAtMs) || tickAtMs <= lastTickAtMs(last, nowMs)) return false;
  // A tick of other code that is due is not lost.
  return isSame ? definition.next(tickAtMs - 1) === tickAtMs : mayDiffer;
}

/** Returns a hash of 32 bits (FNV-1a). */
export function hashText(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16);
}
