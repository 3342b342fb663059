/**
 * The known state of the cluster's topics: leaders, error codes and ids, each partition for itself. One request is in flight at a
 * time; callers that ask meanwhile share the next one.
 */
import { Code } from "./errors.ts";
import {
  metadataRequest,
  type MetadataResponse,
  type PartitionMetadata,
  type TopicMetadata,
} from "./metadata_request.ts";
import type { Request } from "./request.ts";

/** A topic with the time of the answer. */
export interface KnownTopic extends TopicMetadata {
  /** When it was asked for, on the clock of `performance.now()`. */
  readonly askedAtMs: number;
}

/** Asks some broker of the cluster. */
export type Ask = <Response>(request: Request<Response>) => Promise<Response>;

/** See the module. */
export class MetadataCache {
  readonly #ask: Ask;
  readonly #onResponse: (response: MetadataResponse) => void;
  readonly #topics = new Map<string, KnownTopic>();
  #running: Promise<void> | null = null;
  #next: { readonly topics: Set<string>; readonly promise: Promise<void> } | null = null;

  /** @param onResponse called with each response, before the callers that wait for it continue */
  constructor(ask: Ask, onResponse: (response: MetadataResponse) => void) {
    this.#ask = ask;
    this.#onResponse = onResponse;
  }

  /** Returns what is known of a topic; `undefined` if it was never asked for. */
  topic(name: string): KnownTopic | undefined {
    return this.#topics.get(name);
  }

  /** Returns what is known of a partition. */
  partition(topic: string, partition: number): PartitionMetadata | undefined {
    // In the order of their numbers, and without gaps, unless the response is wrong.
    const found = this.#topics.get(topic)?.partitions[partition];
    return found?.partition === partition ? found : undefined;
  }

  /** Whether the topic does not exist, as of the last response. */
  isMissing(topic: string): boolean {
    const error = this.#topics.get(topic)?.error;
    return error === Code.unknownTopicOrPartition || error === Code.invalidTopic;
  }

  /**
   * Asks for topics. The answer is younger than the call.
   *
   * @throws {ConnectionError} if no broker responds
   */
  refresh(topics: Iterable<string>): Promise<void> {
    if (this.#next === null) {
      const wanted = new Set<string>();
      const before = this.#running ?? Promise.resolve();
      const promise = before.catch(() => {}).then(() => this.#start(wanted));
      this.#next = { topics: wanted, promise };
    }
    for (const topic of topics) this.#next.topics.add(topic);
    return this.#next.promise;
  }

  #start(topics: ReadonlySet<string>): Promise<void> {
    this.#next = null;
    const running = this.#fetch([...topics]).finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #fetch(topics: readonly string[]): Promise<void> {
    const askedAtMs = performance.now();
    const response = await this.#ask(metadataRequest(topics));
    this.#onResponse(response);
    for (const topic of response.topics) {
      this.#topics.set(topic.topic, { ...topic, askedAtMs, partitions: this.#newest(topic) });
    }
  }

  /** The partitions of a topic, each as of its latest epoch: a broker that has lost the controller knows earlier ones. */
  #newest({ topic, topicId, partitions }: TopicMetadata): readonly PartitionMetadata[] {
    const known = this.#topics.get(topic);
    if (known === undefined || known.topicId !== topicId) return partitions;
    return partitions.map((partition) => {
      const before = this.partition(topic, partition.partition);
      return before !== undefined && before.leaderEpoch > partition.leaderEpoch ? before : partition;
    });
  }
}
