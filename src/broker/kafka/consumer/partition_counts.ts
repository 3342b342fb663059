/**
 * The number of partitions of each topic of a group, as its leader shared them out last, and whether it has changed since.
 * A topic that does not exist keeps its last number: its partitions wait for it, each at its owner, and no rebalance disturbs
 * the others.
 */
import type { Cluster } from "../wire/cluster.ts";

/** See the module. */
export class PartitionCounts {
  readonly #cluster: Cluster;
  readonly #counts = new Map<string, number>();
  #lookedAtMs = -Infinity;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /**
   * Asks for the numbers, to share the partitions out.
   *
   * @throws {ConnectionError} if no broker responds
   */
  async refresh(topics: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    await this.#cluster.metadata.refresh(topics);
    this.#lookedAtMs = performance.now();
    for (const topic of this.#counts.keys()) if (!topics.has(topic)) this.#counts.delete(topic);
    for (const topic of topics) this.#counts.set(topic, this.#countOf(topic));
    return new Map(this.#counts);
  }

  /** Looks again at the next question, whatever the age of the answer. */
  invalidate(): void {
    this.#lookedAtMs = -Infinity;
  }

  /** Whether a number has changed; asks the cluster where the last answer is older than this. */
  async haveChanged(maxAgeMs: number): Promise<boolean> {
    if (performance.now() - this.#lookedAtMs < maxAgeMs) return false;
    this.#lookedAtMs = performance.now();
    try {
      await this.#cluster.metadata.refresh(this.#counts.keys());
    } catch {
      // Asked again later: the partitions that are known go on.
      return false;
    }
    return [...this.#counts].some(([topic, count]) => this.#countOf(topic) !== count);
  }

  #countOf(topic: string): number {
    const now = this.#cluster.metadata.topic(topic)?.partitions.length ?? 0;
    return now > 0 ? now : this.#counts.get(topic) ?? 0;
  }
}
