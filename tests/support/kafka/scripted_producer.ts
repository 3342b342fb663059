/** A producer on scripted brokers. */
import type { AppendOutcome, NewRecord } from "../../../src/broker/broker.ts";
import { Producer } from "../../../src/broker/kafka/producer/producer.ts";
import { Api, type Script } from "./scripted_broker.ts";
import { ScriptedKafka, TOPIC } from "./scripted_kafka.ts";
import { batchesOf, type ProducedBatch } from "./scripted_log.ts";

/** A producer and its cluster. */
export interface ProducerWorld extends AsyncDisposable {
  readonly kafka: ScriptedKafka;
  readonly producer: Producer;
  /** Appends values, to a partition where one is given. */
  append(values: readonly string[], to?: { readonly partition?: number; readonly key?: string }): Promise<
    readonly AppendOutcome[]
  >;
}

/** Opens a producer on scripted brokers. */
export function openProducer(
  { deliveryTimeoutMs = 20_000, metadataMaxAgeMs = 30_000, connectionTimeoutMs = 2000, ...kafkaOptions } = {} as {
    connectionTimeoutMs?: number;
    deliveryTimeoutMs?: number;
    metadataMaxAgeMs?: number;
    partitions?: number;
    others?: number;
  },
): ProducerWorld {
  const kafka = new ScriptedKafka(kafkaOptions);
  const cluster = kafka.connect({ connectionTimeoutMs });
  const producer = new Producer(cluster, { deliveryTimeoutMs, metadataMaxAgeMs });
  return {
    kafka,
    producer,
    append: (values, to = {}) => producer.append(TOPIC, values.map((value): NewRecord => ({ value, ...to }))),
    async [Symbol.asyncDispose]() {
      producer.close();
      cluster.close();
      await kafka[Symbol.asyncDispose]();
    },
  };
}

/** Returns the offset of each record, or whether it may be written. */
export function written(outcomes: readonly AppendOutcome[]): (string | number)[] {
  return outcomes.map((outcome) => outcome.ok ? outcome.position.offset : outcome.written);
}

/** Returns the batches that brokers have got. */
export function sentTo(...brokers: readonly ScriptedKafka["broker"][]): ProducedBatch[] {
  return brokers.flatMap((broker) => broker.received(Api.produce)).flatMap(batchesOf);
}

/** Waits for the next Produce request, and holds its response back until it is released. */
export function holdProduce(kafka: ScriptedKafka, respond: Script = (request) => kafka.produce(request)) {
  const arrived = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  kafka.broker.next(Api.produce, async (request) => {
    arrived.resolve();
    await released.promise;
    return await respond(request);
  });
  return { arrived: arrived.promise, release: released.resolve };
}
