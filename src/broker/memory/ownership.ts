/**
 * One uninterrupted ownership of a partition, as the memory log keeps it: what the worker may know ({@linkcode Ownership})
 * and what only the log needs. The group makes it at a rebalance and ends it once; the consumer reads on at its position.
 */
import type { Ownership } from "../broker.ts";
import type { MemoryPartition } from "./partition.ts";

/** What a group has committed for a partition. Each commit is an object of its own: being the same one is the proof. */
export interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

/** See the module. */
export class MemoryOwnership implements Ownership {
  readonly id: string = crypto.randomUUID();
  readonly topic: string;
  readonly partition: number;
  readonly committed: Committed | null;
  /** The partition as it was when this began: another object means another log. */
  readonly source: MemoryPartition;
  /** The offset to hand over next. */
  position: number;
  /** Whether the worker wants nothing of it for now. */
  paused = false;
  /** The group's committed offset as far as this ownership knows: its own last commit, or what it began with. */
  known: Committed | null;
  readonly #lost = new AbortController();

  constructor(topic: string, partition: number, source: MemoryPartition, committed: Committed | null) {
    this.topic = topic;
    this.partition = partition;
    this.source = source;
    this.committed = committed;
    this.known = committed;
    this.position = committed?.offset ?? source.low;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Ends it. */
  end(): void {
    this.#lost.abort();
  }
}
