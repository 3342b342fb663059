/**
 * The commit's metadata: what a partition's next owner must know beyond the committed offset, as one line of ASCII, such
 * as `v1;a=0:2;s=1;f=3-5,9-10`. Offsets are written as distances from the committed one.
 *
 * `a`: which record at the front has failed, and how often. `s`: the partition's own count of failures. `f`: what is
 * finished beyond the front. Where it would grow too long, the farthest ranges are left out: they are performed again.
 *
 * Anybody may commit, so what is read is bounded, and what does not fit counts as absent.
 */
import type { OffsetRange } from "./offset_tracker.ts";

/** What a partition's next owner must know. */
export interface Progress {
  /** How often the record at the front has failed; `null` for not at all. */
  readonly failed: { readonly offset: number; readonly attempts: number } | null;
  /** How often records failed since one passed at its first attempt. */
  readonly strikes: number;
  /** What is finished beyond the front. */
  readonly finished: readonly OffsetRange[];
}

/** Nothing to tell. */
export const NO_PROGRESS: Progress = { failed: null, strikes: 0, finished: [] };

/**
 * Writes the metadata.
 *
 * @param front the offset that is committed with it
 * @param maxLength in characters
 * @returns ASCII, empty where there is nothing to tell
 */
export function encodeCommitMetadata(progress: Progress, front: number, maxLength: number): string {
  const parts: string[] = [];
  const { failed, strikes, finished } = progress;
  if (failed !== null) parts.push(`a=${failed.offset - front}:${Math.min(failed.attempts, MAX_COUNT)}`);
  if (strikes > 0) parts.push(`s=${Math.min(strikes, MAX_COUNT)}`);
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
 * Reads the metadata.
 *
 * @param text what stands beside the committed offset; from anybody
 * @param front the committed offset
 */
export function decodeCommitMetadata(text: string, front: number): Progress {
  const parts = text.split(";");
  if (parts.shift() !== VERSION) return NO_PROGRESS;
  let { failed, strikes, finished } = NO_PROGRESS;
  for (const part of parts) {
    const [, name, value] = /^([a-z])=(.*)$/.exec(part) ?? [];
    if (name === "a") failed = readFailed(value!, front);
    else if (name === "s") strikes = readCount(value!) ?? 0;
    else if (name === "f") finished = readRanges(value!, front);
  }
  return { failed, strikes, finished };
}

const VERSION = "v1";
const MAX_COUNT = 99_999;

/** Strict: `Number("")` would be 0, and `Number("0x10")` 16. */
function readCount(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : null;
}

function readDistance(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function readFailed(text: string, front: number): Progress["failed"] {
  const [distance, count, ...more] = text.split(":");
  const at = readDistance(distance);
  const attempts = readCount(count);
  return at === null || attempts === null || more.length > 0 ? null : { offset: front + at, attempts };
}

function readRanges(text: string, front: number): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const range of text.split(",")) {
    const [from, to, ...more] = range.split("-").map(readDistance);
    if (from === null || from === undefined || to === null || to === undefined || more.length > 0 || to <= from) {
      continue;
    }
    ranges.push({ from: front + from, to: front + to });
  }
  return ranges;
}
