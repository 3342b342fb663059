/**
 * One uninterrupted ownership of a partition of the memory log: what the caller sees ({@linkcode Ownership}) and what
 * only the log needs. The group makes it at a rebalance, and its consumer ends it once.
 */
import type { Ownership } from "../broker.ts";
import type { TopicPartition } from "../../support/position.ts";
import type { MemoryPartition } from "./partition.ts";

/**
 * The commit of a group for a partition. Each commit is an object of its own: the same object proves that nothing
 * else was committed in between.
 */
export interface Committed {
  /** The offset of the next record to perform. */
  readonly offset: number;
  /** The metadata of the commit. */
  readonly metadata: string;
}

/** An ownership and its position. */
export class MemoryOwnership implements Ownership {
  readonly id: string = crypto.randomUUID();
  readonly topic: string;
  readonly partition: number;
  readonly committed: Committed | null;
  /** The partition that is read. */
  readonly source: MemoryPartition;
  /** The offset to deliver next. */
  position: number;
  /** Whether the caller has paused it. */
  isPaused = false;
  /** The last commit of this ownership, at first what was committed at its start. */
  known: Committed | null;
  readonly #lost = new AbortController();

  /** Starts an ownership at the committed offset, or at the beginning of the partition. */
  constructor({ topic, partition }: TopicPartition, source: MemoryPartition, committed: Committed | null) {
    this.topic = topic;
    this.partition = partition;
    this.source = source;
    this.committed = committed;
    this.known = committed;
    this.position = committed?.offset ?? source.low;
    source.readers.add(this);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends it. */
  end(): void {
    this.source.readers.delete(this);
    this.#lost.abort();
  }
}
