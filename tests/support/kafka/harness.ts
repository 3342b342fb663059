/** The harness of Kafka for the conformance suite: clients of the Kafka of the tests, and the faults that an administrator makes. */
import { KAFKA_CAPABILITIES, KafkaBroker } from "../../../src/broker/kafka/broker.ts";
import type { Consumer } from "../../../src/broker/broker.ts";
import { kafkaSettings } from "../../../src/broker/kafka/options.ts";
import { Monitor } from "../../../src/monitor/monitor.ts";
import type { Harness } from "../../broker/conformance/mod.ts";
import { appendAborted, brokers, commitAs, deleteRecords, recreateTopic, removeMember } from "./cluster.ts";

/** The client of the group that a consumer is. */
const clients = new WeakMap<Consumer, { readonly group: string; readonly clientId: string }>();

/** Kafka for the suite. */
export const kafkaHarness: Harness = {
  name: "kafka",
  capabilities: KAFKA_CAPABILITIES,
  sessionTimeoutMs: 2000,
  limitMs: 60_000,
  open() {
    const clientId = crypto.randomUUID();
    const settings = kafkaSettings({ brokers, metadataMaxAgeMs: 500 });
    const broker = new KafkaBroker("kafka:test", settings, { clientId, monitor: new Monitor() });
    const consume = broker.consume.bind(broker);
    broker.consume = (options, sink) => {
      const consumer = consume(options, sink);
      clients.set(consumer, { group: options.group, clientId });
      return consumer;
    };
    return broker;
  },
  recreateTopic,
  deleteRecords,
  commitAs,
  async expire(consumer) {
    const { group, clientId } = clients.get(consumer)!;
    await removeMember(group, clientId);
  },
  appendControl: ({ topic, partition }) => appendAborted(topic, partition),
};
