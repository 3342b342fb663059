/** The leaders of partitions as the producer uses them: a broker that could not be reached is avoided for a while. */
import type { TopicPartition } from "../../../support/position.ts";
import type { Cluster } from "../wire/cluster.ts";

/** Time for which records that may go elsewhere avoid a broker that could not be reached, in milliseconds. */
const AVOID_MS = 2000;

/** See the module. */
export class Leaders {
  readonly #cluster: Cluster;
  readonly #avoidUntilMs = new Map<number, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Returns the node id of a partition's leader; `null` while none is known. */
  of({ topic, partition }: TopicPartition): number | null {
    return this.#cluster.leaderOf(topic, partition);
  }

  /** Returns the epoch of a partition's leader, which changes with the leader; −1 while nothing is known of it. */
  epochOf({ topic, partition }: TopicPartition): number {
    return this.#cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1;
  }

  /** Whether a partition has a leader that could be reached lately. */
  canReach(at: TopicPartition): boolean {
    const leader = this.of(at);
    return leader !== null && performance.now() >= (this.#avoidUntilMs.get(leader) ?? 0);
  }

  /** The broker could not be reached. */
  avoid(leader: number): void {
    this.#avoidUntilMs.set(leader, performance.now() + AVOID_MS);
  }

  /** The broker has responded. */
  reached(leader: number): void {
    this.#avoidUntilMs.delete(leader);
  }
}
