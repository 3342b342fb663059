/** Reads the log of a partition of delayed jobs beside the consumer, as far as it goes. */
import { BrokerError } from "../errors.ts";
import { nextTurn } from "../support/timers.ts";
import { formatPosition, type TopicPartition } from "../support/position.ts";
import type { SchedulerContext } from "./context.ts";
import type { PartitionSchedules } from "./partition_schedules.ts";

/** The bytes of a page: each one blocks the event loop for some milliseconds. */
const PAGE_BYTES = 256 * 1024;

/** The part of the log. */
export interface ReadLogOptions {
  readonly admin: SchedulerContext["admin"];
  readonly place: TopicPartition;
  readonly from: number;
  /** It is known that the log goes up to here at least. */
  readonly to: number;
  readonly signal: AbortSignal;
  /** Called after each page. @returns whether to read on */
  readonly onPage: () => boolean;
}

/**
 * Reads everything from an offset to the end.
 *
 * @returns whether the end was reached
 * @throws {BrokerError} if the log cannot be read, or ends before `to`
 * @throws the reason of the signal
 */
export async function readLog(
  schedules: Pick<PartitionSchedules, "read" | "reserve">,
  { admin, place, from, to, signal, onPage }: ReadLogOptions,
): Promise<boolean> {
  let position = from;
  while (true) {
    const options = { from: position, maxBytes: PAGE_BYTES, values: false, signal };
    const { records, next, low, lastStable } = await admin.read(place.topic, place.partition, options);
    if (!onPage()) return false;
    if (position === from) schedules.reserve(lastStable - Math.max(from, low));
    schedules.read(records, next);
    position = next;
    // An embedded broker returns each page at once.
    await nextTurn();
    if (next < lastStable) continue;
    if (next >= to) return true;
    // A new leader may know less than the old one for a moment.
    throw new BrokerError(`Cannot read ${formatPosition({ ...place, offset: to - 1 })} yet: the log ends before it`);
  }
}
