/**
 * The records of a partition, in the order of their offsets, with gaps. They are kept in chunks, so that a record in the
 * middle of a million is removed, and is found, in a few steps.
 */
import type { StoredRecord } from "../broker.ts";

/** The most records of a chunk. */
const CHUNK_RECORDS = 1024;

/** See the module. */
export class RecordList {
  /** None of them is empty. */
  readonly #chunks: StoredRecord[][] = [];

  /** Adds a record, whose offset is beyond all others. */
  push(record: StoredRecord): void {
    const last = this.#chunks.at(-1);
    if (last === undefined || last.length >= CHUNK_RECORDS) this.#chunks.push([record]);
    else last.push(record);
  }

  /**
   * Returns records from an offset on.
   *
   * @param isWanted whether a record is wanted, after so many; it is not called any more once it returns `false`
   * @returns the records that are wanted, and the one behind them; `undefined` at the end
   */
  takeFrom(
    from: number,
    isWanted: (record: StoredRecord, count: number) => boolean,
  ): { readonly records: StoredRecord[]; readonly following: StoredRecord | undefined } {
    const records: StoredRecord[] = [];
    let number = this.#chunkOf(from);
    for (let index = indexIn(this.#chunks[number], from);; number++, index = 0) {
      const chunk = this.#chunks[number];
      if (chunk === undefined) return { records, following: undefined };
      for (; index < chunk.length; index++) {
        const record = chunk[index]!;
        if (!isWanted(record, records.length)) return { records, following: record };
        records.push(record);
      }
    }
  }

  /** Removes the record at an offset, if it is there. */
  remove(offset: number): void {
    const number = this.#chunkOf(offset);
    const chunk = this.#chunks[number];
    const index = indexIn(chunk, offset);
    if (chunk?.[index]?.offset !== offset) return;
    chunk.splice(index, 1);
    if (chunk.length === 0) this.#chunks.splice(number, 1);
  }

  /** Removes the records before an offset. */
  removeBefore(offset: number): void {
    this.#chunks.splice(0, this.#chunkOf(offset));
    const first = this.#chunks[0];
    first?.splice(0, indexIn(first, offset));
  }

  /** The number of the first chunk that reaches up to an offset. */
  #chunkOf(offset: number): number {
    return lowestIndex(this.#chunks.length, (number) => this.#chunks[number]!.at(-1)!.offset >= offset);
  }
}

/** The index of the first record from an offset on. */
function indexIn(chunk: readonly StoredRecord[] | undefined, offset: number): number {
  return lowestIndex(chunk?.length ?? 0, (index) => chunk![index]!.offset >= offset);
}

/** Returns the lowest index for which a condition is true that is true for all higher ones; the length if there is none. */
function lowestIndex(length: number, isTrue: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
