/**
 * One uninterrupted ownership of a partition: what the worker sees of it ({@linkcode Ownership}), the next offset to read,
 * and the fence that its commits name.
 */
import type { Commit, Ownership } from "../broker.ts";
import type { Share } from "./leases.ts";

/** An ownership of a partition of the file. */
export class SqliteOwnership implements Ownership {
  readonly id: string = crypto.randomUUID();
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  readonly partitionId: number;
  readonly fence: number;
  readonly committed: Commit | null;
  /** The offset to hand over next. */
  position: number;
  /** Whether the worker paused it. */
  paused = false;
  /** Whether reading failed, which was reported once. */
  isFailing = false;
  readonly #lost = new AbortController();

  /**
   * @param committed the committed offset of the group
   * @param low the first offset of the partition: a new group starts there
   */
  constructor({ topic, topicId, partition, partitionId, fence }: Share, committed: Commit | null, low: number) {
    this.topic = topic;
    this.topicId = topicId;
    this.partition = partition;
    this.partitionId = partitionId;
    this.fence = fence!;
    this.committed = committed;
    this.position = committed?.offset ?? low;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends it. */
  end(): void {
    this.#lost.abort();
  }
}
