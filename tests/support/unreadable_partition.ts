/** A broker of which one partition cannot be read: it has no leader, and what asks for its records waits. */
import type { BrokerSource } from "../../src/broker/broker.ts";
import { formatPartition, type TopicPartition } from "../../src/support/position.ts";

/** Returns the source with a partition that has no leader. A list of ends says so; anything else about its topic waits. */
export function withoutLeader(source: BrokerSource, lost: TopicPartition): BrokerSource {
  const open: BrokerSource["open"] = async (context) => {
    const broker = await source.open(context);
    const { admin } = broker;
    const never = new Promise<never>(() => {});
    const ends: typeof admin.ends = (topic) => topic === lost.topic ? never : admin.ends(topic);
    const read: typeof admin.read = (topic, partition, options) =>
      formatPartition({ topic, partition }) === formatPartition(lost) ? never : admin.read(topic, partition, options);
    const listEnds: typeof admin.listEnds = async (topics) => {
      const listed = await admin.listEnds(topics);
      return new Map(Array.from(listed, ([topic, found]) => {
        const problem = "it has no leader";
        const partitions = found?.partitions.map((each) =>
          topic === lost.topic && each.partition === lost.partition ? { ...each, low: null, high: null, problem } : each
        );
        return [topic, found && { ...found, partitions: partitions! }];
      }));
    };
    const faulty = { ...admin, ends, read, listEnds };
    return new Proxy(broker, {
      get: (target, name) => {
        const value = name === "admin" ? faulty : Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return { ...source, open };
}
