/**
 * The Kafka that tests run on: the one in `BROKER_URL`, else one that is started for them on a free port and thrown away with
 * its data when it is disposed of.
 */
import { KafkaUnavailableError, startKafka } from "./server.ts";

/** A Kafka to test against, until it is disposed of. */
export interface KafkaForTests extends AsyncDisposable {
  /** What tests find in `BROKER_URL`: `"kafka://127.0.0.1:9092"`. */
  readonly url: string;
}

/** What `BROKER_URL` says, `""` for nothing. */
export const brokerUrl: string = Deno.env.get("BROKER_URL") ?? "";

/** @throws {KafkaUnavailableError} if nothing answers at `BROKER_URL`, or none can be started; the message says why */
export async function kafkaForTests(): Promise<KafkaForTests> {
  if (brokerUrl !== "") {
    const hosts = brokerUrl.replace(/^kafka:\/\//, "");
    const [hostname, port] = hosts.split(",", 1)[0]!.split(":");
    try {
      (await Deno.connect({ hostname: hostname!, port: Number(port) })).close();
    } catch (cause) {
      throw new KafkaUnavailableError(`BROKER_URL is "${brokerUrl}", but nothing answers there`, { cause });
    }
    return { url: `kafka://${hosts}`, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  console.log("Starting a Kafka for this run");
  const kafka = await startKafka({ port: 0 });
  return { url: `kafka://${kafka.brokers}`, [Symbol.asyncDispose]: () => kafka.stop() };
}
