/** The administration of the memory log: topics, offsets, and the committed offsets of groups. */
import type { BrokerAdmin } from "../broker.ts";
import { withoutValue } from "../record.ts";
import { groupHasMembersError, unknownTopicError } from "../refusals.ts";
import { abortable } from "../../support/deadline.ts";
import type { MemoryLog, MemoryTopic } from "./log.ts";

/**
 * Makes the administration of a log.
 *
 * @param log the log
 * @param ready is awaited at the start of each call; rejects once the broker was disposed of
 */
export function memoryAdmin(log: MemoryLog, ready: () => Promise<void>): BrokerAdmin {
  return {
    async describe(topics) {
      await ready();
      return new Map(topics.map((name) => {
        const topic = log.topic(name);
        return [name, topic && { partitions: topic.partitions.length, config: new Map(topic.config) }];
      }));
    },
    async create(topics) {
      await ready();
      for (const { name, partitions = 1, config } of topics) log.createTopic(name, partitions, config);
    },
    async addPartitions(topic, count) {
      await ready();
      log.addPartitions(topic, count);
    },
    async ends(name) {
      await ready();
      return findTopic(log, name).partitions.map(({ low, high }, partition) => ({ partition, low, high }));
    },
    async read(topic, partition, { from, maxBytes, values = true, signal }) {
      await abortable(ready(), signal);
      const source = log.partition({ topic, partition });
      const { low, high } = source;
      const start = Math.max(from, low);
      const { records, next } = source.read(start, maxBytes) ?? { records: [], next: start };
      return { records: values ? records : records.map(withoutValue), next, low, high, lastStable: high };
    },
    async committed(groupName, name) {
      await ready();
      const group = log.group(groupName);
      return findTopic(log, name).partitions.map((_, partition) => {
        const committed = group.committed({ topic: name, partition });
        return { partition, offset: committed?.offset ?? null, metadata: committed?.metadata ?? "" };
      });
    },
    async groups(topics) {
      await ready();
      return new Map(topics.map((topic) => [topic, log.groupsOf(topic).sort()]));
    },
    async seek(groupName, to) {
      await ready();
      const group = log.group(groupName);
      if (group.hasMembers) throw groupHasMembersError(groupName);
      for (const position of to) log.assertContains(position);
      for (const position of to) group.setCommitted(position, "");
    },
  };
}

function findTopic(log: MemoryLog, name: string): MemoryTopic {
  const topic = log.topic(name);
  if (topic === null) throw unknownTopicError(name, "look at");
  return topic;
}
