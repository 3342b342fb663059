/** One partition of a topic of the memory log: its records, in order. It lives as long as its topic. */
import type { RecordBatch } from "../broker.ts";
import { type NewStoredRecord, sizeOf, type StoredRecord } from "../record.ts";
import { Compaction, type Reader } from "./compaction.ts";
import { RecordList } from "./record_list.ts";

/** The records of a partition. */
export class MemoryPartition {
  /** The live ownerships of the partition, of all groups. */
  readonly readers: Set<Reader> = new Set();
  /** The records that are still there. */
  protected readonly records: RecordList = new RecordList();
  /** The offset that the next record will get. */
  protected nextOffset = 0;
  /** `null` for a topic that is not compacted by key. */
  readonly #compaction: Compaction | null;

  /** Makes an empty partition. */
  constructor(isCompacted: boolean) {
    this.#compaction = isCompacted ? new Compaction(this.records, this.readers) : null;
  }

  /** Whether a later record of a key removes the earlier ones. */
  get isCompacted(): boolean {
    return this.#compaction !== null;
  }

  /** The offset of the first record, whether or not compaction has removed it. Nothing else is ever deleted. */
  get low(): number {
    return 0;
  }

  /** The offset that the next record will get. */
  get high(): number {
    return this.nextOffset;
  }

  /**
   * Appends a record. A compacted partition needs a key.
   *
   * @returns its offset
   */
  append({ key, value, headers, timestampMs }: NewStoredRecord): number {
    const record = { offset: this.nextOffset++, key, value, headers, timestampMs };
    this.records.push(record);
    this.#compaction?.add(record);
    return record.offset;
  }

  /**
   * Reads records.
   *
   * @param from the offset to start at
   * @param maxBytes the most bytes to return; a single larger record is returned nevertheless
   * @param to the offset to stop at
   * @returns the records; `null` at the end of the partition
   */
  read(from: number, maxBytes: number, to = Infinity): RecordBatch | null {
    if (from >= this.high) return null;
    let bytes = 0;
    const { records, following } = this.records.takeFrom(from, (record, count) => {
      if (record.offset >= to) return false;
      bytes += sizeOf(record);
      return bytes <= maxBytes || count === 0;
    });
    return { records, next: following?.offset ?? this.high, highWatermark: this.high };
  }

  /** Returns the first record from an offset on; `undefined` if there is none. */
  first(from: number): StoredRecord | undefined {
    return this.records.takeFrom(from, () => false).following;
  }

  /** Removes some of the tombstones that are not needed any more. Called when a reader has moved. */
  clean(): void {
    this.#compaction?.clean();
  }
}
