/**
 * Reads records at given offsets of a partition. Offsets that are close together are read with one call: the size of a page
 * doubles as long as a page has several of them, and halves where it has one.
 */
import type { BrokerAdmin, StoredRecord } from "../broker/broker.ts";
import { BrokerError } from "../errors.ts";
import { nextTurn } from "../support/timers.ts";
import { formatPosition } from "../support/position.ts";

const MIN_PAGE_BYTES = 16 * 1024;
const MAX_PAGE_BYTES = 1024 * 1024;

/** The place to read from, and what is wanted. */
export interface FetchOptions {
  readonly admin: Pick<BrokerAdmin, "read">;
  readonly topic: string;
  readonly partition: number;
  /** Whether the values are wanted, too. */
  readonly values: boolean;
  readonly signal: AbortSignal;
}

/**
 * Reads records.
 *
 * @param offsets sorted
 * @param onRecord called with each of them that is still in the log, in order
 * @throws {BrokerError} if the log cannot be read
 */
export async function fetchRecords(
  offsets: readonly number[],
  { admin, topic, partition, values, signal }: FetchOptions,
  onRecord: (record: StoredRecord) => void,
): Promise<void> {
  let maxBytes = MIN_PAGE_BYTES * 4;
  let at = 0;
  while (at < offsets.length) {
    const page = await admin.read(topic, partition, { from: offsets[at]!, maxBytes, values, signal });
    // A record that is missing must be known to be missing: a new leader may know less than the old one for a moment.
    if (page.next <= offsets[at]!) {
      const position = formatPosition({ topic, partition, offset: offsets[at]! });
      throw new BrokerError(`Cannot read ${position} yet: the log ends before it`);
    }
    let found = 0;
    for (const record of page.records) {
      while (at < offsets.length && offsets[at]! < record.offset) at++;
      if (offsets[at] !== record.offset) continue;
      onRecord(record);
      found++;
      at++;
    }
    while (at < offsets.length && offsets[at]! < page.next) at++;
    // An embedded broker returns each page at once.
    if (at < offsets.length) await nextTurn();
    maxBytes = found > 1 ? Math.min(maxBytes * 2, MAX_PAGE_BYTES) : Math.max(maxBytes / 2, MIN_PAGE_BYTES);
  }
}
