/** What an administrator may do with the memory log: topics, offsets, and the commits of groups that have no members. */
import type { BrokerAdmin } from "../broker.ts";
import { groupHasMembersError, unknownTopicError } from "../refusals.ts";
import type { MemoryLog, MemoryTopic } from "./log.ts";

/**
 * The administrator's door of a memory log.
 *
 * @param log the log
 * @param reachable resolves once the log can be reached; rejects when the broker is disposed of
 */
export function memoryAdmin(log: MemoryLog, reachable: () => Promise<void>): BrokerAdmin {
  return {
    async describe(topics) {
      await reachable();
      return new Map(topics.map((name) => {
        const topic = log.topic(name);
        return [name, topic && { partitions: topic.partitions.length, config: new Map(topic.config) }];
      }));
    },
    async create(topics) {
      await reachable();
      for (const { name, partitions = 1, config } of topics) {
        log.createTopic(name, partitions, config);
      }
    },
    async addPartitions(topic, count) {
      await reachable();
      log.addPartitions(topic, count);
    },
    async ends(name) {
      await reachable();
      return existing(log, name, "look at").partitions.map(({ low, high }, partition) => ({ partition, low, high }));
    },
    async committed(group, name) {
      await reachable();
      return existing(log, name, "look at").partitions.map((_, partition) => {
        const committed = log.group(group).committed({ topic: name, partition });
        return { partition, offset: committed?.offset ?? null, metadata: committed?.metadata ?? "" };
      });
    },
    async seek(group, to) {
      await reachable();
      const members = log.group(group);
      if (members.live) throw groupHasMembersError(group);
      for (const position of to) log.assertWithin(position);
      for (const position of to) members.write(position, "");
    },
  };
}

function existing(log: MemoryLog, name: string, verb: string): MemoryTopic {
  const topic = log.topic(name);
  if (topic === null) throw unknownTopicError(name, verb);
  return topic;
}
