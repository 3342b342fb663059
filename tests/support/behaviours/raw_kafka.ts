/**
 * Appends with kafkajs what no broker of this library writes: records with a given timestamp, and aborted transactions.
 */
import { Buffer } from "node:buffer";
import kafkajs, { type Kafka } from "../kafka/kafkajs.ts";
import { KAFKA_URL } from "./brokers.ts";

/** A record with the fields that only kafkajs can set. */
export interface RawRecord {
  readonly value: string;
  /** In ms since 1970, as a string. */
  readonly timestamp?: string;
}

/** Appends records to partition 0, as one batch in gzip. */
export async function produceGzip(topic: string, values: readonly (string | Uint8Array)[]): Promise<void> {
  const producer = client().producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = values.map((value) => ({ partition: 0, value: Buffer.from(value as Uint8Array) }));
  await producer.send({ topic, compression: kafkajs.CompressionTypes.GZIP, messages });
  await producer.disconnect();
}

/** Appends records to partition 0. The records of an aborted transaction are in the log, but no consumer sees them. */
export async function produceRaw(
  topic: string,
  records: readonly RawRecord[],
  transaction?: "commit" | "abort",
): Promise<void> {
  const producer = client().producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    ...(transaction === undefined
      ? {}
      : { transactionalId: crypto.randomUUID(), idempotent: true, maxInFlightRequests: 1 }),
  });
  await producer.connect();
  try {
    const batch = { topic, messages: records.map((record) => ({ partition: 0, ...record })) };
    if (transaction === undefined) return void await producer.send(batch);
    const running = await producer.transaction();
    await running.send(batch);
    await running[transaction]();
  } finally {
    await producer.disconnect();
  }
}

function client(): Kafka {
  const { Kafka, logLevel } = kafkajs;
  return new Kafka({ brokers: KAFKA_URL.replace("kafka://", "").split(","), logLevel: logLevel.NOTHING });
}
