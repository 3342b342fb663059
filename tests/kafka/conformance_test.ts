import { assertEquals } from "@std/assert";
import type { Consumer } from "../../src/broker/broker.ts";
import { conformance, type Harness } from "../broker/conformance/mod.ts";
import { KAFKA_CAPABILITIES, KafkaBroker } from "../../src/broker/kafka/broker.ts";
import { kafkaSettings } from "../../src/broker/kafka/options.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import {
  appendAborted,
  brokers,
  commitAs,
  deleteRecords,
  noKafka,
  recreateTopic,
  removeMember,
} from "../support/kafka/cluster.ts";

/** Which client of the group a consumer is. */
const clients = new WeakMap<Consumer, { readonly group: string; readonly clientId: string }>();

const harness: Harness = {
  name: "kafka",
  capabilities: KAFKA_CAPABILITIES,
  sessionTimeoutMs: 2000,
  limitMs: 30_000,
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

const skips = conformance(harness, (name, fn) => Deno.test({ name, fn, ignore: noKafka }));

Deno.test("kafka: the conformance suite skips only the cases about tombstones, which Kafka keeps for a fixed time", () => {
  assertEquals(skips.map(({ missing }) => missing), Array(3).fill("ageRecords"));
});
