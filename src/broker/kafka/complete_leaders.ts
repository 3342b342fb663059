/**
 * The leaders that know how far their log is acknowledged. A new leader learns it from its followers: until then a fetch ends
 * before records that were acknowledged, and no error says so (measured: for a second after a move). A request for the end of
 * the log fails for as long, so one that succeeds shows that the leader is complete.
 */
import type { TopicPartition } from "../../support/position.ts";

/** The time in which one broker leads a partition. */
export interface Leadership {
  readonly topicId: string;
  readonly leaderEpoch: number;
}

/** See the module. */
export class CompleteLeaders {
  /** The last leadership that was found complete, by partition. */
  readonly #known = new Map<string, string>();

  /**
   * Makes sure that the leader of a partition is complete.
   *
   * @param askEnd asks it for the end of the log: called once for each leadership that succeeds
   * @throws the reason of `askEnd`
   */
  async ensure(
    at: TopicPartition,
    { topicId, leaderEpoch }: Leadership,
    askEnd: () => Promise<unknown>,
  ): Promise<void> {
    const place = `${at.partition}/${at.topic}`;
    const leadership = `${topicId} ${leaderEpoch}`;
    if (this.#known.get(place) === leadership) return;
    await askEnd();
    this.#known.set(place, leadership);
  }
}
