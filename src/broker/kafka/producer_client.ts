/**
 * One kafkajs producer with its connections: an identity with which the broker counts batches. It lives until its topic's
 * producer is disposed of, or until something that it sent was given up with an unknown outcome.
 */
import type { Producer } from "./kafkajs.ts";
import type { Batch } from "./batches.ts";
import { type ClientFactory, Connections } from "./client.ts";
import { waitUntilSettled } from "../../support/deadline.ts";

const CLOSE_MS = 1000;

/** See the module. */
export class ProducerClient {
  readonly #clients: ClientFactory;
  readonly #connections = new Connections(false);
  #producer: Promise<Producer> | null = null;
  readonly #sends = new Set<Promise<unknown>>();

  constructor(clients: ClientFactory) {
    this.#clients = clients;
  }

  /** How many produce requests were put on the wire. */
  get produceRequests(): number {
    return this.#connections.produceRequests;
  }

  /**
   * Sends batches once.
   *
   * @returns the offset of the first record of each partition that was acknowledged
   */
  async send(topic: string, batches: readonly Batch[]): Promise<ReadonlyMap<number, string>> {
    const producer = await this.#connected();
    const messages = batches.length === 1
      ? batches[0]!.messages as Batch["messages"][number][]
      : batches.flatMap((batch) => batch.messages);
    const send = producer.send({ topic, messages, acks: -1 });
    this.#sends.add(send);
    const answer = await send.finally(() => this.#sends.delete(send));
    return new Map(answer.map(({ partition, baseOffset }) => [partition, baseOffset ?? "-1"]));
  }

  /** Disconnects, within seconds. What is still on its way is given up: it may be written. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    if (producer === null) return;
    // A disconnect does not wait for sends, and they would connect again behind it.
    if (this.#sends.size > 0) this.#connections.cut();
    await waitUntilSettled(Promise.allSettled(this.#sends), CLOSE_MS);
    await waitUntilSettled(producer.then((connected) => connected.disconnect()), CLOSE_MS);
    await this.#connections.closed(CLOSE_MS);
  }

  #connected(): Promise<Producer> {
    const connecting = this.#producer ??= this.#connect();
    connecting.catch(() => {
      if (this.#producer === connecting) this.#producer = null;
    });
    return connecting;
  }

  async #connect(): Promise<Producer> {
    const kafka = await this.#clients.client({ connections: this.#connections });
    const producer = kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      metadataMaxAge: this.#clients.settings.metadataMaxAgeMs,
      // Every message has its partition: who chooses again at a second attempt loses records.
      createPartitioner: () => ({ message }) => message.partition!,
      retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 500 },
    });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => {});
      throw error;
    }
    return producer;
  }
}
