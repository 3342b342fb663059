/**
 * The field `k` of the commit's metadata: the state of each offset from the front on, in the order of the log. Pure.
 *
 * | text | meaning |
 * |---|---|
 * | `A` | one offset that has neither failed nor finished |
 * | `B` | one offset that is finished |
 * | `C` … `Z`, `a` … `z`, `0` … `9`, `-` | one offset whose record has failed 1 … 61 times |
 * | `_` and three characters | one offset whose record has failed more often: the count to the base 64 |
 * | `~`, a count to the base 36, `A` or `B` | so many offsets of this state |
 *
 * An offset takes one character at most, but for a count above 61: where there is no space for it, 61 is written. So it is
 * known before a record starts whether its outcome will have a place.
 */

/** The positions from `from` up to, but without, `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

/** Returns whether an offset is in one of the ranges. */
export function isInRanges(offset: number, ranges: readonly OffsetRange[]): boolean {
  return ranges.some(({ from, to }) => from <= offset && offset < to);
}

/** A record that has failed and is not finished. */
export interface FailedRecord {
  readonly offset: number;
  /** The number of failed runs. */
  readonly attempts: number;
}

/** The states of offsets beyond the front; both lists are in order. */
export interface OffsetStates {
  readonly finished: readonly OffsetRange[];
  readonly failed: readonly FailedRecord[];
}

/** The most characters that a run of equal offsets takes: `~`, the count of any safe integer, and the state. */
export const LONGEST_RUN = 13;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const UNTOUCHED = "A";
const FINISHED = "B";
const ESCAPE = "_";
/** The largest count in one character. */
const MAX_SHORT_COUNT = 61;
const MAX_COUNT = 64 ** 3 - 1;

/**
 * Encodes the states.
 *
 * @param front the offset that is committed with them; whatever is before it is left out
 * @param maxLength in characters; states that are too far away for it are left out
 */
export function encodeStates(states: OffsetStates, front: number, maxLength: number): string {
  const text = encode(states, front, MAX_COUNT);
  if (text.length <= maxLength) return text;
  return truncate(encode(states, front, MAX_SHORT_COUNT), maxLength);
}

/** Decodes the states. The text is untrusted: what follows the first fault is left out. */
export function decodeStates(text: string, front: number): OffsetStates {
  const finished: { from: number; to: number }[] = [];
  const failed: FailedRecord[] = [];
  let offset = front;
  for (const [, run, state, long, short] of text.matchAll(TOKENS)) {
    if (run !== undefined || short === UNTOUCHED || short === FINISHED) {
      const next = offset + (run === undefined ? 1 : parseInt(run, 36));
      if (!Number.isSafeInteger(next)) break;
      if ((state ?? short) === FINISHED) {
        const last = finished.at(-1);
        if (last?.to === offset) last.to = next;
        else finished.push({ from: offset, to: next });
      }
      offset = next;
    } else {
      const attempts = short !== undefined ? DIGITS.indexOf(short) - 1 : readCount(long!);
      failed.push({ offset: offset++, attempts });
    }
  }
  return { finished, failed };
}

const TOKENS = /~([0-9a-z]{1,11})([AB])|_([\w-]{3})|([A-Za-z0-9-])/gy;

function encode({ finished, failed }: OffsetStates, front: number, maxCount: number): string {
  let text = "";
  let end = front;
  let failedIndex = 0;
  const addFailedBefore = (offset: number): void => {
    for (
      let record = failed[failedIndex];
      record !== undefined && record.offset < offset;
      record = failed[++failedIndex]
    ) {
      if (record.offset < end) continue;
      text += formatRun(record.offset - end, UNTOUCHED) + formatCount(Math.min(record.attempts, maxCount));
      end = record.offset + 1;
    }
  };
  for (const { from, to } of finished) {
    addFailedBefore(from);
    if (to <= end) continue;
    const start = Math.max(from, end);
    text += formatRun(start - end, UNTOUCHED) + formatRun(to - start, FINISHED);
    end = to;
  }
  addFailedBefore(Infinity);
  return text;
}

function formatRun(length: number, state: string): string {
  const run = `~${length.toString(36)}${state}`;
  return length <= run.length ? state.repeat(length) : run;
}

function formatCount(attempts: number): string {
  if (attempts <= MAX_SHORT_COUNT) return DIGITS[attempts + 1]!;
  const digit = (place: number) => DIGITS[Math.floor(attempts / 64 ** place) % 64]!;
  return ESCAPE + digit(2) + digit(1) + digit(0);
}

function readCount(digits: string): number {
  return [...digits].reduce((count, digit) => count * 64 + DIGITS.indexOf(digit), 0);
}

/** Cuts a text behind its last whole token within the limit. */
function truncate(text: string, maxLength: number): string {
  let end = 0;
  for (const { 0: token, index } of text.matchAll(TOKENS)) {
    if (index + token.length > maxLength) break;
    end = index + token.length;
  }
  return text.slice(0, end);
}
