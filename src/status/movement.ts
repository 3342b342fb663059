/**
 * Remembers since when committed offsets have not moved, from one status of an App to the next: the cluster does not say when a
 * group has committed.
 */

/** The movement of committed offsets, as far as it was looked at. */
export class Movement {
  readonly #byTopic = new Map<string, TopicMovement>();

  /** Returns the movement of a group in a topic. */
  of(group: string, topic: string): TopicMovement {
    // No name of a topic has a space.
    const key = `${topic} ${group}`;
    let found = this.#byTopic.get(key);
    if (found === undefined) this.#byTopic.set(key, found = new TopicMovement());
    return found;
  }
}

/** The movement of a group in one topic. */
export class TopicMovement {
  readonly #seen: { readonly committed: number | null; readonly sinceMs: number }[] = [];

  /**
   * Notes a committed offset.
   *
   * @param committed the offset; `null` if nothing is committed
   * @returns the time for which it is known not to have moved, in ms; 0 if it is looked at for the first time
   */
  note(partition: number, committed: number | null, nowMs: number): number {
    const before = this.#seen[partition];
    if (before !== undefined && before.committed === committed) return Math.max(0, nowMs - before.sinceMs);
    this.#seen[partition] = { committed, sinceMs: nowMs };
    return 0;
  }

  /** Notes that a partition is paused: no time before now says that its offset should have moved. */
  restart(partition: number, nowMs: number): void {
    const seen = this.#seen[partition];
    if (seen !== undefined) this.#seen[partition] = { ...seen, sinceMs: nowMs };
  }
}
