/** Finds where a record ends that a group is to pass over: a batch that cannot be read counts as one record. */
import type { Position } from "../../support/position.ts";
import { batchParts, DEFAULT_MAX_RECORD_BYTES } from "./batch/batch_parts.ts";
import { batchesIn } from "./batch/layout.ts";
import type { Cluster } from "./wire/cluster.ts";
import { fetchRequest } from "./wire/fetch_request.ts";

/** The broker sends at least one whole batch, however small the limit. */
const LIMITS = { maxWaitMs: 0, maxBytes: 1, maxPartitionBytes: 1 };

/**
 * Returns the offset after a record: the next one, or the one after the batch if the batch cannot be read from there on.
 * A partition that cannot be read now is taken as readable.
 */
export async function findRecordEnd(cluster: Cluster, { topic, partition, offset }: Position): Promise<number> {
  const leader = cluster.leaderOf(topic, partition);
  const { topicId } = cluster.metadata.topic(topic) ?? {};
  if (leader === null || topicId === undefined) return offset + 1;
  const { leaderEpoch } = cluster.metadata.partition(topic, partition)!;
  const request = fetchRequest([{ topicId, partition, offset, leaderEpoch }], LIMITS);
  const { partitions } = await cluster.send(leader, "control", request);
  for (const { data } of partitions) {
    for (const batch of batchesIn(data)) {
      if (batch.lastOffset < offset) continue;
      for await (const { records: [first], next } of batchParts(data, batch, offset, DEFAULT_MAX_RECORD_BYTES)) {
        return first?.offset === offset && first.unreadable !== undefined ? next : offset + 1;
      }
    }
  }
  return offset + 1;
}
