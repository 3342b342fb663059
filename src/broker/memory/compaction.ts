/**
 * Compaction of a partition of the memory log: a later record of a key removes the earlier one at once. A tombstone stays
 * until it was delivered to each live ownership of the partition, whichever the group; without any it stays for an hour,
 * since the next ownership reads from the log what there still is.
 *
 * Tombstones are removed a few at a time, with the appends and the deliveries, so that none of these takes long.
 */
import type { StoredRecord } from "../broker.ts";
import { Fifo } from "../../support/fifo.ts";
import type { RecordList } from "./record_list.ts";

/** A consumer of the partition, as far as compaction is concerned. */
export interface Reader {
  /** Everything before this offset was delivered. */
  readonly position: number;
}

/** The time for which a tombstone is kept without a reader, in ms. */
const KEPT_WITHOUT_READER_MS = 60 * 60 * 1000;

/** The most tombstones that are removed at once. */
const MAX_AT_ONCE = 1000;

/** See the module. */
export class Compaction {
  readonly #records: RecordList;
  readonly #readers: ReadonlySet<Reader>;
  /** The offset of the record of each key. */
  readonly #offsets = new Map<string, number>();
  /** The tombstones, also those that are superseded. */
  readonly #tombstones = new Fifo<StoredRecord>();

  /**
   * @param records the records of the partition: they are removed from it
   * @param readers those that read the partition now; the set is read, and may change
   */
  constructor(records: RecordList, readers: ReadonlySet<Reader>) {
    this.#records = records;
    this.#readers = readers;
  }

  /** Takes a record that was added, and removes the earlier one of its key. */
  add(record: StoredRecord): void {
    const key = identityOf(record.key!);
    const earlier = this.#offsets.get(key);
    if (earlier !== undefined) this.#records.remove(earlier);
    this.#offsets.set(key, record.offset);
    if (record.value === null) this.#tombstones.push(record);
    if (this.#readers.size === 0) this.clean();
  }

  /** Removes some of the tombstones that are not needed any more. */
  clean(): void {
    const passed = Math.min(...Array.from(this.#readers, ({ position }) => position));
    const beforeMs = Date.now() - KEPT_WITHOUT_READER_MS;
    for (let count = 0; count < MAX_AT_ONCE; count++) {
      const { first } = this.#tombstones;
      if (first === undefined) return;
      if (passed === Infinity ? first.timestampMs >= beforeMs : first.offset >= passed) return;
      this.#tombstones.shift();
      const key = identityOf(first.key!);
      // Not if it is superseded: it is removed already.
      if (this.#offsets.get(key) !== first.offset) continue;
      this.#records.remove(first.offset);
      this.#offsets.delete(key);
    }
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the same string for keys of the same bytes, whether text or bytes. */
function identityOf(key: Uint8Array | string): string {
  if (typeof key === "string") return key;
  try {
    return decoder.decode(key);
  } catch {
    // No key is a text with this character: the strings of the log are well-formed.
    return "\ud800" + Array.from(key, (byte) => String.fromCharCode(byte)).join("");
  }
}
