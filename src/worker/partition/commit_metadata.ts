/**
 * The codec of the commit's metadata: what the next owner of a partition must know beyond the committed offset, as one
 * line of ASCII such as `v1;a=0:2;s=1;f=3-5,9-10`. Offsets are written as distances from the committed offset. Pure.
 *
 * | field | meaning |
 * |---|---|
 * | `k=CAABB` | the state of each offset from the front on: see `offset_states.ts`. Only if one record has more to say than `a` |
 * | `a=0:2` | the first failed record is at distance 0 and has failed 2 times |
 * | `s=1` | the partition's own count of failures, for `independent: false` |
 * | `d=0,4` | the records at these distances were given up: their dead letters are to be written, and they must not run again |
 * | `w=0,7` | the records at these distances wait for an operator |
 * | `f=3-5,9-10` | what is finished beyond the committed offset |
 *
 * A record starts only where `k` has space for it, so nothing is lost of it. The other fields are cut to the rest of the
 * length. Version 0.1 knows `a`, `s` and `f`, and ignores the others: so they are written beside `k`, and the union counts.
 *
 * Untrusted when it is read, since any client may commit: counts are 0–99,999, and a field that is not well-formed is
 * absent.
 */
import { decodeStates, encodeStates, type FailedRecord, type OffsetRange } from "./offset_states.ts";

/** The progress of a partition, as its next owner must know it. */
export interface Progress {
  /** The records that have failed and are not finished, in order. */
  readonly failed: readonly FailedRecord[];
  /** The number of failures in the partition since a record passed at its first attempt. */
  readonly strikes: number;
  /** The offsets of records that were given up and whose dead letters are to be written, in order. */
  readonly givenUp: readonly number[];
  /** The offsets of records that wait for an operator, in order. */
  readonly stuck: readonly number[];
  /** The ranges that are finished beyond the front, in order. */
  readonly finished: readonly OffsetRange[];
}

/** The progress of a partition of which nothing is known. */
export const NO_PROGRESS: Progress = { failed: [], strikes: 0, givenUp: [], stuck: [], finished: [] };

/** Returns the number of offsets of which the metadata can always tell, if it may have so many characters. */
export function capacityOf(maxLength: number): number {
  return Math.max(0, maxLength - `${VERSION};k=`.length);
}

/**
 * Encodes the metadata.
 *
 * @param front the offset that is committed with it
 * @param maxLength in characters
 * @returns ASCII; empty if there is nothing to say
 */
export function encodeCommitMetadata(progress: Progress, front: number, maxLength: number): string {
  const { failed, strikes, givenUp, stuck, finished } = progress;
  const distances = (offsets: readonly number[]): string[] => offsets.map((offset) => String(offset - front));
  const needsStates = finished.length > 0 || failed.length > 1;
  const line = new Line(maxLength);
  if (needsStates) line.add("k", [encodeStates(progress, front, capacityOf(maxLength))]);
  if (failed.length > 0) line.add("a", [`${failed[0]!.offset - front}:${Math.min(failed[0]!.attempts, MAX_COUNT)}`]);
  if (strikes > 0) line.add("s", [String(Math.min(strikes, MAX_COUNT))]);
  line.add("d", distances(givenUp));
  line.add("w", distances(stuck));
  line.add("f", finished.map(({ from, to }) => `${from - front}-${to - front}`));
  return line.text;
}

/**
 * Decodes the metadata.
 *
 * @param text what was committed beside the offset; untrusted
 * @param front the committed offset
 */
export function decodeCommitMetadata(text: string, front: number): Progress {
  const fields = text.split(";");
  if (fields.shift() !== VERSION) return NO_PROGRESS;
  const failed: FailedRecord[] = [];
  const finished: OffsetRange[] = [];
  const progress = { ...NO_PROGRESS };
  for (const field of fields) {
    const [, name, value] = /^([a-z])=(.*)$/.exec(field) ?? [];
    if (name === "a") failed.push(...readFailed(value!, front));
    else if (name === "s") progress.strikes = readCount(value) ?? 0;
    else if (name === "d") progress.givenUp = readOffsets(value!, front);
    else if (name === "w") progress.stuck = readOffsets(value!, front);
    else if (name === "f") finished.push(...readRanges(value!, front));
    else if (name === "k") {
      const states = decodeStates(value!, front);
      failed.push(...states.failed);
      finished.push(...states.finished);
    }
  }
  return { ...progress, failed: mergeFailed(failed), finished: mergeRanges(finished) };
}

const VERSION = "v1";
const MAX_COUNT = 99_999;

/** The fields that fit into a line of limited length. */
class Line {
  readonly #maxLength: number;
  text = "";

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Adds a field with the first of its values, as many as fit. */
  add(name: string, values: readonly string[]): void {
    let separator = `${this.text === "" ? VERSION : ""};${name}=`;
    for (const value of values) {
      if (this.text.length + separator.length + value.length > this.#maxLength) return;
      this.text += separator + value;
      separator = ",";
    }
  }
}

/** Strict: `Number("")` would be 0, and `Number("0x10")` 16. */
function readCount(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : null;
}

function readOffset(text: string | undefined, front: number): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? front + Number(text) : null;
}

function readOffsets(text: string, front: number): number[] {
  return text.split(",").map((distance) => readOffset(distance, front)).filter((offset) => offset !== null);
}

function readFailed(text: string, front: number): FailedRecord[] {
  const [distance, count, ...more] = text.split(":");
  const offset = readOffset(distance, front);
  const attempts = readCount(count);
  return offset === null || attempts === null || more.length > 0 ? [] : [{ offset, attempts }];
}

function readRanges(text: string, front: number): OffsetRange[] {
  const ranges: OffsetRange[] = [];
  for (const range of text.split(",")) {
    const [from = null, to = null, ...more] = range.split("-").map((distance) => readOffset(distance, front));
    if (from !== null && to !== null && to > from && more.length === 0) ranges.push({ from, to });
  }
  return ranges;
}

/** Each record once, in order, with the larger count. */
function mergeFailed(failed: readonly FailedRecord[]): FailedRecord[] {
  const attempts = new Map<number, number>();
  for (const { offset, attempts: count } of failed) {
    if (count > 0) attempts.set(offset, Math.max(count, attempts.get(offset) ?? 0));
  }
  return Array.from(attempts, ([offset, count]) => ({ offset, attempts: count })).sort((a, b) => a.offset - b.offset);
}

/** The union of ranges, in order. */
function mergeRanges(ranges: readonly OffsetRange[]): OffsetRange[] {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else merged.push({ from, to });
  }
  return merged;
}
