/**
 * A Kafka cluster as a broker: one cluster of connections, one producer, consumers. Everything connects when it is first
 * used. It lives until it is disposed of, and settles what is pending then.
 */
import { BrokerError } from "../../errors.ts";
import { abortable } from "../../support/deadline.ts";
import type { Position } from "../../support/position.ts";
import type {
  AppendOptions,
  AppendOutcome,
  Broker,
  BrokerAdmin,
  BrokerContext,
  Capabilities,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  DecideSkip,
  NewRecord,
} from "../broker.ts";
import { kafkaAdmin } from "./admin.ts";
import { KafkaConsumer } from "./consumer/consumer.ts";
import { MAX_METADATA_LENGTH } from "./consumer/ownership.ts";
import type { KafkaSettings } from "./options.ts";
import { Producer } from "./producer/producer.ts";
import { Questions } from "./questions.ts";
import { skipRecord } from "./skip.ts";
import { Cluster } from "./wire/cluster.ts";

/** The longest time to close the consumers when the broker is disposed of, in milliseconds. */
const CLOSE_MS = 3000;

/** The capabilities of Kafka. */
export const KAFKA_CAPABILITIES: Capabilities = Object.freeze({
  offsetsExpire: true,
  maxCommitMetadataLength: MAX_METADATA_LENGTH,
  concurrentAppends: true,
});

/** See the module. */
export class KafkaBroker implements Broker {
  readonly name: string;
  readonly capabilities: Capabilities = KAFKA_CAPABILITIES;
  readonly admin: BrokerAdmin;
  readonly #settings: KafkaSettings;
  readonly #context: BrokerContext;
  readonly #cluster: Cluster;
  readonly #questions: Questions;
  readonly #producer: Producer;
  readonly #consumers = new Set<KafkaConsumer>();
  #isOpen = true;

  constructor(name: string, settings: KafkaSettings, context: BrokerContext) {
    const { brokers, ssl, sasl, connectionTimeoutMs, requestTimeoutMs, deliveryTimeoutMs, metadataMaxAgeMs } = settings;
    this.name = name;
    this.#settings = settings;
    this.#context = context;
    this.#cluster = new Cluster({
      brokers,
      requestTimeoutMs,
      connection: { clientId: context.clientId, ssl, sasl, connectionTimeoutMs },
    });
    this.#questions = new Questions(this.#cluster);
    this.#producer = new Producer(this.#cluster, { deliveryTimeoutMs, metadataMaxAgeMs });
    this.admin = kafkaAdmin(this.#cluster, this.#questions);
  }

  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await abortable(this.#questions.ask("reach Kafka", () => this.#cluster.metadata.refresh([])), signal);
  }

  async append(
    topic: string,
    records: readonly NewRecord[],
    options?: AppendOptions,
  ): Promise<readonly AppendOutcome[]> {
    if (this.#isOpen) return await this.#producer.append(topic, records, options);
    const error = new BrokerError(`Cannot append to topic "${topic}": the broker "${this.name}" was disposed of`);
    return records.map(() => ({ ok: false, error, written: "no" }));
  }

  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer {
    if (!this.#isOpen) throw new BrokerError(`Cannot consume: the broker "${this.name}" was disposed of`);
    const consumer = new KafkaConsumer(options, sink, {
      cluster: this.#cluster,
      monitor: this.#context.monitor,
      metadataMaxAgeMs: this.#settings.metadataMaxAgeMs,
      ended: () => this.#consumers.delete(consumer),
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  skip(group: string, position: Position, decide: DecideSkip): Promise<void> {
    return skipRecord(this.#cluster, this.#questions, group, position, decide);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOpen = false;
    this.#questions.close();
    this.#producer.close();
    await Promise.all([...this.#consumers].map((consumer) => consumer.close(CLOSE_MS)));
    this.#cluster.close();
  }
}
