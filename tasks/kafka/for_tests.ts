/**
 * The Kafka for tests: the one in `BROKER_URL`, else one that is started on a free port, and removed with its data when
 * it is disposed of.
 */
import { isKafkaDownloaded, KAFKA_VERSION, KafkaUnavailableError, startKafka } from "./server.ts";

/** A Kafka to test against, until it is disposed of. */
export interface KafkaForTests extends AsyncDisposable {
  /** The value of `BROKER_URL` for tests: `"kafka://127.0.0.1:9092"`. */
  readonly url: string;
}

/** The value of `BROKER_URL`, `""` if it is not set. */
export const brokerUrl: string = Deno.env.get("BROKER_URL") ?? "";

/**
 * Connects to the Kafka in `BROKER_URL`, or starts one.
 *
 * @throws {KafkaUnavailableError} if no Kafka responds at `BROKER_URL`, or none can be started; the message says why
 */
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
  const download = await isKafkaDownloaded()
    ? ""
    : "; it is downloaded from Maven Central first (about 55 MB, only once)";
  console.log(`Kafka ${KAFKA_VERSION} is started for this run${download}`);
  const kafka = await startKafka({ port: 0 });
  return { url: `kafka://${kafka.brokers}`, [Symbol.asyncDispose]: () => kafka.stop() };
}
