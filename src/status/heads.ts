/** Reads the age of the first record that is not finished, for each partition that has one. */
import type { ListedHead } from "../broker/broker.ts";
import { forEachLimited } from "../support/for_each_limited.ts";
import type { AskAdmin, Deadline } from "./ask.ts";
import { frontOf, lagOf, type PartitionFacts } from "./partition_state.ts";

/** Partitions of one question: those of one without an answer are not known. */
const PARTITIONS = 2000;
/** Questions at a time. */
const CONCURRENCY = 4;

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
    partitions.flatMap((each, index) => lagOf(each) ? [{ partitions, index, each, offset: frontOf(each)! }] : [])
  );
  let unknown = 0;
  const parts = Array.from({ length: Math.ceil(waiting.length / PARTITIONS) }, (_, part) => part * PARTITIONS);
  await forEachLimited(parts, CONCURRENCY, async (start) => {
    const part = waiting.slice(start, start + PARTITIONS);
    const positions = part.map(({ each: { topic, partition }, offset }) => ({ topic, partition, offset }));
    const { value } = await ask((admin) => admin.listHeads(positions, signal));
    for (const [index, { partitions, index: at, each }] of part.entries()) {
      const head = value?.[index] ?? null;
      if (head === null) unknown++;
      else partitions[at] = withHead(each, head);
    }
  });
  return unknown;
}

function withHead(facts: PartitionFacts, { offset, timestampMs }: ListedHead): PartitionFacts {
  // Nothing but the marks of transactions is left, which no job waits behind.
  return timestampMs === null && offset >= facts.high!
    ? { ...facts, committed: offset }
    : { ...facts, headAtMs: timestampMs };
}
