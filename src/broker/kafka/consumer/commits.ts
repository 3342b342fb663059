/**
 * Sends commits, each bound to the generation in which it is made and tried once: a commit that is sent again could land in
 * the next generation and set the new owner back.
 */
import type { Mark } from "../../broker.ts";
import type { Cluster, Purpose } from "../wire/cluster.ts";
import { Code, ConnectionError } from "../wire/errors.ts";
import { offsetCommit } from "../wire/requests.ts";
import { byTopic } from "./by_topic.ts";
import type { Generation } from "./generation.ts";
import type { KafkaOwnership, SentCommit } from "./ownership.ts";

/** Outcome of one commit. */
export type CommitOutcome = "committed" | "refused" | "metadata_too_long" | "unknown";

interface Entry {
  readonly ownership: KafkaOwnership;
  readonly commit: SentCommit;
  readonly topic: string;
  readonly partition: number;
}

/** Outcomes by error code; all others leave it open whether the commit was written. */
const OUTCOMES: ReadonlyMap<number, CommitOutcome> = new Map([
  [Code.none, "committed"],
  [Code.unknownTopicOrPartition, "refused"],
  [Code.offsetMetadataTooLarge, "metadata_too_long"],
  [Code.invalidCommitOffsetSize, "metadata_too_long"],
  [Code.coordinatorLoading, "refused"],
  [Code.coordinatorNotAvailable, "refused"],
  [Code.notCoordinator, "refused"],
  [Code.illegalGeneration, "refused"],
  [Code.unknownMemberId, "refused"],
  [Code.rebalanceInProgress, "refused"],
  [Code.topicAuthorizationFailed, "refused"],
  [Code.groupAuthorizationFailed, "refused"],
]);

/** See the module. */
export class Commits {
  readonly #cluster: Cluster;
  readonly #group: string;
  readonly #purpose: Purpose;

  /** @param purpose the member's connection: its last commit arrives before its request to join again */
  constructor(cluster: Cluster, group: string, purpose: Purpose) {
    this.#cluster = cluster;
    this.#group = group;
    this.#purpose = purpose;
  }

  /**
   * Commits marks of live ownerships. Never rejects.
   *
   * @returns one outcome for each mark, in their order
   */
  async commit(marks: readonly Mark[], generation: Generation, timeoutMs: number): Promise<CommitOutcome[]> {
    const entries = marks.map(({ ownership, next, metadata }) => entryOf(ownership as KafkaOwnership, next, metadata));
    const outcomes = await this.#send(entries, generation, timeoutMs);
    return entries.map(({ ownership, commit }, at) => {
      const outcome = outcomes[at]!;
      ownership.settle(commit, outcome === "metadata_too_long" ? "refused" : outcome);
      return outcome;
    });
  }

  async #send(
    entries: readonly Entry[],
    { memberId, generationId }: Generation,
    timeoutMs: number,
  ): Promise<CommitOutcome[]> {
    try {
      const { responses } = await this.#cluster.sendToCoordinator(
        this.#group,
        offsetCommit({
          groupId: this.#group,
          groupGenerationId: generationId,
          memberId,
          topics: byTopic(entries, ({ partition, commit }) => ({
            partition,
            offset: String(commit.offset),
            metadata: commit.metadata,
          })),
        }),
        timeoutMs,
        this.#purpose,
      );
      const codes = new Map(
        responses.flatMap(({ topic, partitions }) =>
          partitions.map(({ partition, errorCode }) => [`${partition}/${topic}`, errorCode] as const)
        ),
      );
      return entries.map(({ topic, partition }) => {
        const code = codes.get(`${partition}/${topic}`);
        if (code === Code.notCoordinator || code === Code.coordinatorNotAvailable) {
          this.#cluster.forgetCoordinator(this.#group);
        }
        return (code === undefined ? undefined : OUTCOMES.get(code)) ?? "unknown";
      });
    } catch (error) {
      const isUnsent = !(error instanceof ConnectionError) || !error.isSent;
      return entries.map(() => isUnsent ? "refused" : "unknown");
    }
  }
}

function entryOf(ownership: KafkaOwnership, next: number, metadata: string): Entry {
  const { topic, partition } = ownership;
  return { ownership, commit: ownership.sending(next, metadata), topic, partition };
}
