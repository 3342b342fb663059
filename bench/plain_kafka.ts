/** The other side of the ratios on Kafka: kafkajs, configured as its users would configure it. */
import kafkajs, { type Kafka } from "kafkajs";

/** The addresses in `BROKER_URL`. */
export function kafkaBrokers(): string[] {
  return Deno.env.get("BROKER_URL")!.replace("kafka://", "").split(",");
}

/** A plain client, as its users would configure it. */
export function plainKafka(): Kafka {
  return new kafkajs.Kafka({ clientId: "bench", brokers: kafkaBrokers(), logLevel: kafkajs.logLevel.NOTHING });
}

/** The partitioner that kafkajs recommends. */
export const partitioner = kafkajs.Partitioners.DefaultPartitioner;
