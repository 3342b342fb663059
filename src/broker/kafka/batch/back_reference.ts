/** The copy of earlier output that snappy and LZ4 have in common. */
import type { Buffer } from "node:buffer";
import { damaged } from "./decompression_errors.ts";

/** Shorter copies are cheaper in a loop than in a call. */
const MIN_COPY_WITHIN = 16;

/**
 * Repeats earlier output.
 *
 * @param to position at which the output goes on
 * @param distance how far back the copy begins; less than `length` repeats what it writes
 * @returns the position after the copy
 * @throws {RangeError} if it reaches before the start or beyond the end of the output
 */
export function copyBack(output: Buffer, to: number, distance: number, length: number): number {
  if (distance === 0 || distance > to || to + length > output.length) throw damaged();
  if (distance >= length && length > MIN_COPY_WITHIN) {
    output.copyWithin(to, to - distance, to - distance + length);
    return to + length;
  }
  for (const end = to + length; to < end; to++) output[to] = output[to - distance]!;
  return to;
}
