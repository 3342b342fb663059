/**
 * Finds the leaders of fetched partitions, as long as one is unknown: it asks at once, then more and more slowly. A partition
 * without a leader, or one whose topic is gone, waits alone: when another one loses its leader, it asks soon again.
 */
import { sleep } from "../../../support/deadline.ts";
import type { Cluster } from "../wire/cluster.ts";
import { Code } from "../wire/errors.ts";
import type { FetchedPartition } from "./fetched_partition.ts";

/** Receives what is found. Calls return at once. */
export interface LeaderSearchHandler {
  /** The partition has a leader that it can be fetched from. */
  found(at: FetchedPartition, leader: number): void;
  /** The partition has no leader, or has one again. */
  leaderChanged(at: FetchedPartition, hasLeader: boolean): void;
  /** The cluster was asked for its topics: some may be other ones now. */
  topicsRefreshed(): void;
  /** Something for the log. */
  log(message: string): void;
}

const RETRY_MS = 100;
/** Time in which a new leader is noticed, while one is looked for. */
const MAX_RETRY_MS = 500;
/** As the metadata writes it. */
const NO_LEADER = -1;

/** See the module. */
export class LeaderSearch {
  readonly #cluster: Cluster;
  readonly #partitions: ReadonlySet<FetchedPartition>;
  readonly #handler: LeaderSearchHandler;
  readonly #signal: AbortSignal;
  #refreshing: Promise<void> | null = null;
  /** Time from one question to the next, in milliseconds. */
  #waitMs = RETRY_MS;
  #askedMs = -Infinity;

  /** @param partitions all partitions that are fetched; the set is read, and may change */
  constructor(
    cluster: Cluster,
    partitions: ReadonlySet<FetchedPartition>,
    handler: LeaderSearchHandler,
    signal: AbortSignal,
  ) {
    this.#cluster = cluster;
    this.#partitions = partitions;
    this.#handler = handler;
    this.#signal = signal;
  }

  /** Finds the leader of each partition that has none; asks the cluster where the metadata does not have it. */
  run(): void {
    if (this.#signal.aborted) return;
    let isAnyUnknown = false;
    for (const at of this.#partitions) {
      if (at.leader !== null) continue;
      const topic = this.#cluster.metadata.topic(at.topic);
      // The id of a topic that a broker does not know (yet) is zeros: not another topic.
      if (topic?.error === Code.none) at.topicId ??= topic.topicId;
      this.#find(at);
      if (at.leader === null) {
        isAnyUnknown = true;
        continue;
      }
      if (at.isLeaderless) {
        at.isLeaderless = false;
        this.#handler.leaderChanged(at, true);
      }
      this.#handler.found(at, at.leader);
    }
    if (isAnyUnknown) this.#refreshLater();
    else this.#waitMs = RETRY_MS;
  }

  /** The leader of a partition is another one, or does not respond: looks for it. That leader is asked after a short wait. */
  lose(at: FetchedPartition): void {
    at.loseLeader(RETRY_MS);
    this.#cluster.doubt();
    this.#waitMs = RETRY_MS;
    this.#refreshLater();
  }

  #find(at: FetchedPartition): void {
    const { leaderEpoch = -1 } = this.#cluster.metadata.partition(at.topic, at.partition) ?? {};
    if (at.topicId === undefined || leaderEpoch < at.minLeaderEpoch) return;
    const isNew = leaderEpoch !== at.leaderEpoch;
    // Metadata from before the loss knows no better; of another leader it is true whatever its age.
    if (!isNew && this.#cluster.metadata.topic(at.topic)!.askedAtMs < at.lostMs) return;
    at.leader = this.#cluster.leaderOf(at.topic, at.partition);
    at.leaderEpoch = leaderEpoch;
    if (isNew && at.leader !== null) at.notBeforeMs = 0;
  }

  #refreshLater(): void {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
      this.run();
    });
  }

  async #refresh(): Promise<void> {
    // In short waits: a partition that loses its leader meanwhile ends a long one.
    while (performance.now() < this.#askedMs + this.#waitMs && !this.#signal.aborted) {
      await sleep(Math.min(RETRY_MS, this.#askedMs + this.#waitMs - performance.now()), this.#signal);
    }
    if (this.#signal.aborted) return;
    this.#askedMs = performance.now();
    if (this.#waitMs > RETRY_MS) this.#cluster.doubt();
    this.#waitMs = Math.min(this.#waitMs * 2, MAX_RETRY_MS);
    try {
      await this.#cluster.metadata.refresh(new Set([...this.#partitions].map(({ topic }) => topic)));
    } catch (error) {
      this.#handler.log(`Cannot ask for leaders: ${(error as Error).message}`);
      return;
    }
    this.#handler.topicsRefreshed();
    for (const at of this.#partitions) {
      // Unknown where the topic is missing, or has fewer partitions than it had.
      const leader = this.#cluster.metadata.partition(at.topic, at.partition)?.leader;
      if (leader !== NO_LEADER || at.leader !== null || at.isLeaderless) continue;
      at.isLeaderless = true;
      this.#handler.leaderChanged(at, false);
    }
  }
}
