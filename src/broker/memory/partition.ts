/**
 * One partition of a topic: its records, in order. It lives as long as its topic; a topic that is deleted and made anew
 * has new partitions, so that the object itself tells one log from the next.
 */
import type { RecordBatch, StoredRecord } from "../broker.ts";
import { type NewStoredRecord, sizeOf } from "../record.ts";

/** A partition's records between its low and its high watermark. */
export class MemoryPartition {
  readonly #records: StoredRecord[] = [];
  #low = 0;
  #high = 0;

  /** The first offset that is still there. */
  get low(): number {
    return this.#low;
  }

  /** The offset of the next record. */
  get high(): number {
    return this.#high;
  }

  /**
   * Appends a record.
   *
   * @returns its offset
   */
  append({ key, value, headers, timestampMs }: NewStoredRecord): number {
    const offset = this.#high++;
    this.#records.push({ offset, key, value, headers, timestampMs });
    return offset;
  }

  /** Uses up offsets that no consumer ever sees, as a transaction's control records and aborted records do. */
  appendControl(count: number): void {
    this.#high += count;
  }

  /** Takes away the records before `offset`, as retention does. */
  deleteBefore(offset: number): void {
    this.#low = Math.max(this.#low, Math.min(offset, this.#high));
    this.#records.splice(0, this.#indexOf(this.#low));
  }

  /** Its topic is deleted: nothing of it is read any more, and nobody is told that something is gone. */
  discard(): void {
    this.#records.length = 0;
    this.#high = this.#low;
  }

  /**
   * Reads on.
   *
   * @param from the offset to begin with
   * @param maxBytes how much to hand out at most; one record is handed out whatever its size
   * @returns the records, or `null` at the end of the log
   */
  read(from: number, maxBytes: number): RecordBatch | null {
    if (from >= this.#high) return null;
    const first = this.#indexOf(from);
    let end = first;
    let bytes = 0;
    while (end < this.#records.length) {
      bytes += sizeOf(this.#records[end]!);
      if (bytes > maxBytes && end > first) break;
      end++;
    }
    const next = this.#records[end]?.offset ?? this.#high;
    return { records: this.#records.slice(first, end), next, highWatermark: this.#high };
  }

  /** Where the first record at or after `offset` stands. */
  #indexOf(offset: number): number {
    let from = 0;
    let to = this.#records.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#records[middle]!.offset < offset) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
