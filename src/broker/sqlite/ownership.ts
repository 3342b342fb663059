/**
 * One uninterrupted ownership of a partition: what the worker may know ({@linkcode Ownership}), where reading goes on, and
 * the fence that its commits name.
 */
import type { Ownership } from "../broker.ts";
import type { Share } from "./leases.ts";
import type { Committed } from "./group_offsets.ts";

/** See the module. */
export class SqliteOwnership implements Ownership {
  readonly id: string = crypto.randomUUID();
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  readonly fence: number;
  readonly committed: Committed | null;
  /** The offset to hand over next. */
  position: number;
  /** Whether the worker wants nothing of it for now. */
  paused = false;
  readonly #lost = new AbortController();

  /**
   * @param committed what the group has committed
   * @param low where the partition begins: a new group starts there
   */
  constructor({ topic, topicId, partition, fence }: Share, committed: Committed | null, low: number) {
    this.topic = topic;
    this.topicId = topicId;
    this.partition = partition;
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
