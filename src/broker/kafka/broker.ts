/**
 * A Kafka cluster as a broker: one producer a topic, consumers, and one connection for questions. Everything connects when
 * it is first used. It lives until it is disposed of, and settles what is pending then.
 */
import { BrokerError } from "../../errors.ts";
import type {
  AppendOutcome,
  Broker,
  BrokerAdmin,
  BrokerContext,
  Capabilities,
  ConsumeOptions,
  Consumer,
  ConsumerSink,
  NewRecord,
  SkipOptions,
} from "../broker.ts";
import { kafkaAdmin } from "./admin.ts";
import { ClientFactory } from "./client.ts";
import { ClusterClient } from "./cluster.ts";
import { KafkaConsumer } from "./consumer.ts";
import type { KafkaSettings } from "./options.ts";
import { MAX_METADATA_LENGTH } from "./ownership.ts";
import { TopicProducer } from "./producer.ts";
import { skipRecord } from "./skip.ts";
import { TopicBudget } from "./topic_budget.ts";
import type { Position } from "../../support/position.ts";

/** How long closing the consumers may take when the broker is disposed of, in milliseconds. */
const CLOSE_MS = 3000;

/**
 * What Kafka can do through this client. `durability`: an acknowledged record is on all in-sync replicas, but brokers do not
 * wait for their disks, so that it survives the loss of a process and not, by itself, that of the power of all replicas.
 */
export const KAFKA_CAPABILITIES: Capabilities = Object.freeze({
  sharedGroups: true,
  maxCommitMetadataLength: MAX_METADATA_LENGTH,
});

/** See the module. */
export class KafkaBroker implements Broker {
  readonly name: string;
  readonly capabilities: Capabilities = KAFKA_CAPABILITIES;
  readonly admin: BrokerAdmin;
  readonly #clients: ClientFactory;
  readonly #cluster: ClusterClient;
  readonly #budget: TopicBudget;
  readonly #producers = new Map<string, TopicProducer>();
  readonly #consumers = new Set<KafkaConsumer>();
  #open = true;

  constructor(name: string, settings: KafkaSettings, context: BrokerContext) {
    this.name = name;
    this.#clients = new ClientFactory(settings, context);
    this.#cluster = new ClusterClient(this.#clients);
    this.#budget = new TopicBudget(this.#cluster, settings.metadataMaxAgeMs);
    this.admin = kafkaAdmin(this.#cluster);
  }

  async connect(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = () => aborted.reject(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#cluster.connect(), aborted.promise]);
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  }

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly AppendOutcome[]> {
    if (!this.#open) {
      const error = new BrokerError(`Cannot append to topic "${topic}": the broker "${this.name}" was disposed of`);
      return records.map(() => ({ ok: false, error, written: "no" }));
    }
    let producer = this.#producers.get(topic);
    if (producer === undefined) {
      producer = new TopicProducer(topic, this.#clients, this.#budget);
      this.#producers.set(topic, producer);
    }
    return await producer.append(records);
  }

  consume(options: ConsumeOptions, sink: ConsumerSink): Consumer {
    if (!this.#open) throw new BrokerError(`Cannot consume: the broker "${this.name}" was disposed of`);
    const consumer = new KafkaConsumer(this.#clients, this.#cluster, options, sink);
    this.#consumers.add(consumer);
    void consumer.ended.then(() => this.#consumers.delete(consumer));
    return consumer;
  }

  skip(group: string, position: Position, options?: SkipOptions): Promise<void> {
    return skipRecord(this.#clients, this.#cluster, group, position, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false;
    await Promise.all([
      ...[...this.#consumers].map((consumer) => consumer.close(CLOSE_MS)),
      ...[...this.#producers.values()].map((producer) => producer.dispose()),
    ]);
    await this.#cluster.close();
  }
}
