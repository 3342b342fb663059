/** The start of a consumer on a scripted broker, while a topic is missing. */
import { assertEquals } from "@std/assert";
import { KafkaBroker } from "../../../../src/broker/kafka/broker.ts";
import { kafkaSettings } from "../../../../src/broker/kafka/options.ts";
import { Monitor } from "../../../../src/monitor/monitor.ts";
import { Api } from "../../../support/kafka/scripted_broker.ts";
import { ScriptedKafka, TOPIC } from "../../../support/kafka/scripted_kafka.ts";
import { Recorder } from "../../conformance/recorder.ts";

function consume(kafka: ScriptedKafka, metadataMaxAgeMs: number) {
  const monitor = new Monitor();
  const missing: string[] = [];
  monitor.on("topic.missing", ({ topic }) => void missing.push(topic));
  const settings = kafkaSettings({ brokers: [kafka.broker.address], metadataMaxAgeMs });
  const broker = new KafkaBroker("kafka:scripted", settings, { clientId: "test", monitor });
  const recorder = new Recorder(20_000);
  const options = { group: "g", topics: [TOPIC], sessionTimeoutMs: 1000, maxFetchBytes: 1_000_000 };
  return { broker, recorder, missing, consumer: broker.consume(options, recorder) };
}

Deno.test("a topic that a broker does not know yet, at the start, is asked for again before the group is joined", async () => {
  await using kafka = new ScriptedKafka();
  const { partitions } = kafka;
  kafka.partitions = null;
  kafka.broker.next(Api.metadata, () => kafka.metadata(), () => {
    kafka.partitions = partitions;
    return kafka.metadata();
  });
  // The number of partitions is not looked at again: without them at the start, the share would stay empty.
  const { broker, recorder, missing, consumer } = consume(kafka, 60_000);
  await using _broker = broker;
  await consumer.joined;
  await recorder.until("its share came", () => recorder.live.size === 1);
  assertEquals([missing, kafka.generation], [[], 1]);
});

Deno.test("a topic that stays missing at the start is reported before the topics are looked at again", async () => {
  await using kafka = new ScriptedKafka();
  Object.assign(kafka, { partitions: null, share: [] });
  const { broker, recorder, missing, consumer } = consume(kafka, 60_000);
  await using _broker = broker;
  await consumer.joined;
  assertEquals([missing, recorder.live.size], [[TOPIC], 0]);
});

Deno.test("a topic that is missing at the start is reported once, and consumed when it is there", async () => {
  await using kafka = new ScriptedKafka();
  const { partitions } = kafka;
  Object.assign(kafka, { partitions: null, share: [] });
  const { broker, recorder, missing, consumer } = consume(kafka, 50);
  await using _broker = broker;
  await consumer.joined;
  Object.assign(kafka, { partitions, share: [0] });
  await recorder.until("its share came", () => recorder.live.size === 1);
  assertEquals([missing, recorder.failures, kafka.generation], [[TOPIC], [], 2]);
});
