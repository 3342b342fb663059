/** Reads the age of the first record that is not finished, for each partition that has one. */
import { type AskAdmin, type Deadline, forEachLimited } from "./ask.ts";
import { frontOf, lagOf, type PartitionFacts } from "./partition_state.ts";

/** Partitions that are read at a time. */
const CONCURRENCY = 16;

/**
 * Adds the timestamps of the first records to the facts.
 *
 * @param topics the partitions of each topic. An entry is replaced by one with the timestamp
 * @returns the number of partitions that could not be read
 */
export async function readHeads(
  ask: AskAdmin,
  topics: readonly PartitionFacts[][],
  { signal }: Deadline,
): Promise<number> {
  const waiting = topics.flatMap((partitions) =>
    partitions.flatMap((each, index) => lagOf(each) ? [{ partitions, index }] : [])
  );
  let unknown = 0;
  await forEachLimited(waiting, CONCURRENCY, async ({ partitions, index }) => {
    const each = partitions[index]!;
    const from = frontOf(each)!;
    const { value } = await ask((admin) =>
      admin.read(each.topic, each.partition, { from, maxBytes: 1, values: false, signal })
    );
    if (value === null) unknown++;
    // Nothing but the marks of transactions is left, which no job waits behind.
    else if (value.records.length === 0 && value.next >= value.high) {
      partitions[index] = { ...each, committed: value.next };
    } else partitions[index] = { ...each, headAtMs: value.records[0]?.timestampMs ?? null };
  });
  return unknown;
}
