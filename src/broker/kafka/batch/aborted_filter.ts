/**
 * Leaves out the records of aborted transactions, and the markers that end transactions. Brokers send both, with the list of
 * the aborted transactions of the data beside them. One filter for the data of one partition in one response.
 */
import type { Buffer } from "node:buffer";
import { Attribute, type BatchBounds, Field, HEADER_BYTES } from "./layout.ts";

/** An aborted transaction. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  /** Offset of its first record. */
  readonly firstOffset: number;
}

/** Type of the marker that aborts, in the key of its record. */
const ABORT = 0;

/** See the module. */
export class AbortedFilter {
  readonly #upcoming: AbortedTransaction[];
  readonly #open = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#upcoming = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Returns whether a batch has nothing for the consumer. Asked once for each batch, in their order. */
  skips(data: Buffer, { start, end, lastOffset }: BatchBounds): boolean {
    const attributes = data.readInt16BE(start + Field.attributes);
    while (this.#upcoming.length > 0 && this.#upcoming[0]!.firstOffset <= lastOffset) {
      this.#open.add(this.#upcoming.shift()!.producerId);
    }
    if (!(attributes & (Attribute.transactional | Attribute.control))) return false;
    const producerId = data.readBigInt64BE(start + Field.producerId);
    if (!(attributes & Attribute.control)) return this.#open.has(producerId);
    if (markerType(data, start + HEADER_BYTES, end) === ABORT) this.#open.delete(producerId);
    return true;
  }
}

/** Reads the type of a marker: the second integer in the key of the batch's only record; −1 if it cannot be read. */
function markerType(data: Buffer, at: number, end: number): number {
  const skipVarint = (): void => {
    while (at < end && data[at++]! > 0x7f);
  };
  skipVarint(); // length
  at++; // attributes
  skipVarint(); // timestamp
  skipVarint(); // offset
  skipVarint(); // length of the key, which begins with a version
  return at + 4 <= end ? data.readInt16BE(at + 2) : -1;
}
