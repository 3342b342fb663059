/**
 * The end of a partition's log, as far as it is known, and the lag that follows from it. Each fetch brings the end along;
 * but a partition whose worker has enough records is not fetched from, and one that was at its end from the start has not
 * had a fetch. So the broker can be asked, too.
 */
import type { BrokerAdmin } from "../../broker/broker.ts";
import type { TopicPartition } from "../../support/position.ts";

/** The known ends of one partition's log. */
export class LagTracker {
  #low: number | null = null;
  #high: number | null = null;

  /** The offset after the last record; `null` while it is unknown. */
  get highWatermark(): number | null {
    return this.#high;
  }

  /** Takes over what a fetch or the broker says. Responses may arrive late: the end never moves back in an ownership. */
  update(high: number, low: number | null = null): void {
    this.#high = Math.max(high, this.#high ?? 0);
    this.#low = low ?? this.#low;
  }

  /** Returns the number of offsets from a position (`null`: the start of the log) to the end; `null` while unknown. */
  lagOf(position: number | null): number | null {
    if (this.#high === null || (position === null && this.#low === null)) return null;
    return Math.max(0, this.#high - Math.max(position ?? 0, this.#low ?? 0));
  }
}

/** A partition and its lag. */
interface TrackedPartition {
  readonly ownership: TopicPartition;
  readonly lag: LagTracker;
}

/**
 * Makes a function that asks the broker for the ends of partitions, one request for each topic. Calls during a request
 * wait for the same one. It never rejects: where the broker does not respond, the values stay.
 *
 * @param partitions returns the partitions at the time of a request
 */
export function createLagRefresh(
  admin: Pick<BrokerAdmin, "ends">,
  partitions: () => readonly TrackedPartition[],
): () => Promise<void> {
  let pending: Promise<void> | undefined;
  const refresh = async () => {
    const byTopic = Map.groupBy(partitions(), ({ ownership }) => ownership.topic);
    await Promise.allSettled(Array.from(byTopic, async ([topic, owned]) => {
      const ends = new Map((await admin.ends(topic)).map((end) => [end.partition, end]));
      for (const { ownership, lag } of owned) {
        const end = ends.get(ownership.partition);
        if (end !== undefined) lag.update(end.high, end.low);
      }
    }));
  };
  return () => pending ??= refresh().finally(() => pending = undefined);
}
