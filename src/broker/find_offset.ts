/** Finds the place of a time in a partition's log, without a group. */
import type { TopicPartition } from "../support/position.ts";
import type { BrokerAdmin, PartitionEnds } from "./admin.ts";

/**
 * Finds the first record that was appended at a time or later, by halves: a log of a billion records takes 30 reads. Clients with
 * other clocks may have written times that do not rise: the place is then one of those at which they pass the time.
 *
 * @param ends the ends of the partition
 * @param timeMs in ms since 1970
 * @returns its offset; the end of the log if all records are older
 */
export async function findOffset(
  admin: Pick<BrokerAdmin, "read">,
  { topic, partition }: TopicPartition,
  { low, high }: Pick<PartitionEnds, "low" | "high">,
  timeMs: number,
  signal?: AbortSignal,
): Promise<number> {
  const options = { maxBytes: 1, values: false, ...(signal === undefined ? {} : { signal }) };
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    const { records, next } = await admin.read(topic, partition, { from: middle, ...options });
    const record = records.find(({ offset }) => offset >= middle);
    if (record === undefined && next > middle && next < to) {
      // Nothing but control records here: the rest decides.
      from = next;
    } else if (record === undefined || record.offset >= to || record.timestampMs >= timeMs) to = middle;
    else from = record.offset + 1;
  }
  return from;
}
