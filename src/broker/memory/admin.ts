/** The administration of the memory log: topics, offsets, and the committed offsets of groups. */
import type { BrokerAdmin, CommittedOffset } from "../broker.ts";
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
    async listEnds(topics) {
      await ready();
      return new Map(topics.map((name) => {
        const topic = log.topic(name);
        if (topic === null) return [name, null];
        const partitions = topic.partitions.map(({ low, high }, partition) => ({
          partition,
          low,
          high,
          problem: null,
        }));
        return [name, { partitions, problem: null }];
      }));
    },
    async listHeads(positions, signal) {
      await abortable(ready(), signal);
      return positions.map(({ topic, partition, offset }) => {
        const source = log.topic(topic)?.partitions[partition];
        if (source === undefined) return null;
        const first = source.first(offset);
        return { offset: first?.offset ?? Math.max(offset, source.high), timestampMs: first?.timestampMs ?? null };
      });
    },
    async read(topic, partition, { from, to, maxBytes, values = true, signal }) {
      await abortable(ready(), signal);
      const source = log.partition({ topic, partition });
      const { low, high } = source;
      const start = Math.max(from, low);
      const { records, next } = source.read(start, maxBytes, to) ?? { records: [], next: start };
      return { records: values ? records : records.map(withoutValue), next, low, high, lastStable: high };
    },
    async committed(groupName, name) {
      await ready();
      findTopic(log, name);
      return committedOf(log, groupName, name)!;
    },
    async listCommitted(groupName, topics) {
      await ready();
      return new Map(topics.map((name) => [name, committedOf(log, groupName, name)]));
    },
    async members(groupName) {
      await ready();
      return log.group(groupName).describeMembers();
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

/** Returns what a group has committed of a topic; `null` for a topic that does not exist. */
function committedOf(log: MemoryLog, groupName: string, name: string): CommittedOffset[] | null {
  const group = log.group(groupName);
  return log.topic(name)?.partitions.map((_, partition) => {
    const committed = group.committed({ topic: name, partition });
    return { partition, offset: committed?.offset ?? null, metadata: committed?.metadata ?? "" };
  }) ?? null;
}

function findTopic(log: MemoryLog, name: string): MemoryTopic {
  const topic = log.topic(name);
  if (topic === null) throw unknownTopicError(name, "look at");
  return topic;
}
