/**
 * Reads a part of a partition's log in pages, without a group. The event loop turns between two pages: an embedded broker
 * returns each at once, and a log of a million records would stop all timers and sockets for seconds.
 */
import type { TopicPartition } from "../support/position.ts";
import { nextTurn } from "../support/timers.ts";
import type { BrokerAdmin } from "./admin.ts";
import type { StoredRecord } from "./record.ts";

/** The most bytes of a page. */
const PAGE_BYTES = 1024 * 1024;

/** The part of a log to read. */
export interface Range {
  /** The first offset. */
  readonly from: number;
  /** The end, which is not read. @default the end of the log */
  readonly to?: number;
  /** Whether the records have their values: see `ReadOptions`. @default true */
  readonly values?: boolean;
  /** Ends the reading. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads records from one offset to another, in order.
 *
 * @returns pages of at least one record
 * @throws {UnknownTopicError} if the topic does not exist
 * @throws the reason of the signal
 */
export async function* readForward(
  admin: Pick<BrokerAdmin, "read">,
  { topic, partition }: TopicPartition,
  { from, to = Infinity, values = true, signal }: Range,
): AsyncGenerator<readonly StoredRecord[]> {
  let position = from;
  while (position < to) {
    const { records, next, lastStable } = await admin.read(topic, partition, {
      from: position,
      to,
      maxBytes: PAGE_BYTES,
      values,
      ...(signal === undefined ? {} : { signal }),
    });
    if (records.length > 0) yield records;
    if (next >= lastStable || next <= position) return;
    position = next;
    await nextTurn();
  }
}
