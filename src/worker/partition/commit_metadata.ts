/**
 * The codec of the commit's metadata: what the next owner of a partition must know beyond the committed offset, as one
 * line of ASCII such as `v1;a=0:2;s=1;f=3-5,9-10`. Offsets are written as distances from the committed offset. Pure.
 *
 * | field | meaning |
 * |---|---|
 * | `a=0:2` | the record at distance 0 has failed 2 times |
 * | `s=1` | the partition's own count of failures, for `independent: false` |
 * | `d=0` | the record at distance 0 was given up: its dead letter is to be written, and it must not run again |
 * | `w=0` | the record at distance 0 waits for an operator |
 * | `f=3-5,9-10` | what is finished beyond the committed offset |
 *
 * If it would grow too long, the farthest ranges are left out: their records run again. Version 0.1 has neither `d` nor
 * `w`, and ignores fields that it does not know.
 *
 * Untrusted when it is read, since any client may commit: counts are 0–99,999, and a field that is not well-formed is
 * absent.
 */
import type { OffsetRange } from "./offset_tracker.ts";

/** The progress of a partition, as its next owner must know it. */
export interface Progress {
  /** The record at the front that has failed, and how often; `null` for none. */
  readonly failed: { readonly offset: number; readonly attempts: number } | null;
  /** The number of failures in the partition since a record passed at its first attempt. */
  readonly strikes: number;
  /** The record that was given up and whose dead letter is to be written; `null` for none. */
  readonly deadLetterOffset: number | null;
  /** The record that waits for an operator; `null` for none. */
  readonly stuckOffset: number | null;
  /** The ranges that are finished beyond the front. */
  readonly finished: readonly OffsetRange[];
}

/** The progress of a partition of which nothing is known. */
export const NO_PROGRESS: Progress = {
  failed: null,
  strikes: 0,
  deadLetterOffset: null,
  stuckOffset: null,
  finished: [],
};

/**
 * Encodes the metadata.
 *
 * @param front the offset that is committed with it
 * @param maxLength in characters
 * @returns ASCII; empty if there is nothing to say
 */
export function encodeCommitMetadata(progress: Progress, front: number, maxLength: number): string {
  const parts: string[] = [];
  const { failed, strikes, deadLetterOffset, stuckOffset, finished } = progress;
  if (failed !== null) parts.push(`a=${failed.offset - front}:${Math.min(failed.attempts, MAX_COUNT)}`);
  if (strikes > 0) parts.push(`s=${Math.min(strikes, MAX_COUNT)}`);
  if (deadLetterOffset !== null) parts.push(`d=${deadLetterOffset - front}`);
  if (stuckOffset !== null) parts.push(`w=${stuckOffset - front}`);
  let text = parts.length === 0 ? "" : `${VERSION};${parts.join(";")}`;
  if (text.length > maxLength) return "";
  let separator = text === "" ? `${VERSION};f=` : ";f=";
  for (const { from, to } of finished) {
    const range = `${separator}${from - front}-${to - front}`;
    if (text.length + range.length > maxLength) break;
    text += range;
    separator = ",";
  }
  return text;
}

/**
 * Decodes the metadata.
 *
 * @param text what was committed beside the offset; untrusted
 * @param front the committed offset
 */
export function decodeCommitMetadata(text: string, front: number): Progress {
  const parts = text.split(";");
  if (parts.shift() !== VERSION) return NO_PROGRESS;
  const progress = { ...NO_PROGRESS };
  for (const part of parts) {
    const [, name, value] = /^([a-z])=(.*)$/.exec(part) ?? [];
    if (name === "a") progress.failed = readFailed(value!, front);
    else if (name === "s") progress.strikes = readCount(value!) ?? 0;
    else if (name === "d") progress.deadLetterOffset = readOffset(value!, front);
    else if (name === "w") progress.stuckOffset = readOffset(value!, front);
    else if (name === "f") progress.finished = readRanges(value!, front);
  }
  return progress;
}

const VERSION = "v1";
const MAX_COUNT = 99_999;

/** Strict: `Number("")` would be 0, and `Number("0x10")` 16. */
function readCount(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : null;
}

function readOffset(text: string | undefined, front: number): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? front + Number(text) : null;
}

function readFailed(text: string, front: number): Progress["failed"] {
  const [distance, count, ...more] = text.split(":");
  const offset = readOffset(distance, front);
  const attempts = readCount(count);
  return offset === null || attempts === null || more.length > 0 ? null : { offset, attempts };
}

function readRanges(text: string, front: number): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const range of text.split(",")) {
    const [from = null, to = null, ...more] = range.split("-").map((distance) => readOffset(distance, front));
    if (from !== null && to !== null && to > from && more.length === 0) ranges.push({ from, to });
  }
  return ranges;
}
