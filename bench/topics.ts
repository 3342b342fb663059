/** Topics on the Kafka in `BROKER_URL`, filled with ready envelopes. */
import kafkajs from "kafkajs";
import { partitioner, plainKafka } from "./plain_kafka.ts";
import { records } from "./payload.ts";

/** The contents of a topic. */
export interface TopicPlan {
  /** The number of its partitions. */
  readonly partitions: number;
  /** The number of its records. @default 0 */
  readonly jobs?: number;
  /** The size of each value in bytes. @default `ENVELOPE_BYTES` */
  readonly bytes?: number;
  /** The number of distinct keys. @default 1000 */
  readonly distinctKeys?: number;
}

/** Requests with more would be refused: a broker takes about a megabyte. */
const REQUEST_BYTES = 800_000;

const filled = new Map<string, Promise<string>>();

/** Returns the name of a topic with these records, which no consumer removes: benches of one run share it. */
export function filledTopic(plan: TopicPlan): Promise<string> {
  const key = JSON.stringify(plan);
  let topic = filled.get(key);
  if (topic === undefined) filled.set(key, topic = newTopic(plan));
  return topic;
}

/** Creates a topic with these records. */
export async function newTopic({ partitions, jobs = 0, ...plan }: TopicPlan): Promise<string> {
  const topic = `bench-${crypto.randomUUID()}`;
  const kafka = plainKafka();
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }] });
  await admin.disconnect();
  if (jobs === 0) return topic;
  const producer = kafka.producer({ createPartitioner: partitioner });
  await producer.connect();
  for (const messages of records({ jobs, ...plan, listBytes: REQUEST_BYTES })) {
    await producer.send({ topic, messages, acks: -1, compression: kafkajs.CompressionTypes.None });
  }
  await producer.disconnect();
  return topic;
}
