/** The Kafka of a test run. It starts while other tests run, and is stopped when it is disposed of. */
import { brokerUrl, type KafkaForTests, kafkaForTests } from "../kafka/for_tests.ts";

/** See the module. */
export class BackgroundKafka implements AsyncDisposable {
  /** Its URL once it accepts connections, or `null` if there is none. */
  readonly url: Promise<string | null>;
  /** Why there is no Kafka; `null` while it starts, and if there is one. */
  reason: string | null = null;
  #kafka: KafkaForTests | null = null;

  /** @param start whether to start it; without it, `reason` is that the command line wants none */
  constructor(start: boolean) {
    this.url = start ? this.#start() : Promise.resolve(null);
    if (!start) this.reason = "--kafka=off was given";
  }

  async #start(): Promise<string | null> {
    if (brokerUrl !== "") console.log(`The Kafka is the one in BROKER_URL: ${brokerUrl}`);
    try {
      this.#kafka = await kafkaForTests();
      return this.#kafka.url;
    } catch (error) {
      this.reason = error instanceof Error ? error.message : String(error);
      return null;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.url;
    await this.#kafka?.[Symbol.asyncDispose]();
  }
}
