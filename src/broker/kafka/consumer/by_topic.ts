/** Requests name a topic once, with its partitions below it. */
import type { TopicPartition } from "../../../support/position.ts";
import type { OfTopic } from "../wire/requests.ts";

/** Groups partitions by topic, each as the entry of a request. */
export function byTopic<At extends TopicPartition, Entry>(
  partitions: readonly At[],
  entryOf: (at: At) => Entry,
): OfTopic<Entry>[] {
  const topics = Map.groupBy(partitions, ({ topic }) => topic);
  return Array.from(topics, ([topic, ofTopic]) => ({ topic, partitions: ofTopic.map(entryOf) }));
}
