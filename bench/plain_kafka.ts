/** What is measured beside the library on Kafka: kafkajs, configured as its users would. */
import kafkajs, { type Kafka } from "kafkajs";

function brokers(): string[] {
  return Deno.env.get("BROKER_URL")!.replace("kafka://", "").split(",");
}

/** A plain client, configured as its users would. */
export function plainKafka(): Kafka {
  return new kafkajs.Kafka({ clientId: "bench", brokers: brokers(), logLevel: kafkajs.logLevel.NOTHING });
}

/** The partitioner that users are told to give. */
export const partitioner = kafkajs.Partitioners.DefaultPartitioner;
