/**
 * How far the log of a partition reaches, as far as it is known. Each fetch tells where it ends; but a partition whose
 * worker has enough fetches nothing, and one that was at its end from the start was never told. So the broker can be asked,
 * too: one question at a time, whoever wants to know.
 */
import type { BrokerAdmin } from "../../broker/broker.ts";
import type { TopicPartition } from "../../support/position.ts";

/** Where a log begins and ends. */
export class LagTracker {
  #low: number | null = null;
  #high: number | null = null;

  /** The offset after the last record; `null` while it is not known. */
  get high(): number | null {
    return this.#high;
  }

  /** A fetch, or the broker, has told. What comes late tells of an earlier end: within an ownership it never goes back. */
  update(high: number, low: number | null = null): void {
    this.#high = Math.max(high, this.#high ?? 0);
    this.#low = low ?? this.#low;
  }

  /** How many offsets lie between a position (`null`: the log's start) and the end; `null` while it is not known. */
  lag(position: number | null): number | null {
    if (this.#high === null || (position === null && this.#low === null)) return null;
    return Math.max(0, this.#high - Math.max(position ?? 0, this.#low ?? 0));
  }
}

/** A partition that wants to know. */
interface Asking {
  readonly ownership: TopicPartition;
  readonly lag: LagTracker;
}

/**
 * A function that asks the broker for the ends of these partitions. It never rejects: where the broker does not say, what
 * is known stays.
 */
export function lagRefresher(
  admin: Pick<BrokerAdmin, "ends">,
  partitions: () => readonly Asking[],
): () => Promise<void> {
  let asking: Promise<void> | undefined;
  const ask = async () => {
    const byTopic = Map.groupBy(partitions(), ({ ownership }) => ownership.topic);
    await Promise.allSettled(Array.from(byTopic, async ([topic, owned]) => {
      const ends = new Map((await admin.ends(topic)).map((end) => [end.partition, end]));
      for (const { ownership, lag } of owned) {
        const found = ends.get(ownership.partition);
        if (found !== undefined) lag.update(found.high, found.low);
      }
    }));
  };
  return () => asking ??= ask().finally(() => asking = undefined);
}
