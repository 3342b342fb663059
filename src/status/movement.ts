/**
 * Remembers since when committed offsets have not moved, from one status of an App to the next: the cluster does not say when a
 * group has committed.
 */
import { formatPartition, type TopicPartition } from "../support/position.ts";

/** The movement of committed offsets, as far as it was looked at. */
export class Movement {
  readonly #seen = new Map<string, { readonly committed: number | null; readonly sinceMs: number }>();

  /**
   * Notes a committed offset.
   *
   * @param committed the offset; `null` if nothing is committed
   * @returns the time for which it is known not to have moved, in ms; 0 if it is looked at for the first time
   */
  note(group: string, at: TopicPartition, committed: number | null, nowMs: number): number {
    const key = `${group} ${formatPartition(at)}`;
    const before = this.#seen.get(key);
    if (before !== undefined && before.committed === committed) return Math.max(0, nowMs - before.sinceMs);
    this.#seen.set(key, { committed, sinceMs: nowMs });
    return 0;
  }
}
