/**
 * What producing needs to know of a topic: its partitions, their leaders, and how large a batch may be. Kept for
 * `metadataMaxAgeMs`, and asked for on a connection of its own, so that a topic which is missing fails at once and harms no
 * other.
 */
import type { ClusterClient } from "./cluster.ts";

/** What is known of a topic. */
export interface TopicInfo {
  /** The leader of each partition. */
  readonly leaders: ReadonlyMap<number, number>;
  /** How many bytes one batch of one partition may have: the topic's `max.message.bytes`. */
  readonly maxBatchBytes: number;
}

/** Below Kafka's default (1,048,588), for topics whose configuration must not be read. */
const DEFAULT_MAX_BATCH_BYTES = 1_000_000;

/** See the module. */
export class TopicBudget {
  readonly #cluster: ClusterClient;
  readonly #maxAgeMs: number;
  readonly #known = new Map<string, { readonly info: TopicInfo; readonly untilMs: number }>();

  constructor(cluster: ClusterClient, maxAgeMs: number) {
    this.#cluster = cluster;
    this.#maxAgeMs = maxAgeMs;
  }

  /** A topic, or `null` if it does not exist. @throws {BrokerError} if nobody answers */
  async get(topic: string): Promise<TopicInfo | null> {
    const known = this.#known.get(topic);
    if (known !== undefined && performance.now() < known.untilMs) return known.info;
    const leaders = await this.#cluster.topic(topic);
    if (leaders === null) {
      this.#known.delete(topic);
      return null;
    }
    const info = { leaders, maxBatchBytes: await this.#maxBatchBytes(topic) };
    this.#known.set(topic, { info, untilMs: performance.now() + this.#maxAgeMs });
    return info;
  }

  /** Forgets a topic: something that was known of it proved wrong. */
  forget(topic: string): void {
    this.#known.delete(topic);
  }

  async #maxBatchBytes(topic: string): Promise<number> {
    try {
      const bytes = Number((await this.#cluster.config(topic)).get("max.message.bytes"));
      return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : DEFAULT_MAX_BATCH_BYTES;
    } catch {
      // A right of its own: one may write to a topic and not read its configuration.
      return DEFAULT_MAX_BATCH_BYTES;
    }
  }
}
