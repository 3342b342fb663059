/** One partition of a topic of the memory log: its records, in order. It lives as long as its topic. */
import type { RecordBatch, StoredRecord } from "../broker.ts";
import { type NewStoredRecord, sizeOf } from "../record.ts";

/** The records of a partition. */
export class MemoryPartition {
  /** The records that are still there, in order. */
  protected readonly records: StoredRecord[] = [];

  /** The offset of the first record. Nothing is ever deleted. */
  get low(): number {
    return 0;
  }

  /** The offset that the next record will get. */
  get high(): number {
    return this.records.length;
  }

  /**
   * Appends a record.
   *
   * @returns its offset
   */
  append({ key, value, headers, timestampMs }: NewStoredRecord): number {
    const offset = this.high;
    this.records.push({ offset, key, value, headers, timestampMs });
    return offset;
  }

  /**
   * Reads records.
   *
   * @param from the offset to start at
   * @param maxBytes the most bytes to return; a single larger record is returned nevertheless
   * @returns the records; `null` at the end of the partition
   */
  read(from: number, maxBytes: number): RecordBatch | null {
    if (from >= this.high) return null;
    const first = this.indexOf(from);
    let end = first;
    let bytes = 0;
    while (end < this.records.length) {
      bytes += sizeOf(this.records[end]!);
      if (bytes > maxBytes && end > first) break;
      end++;
    }
    const next = this.records[end]?.offset ?? this.high;
    return { records: this.records.slice(first, end), next, highWatermark: this.high };
  }

  /** Returns the number of records before an offset. */
  protected indexOf(offset: number): number {
    return offset;
  }
}
