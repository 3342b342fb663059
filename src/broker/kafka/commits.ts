/**
 * Sending a consumer's commits. The generation is the one in which the commit is called, and nothing underneath tries again:
 * kafkajs' own retry would land in the next generation and set the new owner back.
 *
 * The way is the function that kafkajs hands to each batch. It goes over the connection on which the member joins, so that
 * a last commit arrives before the request to join again. After a restart of the client, until the first batch, there is
 * none; then the member and generation of its last heartbeat are stated outright.
 */
import type { Offsets } from "./kafkajs.ts";
import type { Mark } from "../broker.ts";
import { type ClusterClient, commitTopics } from "./cluster.ts";
import { protocolError } from "./failures.ts";
import type { KafkaOwnership, SentCommit } from "./ownership.ts";

/** Answers that say for certain that nothing was written. */
const REFUSED = new Set([
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "REBALANCE_IN_PROGRESS",
  "NOT_COORDINATOR_FOR_GROUP",
  "GROUP_LOAD_IN_PROGRESS",
  "GROUP_AUTHORIZATION_FAILED",
]);
const TOPIC_MISSING = "UNKNOWN_TOPIC_OR_PARTITION";
/** The same, but of one partition: others in the request may be committed. */
const REFUSED_FOR_ONE = new Set([TOPIC_MISSING, "TOPIC_AUTHORIZATION_FAILED"]);
const TOO_LONG = new Set(["OFFSET_METADATA_TOO_LARGE", "INVALID_COMMIT_OFFSET_SIZE"]);

/** A member in a generation. */
export interface MemberInGeneration {
  readonly memberId: string;
  readonly generation: number;
}

/** See the module. */
export class Commits {
  readonly #group: string;
  readonly #cluster: ClusterClient;
  readonly #topicMissing: () => void;
  /** kafkajs' own function, from the last batch. */
  send: ((offsets: Offsets) => Promise<void>) | null = null;
  /** As the last good heartbeat had it. */
  member: MemberInGeneration | null = null;

  /** @param topicMissing called when the broker says that there is no such topic: it was deleted under its owner */
  constructor(group: string, cluster: ClusterClient, topicMissing: () => void) {
    this.#group = group;
    this.#cluster = cluster;
    this.#topicMissing = topicMissing;
  }

  /** The client joins anew: what was known of its member is void. */
  clear(): void {
    this.send = null;
    this.member = null;
  }

  /**
   * Commits marks of live ownerships.
   *
   * @returns one outcome for all of them
   */
  async commit(marks: readonly Mark[], deadlineMs: number): Promise<"committed" | "refused" | "unknown"> {
    const entries = marks.map(({ ownership, next, metadata }) => {
      const owned = ownership as KafkaOwnership;
      return { owned, commit: owned.sending(next, metadata) };
    });
    let outcome = await this.#attempt(entries, deadlineMs);
    if (outcome === "metadata") {
      for (const { owned, commit } of entries) owned.sent(commit, "unknown");
      const bare = entries.map(({ owned, commit }) => ({ owned, commit: owned.sending(commit.offset, "") }));
      outcome = await this.#attempt(bare, deadlineMs);
      entries.splice(0, entries.length, ...bare);
    }
    const settled = outcome === "metadata" ? "unknown" : outcome;
    for (const { owned, commit } of entries) owned.sent(commit, settled);
    return settled;
  }

  async #attempt(
    entries: readonly { readonly owned: KafkaOwnership; readonly commit: SentCommit }[],
    deadlineMs: number,
  ): Promise<"committed" | "refused" | "unknown" | "metadata"> {
    const { promise: late, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => resolve("late"), deadlineMs);
    try {
      const sending = this.#request(
        entries.map(({ owned, commit }) => ({
          topic: owned.topic,
          partition: owned.partition,
          offset: commit.offset,
          metadata: commit.metadata,
        })),
      );
      if (sending === null) return "refused";
      return await Promise.race([sending, late]) === "late" ? "unknown" : "committed";
    } catch (error) {
      const type = protocolError(error) ?? "";
      if (TOO_LONG.has(type)) return "metadata";
      if (type === TOPIC_MISSING) this.#topicMissing();
      const refused = REFUSED.has(type) || (entries.length === 1 && REFUSED_FOR_ONE.has(type));
      return refused ? "refused" : "unknown";
    } finally {
      clearTimeout(timer);
    }
  }

  #request(entries: Parameters<ClusterClient["commit"]>[1]): Promise<void> | null {
    if (this.send !== null) return this.send({ topics: commitTopics(entries) });
    return this.member === null ? null : this.#cluster.commit(this.#group, entries, this.member);
  }
}
