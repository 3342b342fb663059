/**
 * One member of a consumer group.
 *
 *     joining ──▶ synchronising ──▶ proving ──▶ stable ──▶ (joining …)
 *        ▲                                        │
 *        └── the coordinator does not know it ────┘          stable ──▶ leaving
 *
 * 1. *Joining*: the handler gives its last marks, which are committed in the old generation; then the member asks for the
 *    next generation. Its leader shares the partitions out.
 * 2. *Synchronising*: each member gets its share.
 * 3. *Proving*: the group's committed offsets tell whether a partition was another member's in between.
 * 4. *Stable*: heartbeats. The leader also watches the number of partitions, and joins again when it changes.
 *
 * A coordinator that is gone is looked up elsewhere, and the next heartbeat goes there with the same member id and
 * generation: if it is accepted, no other member had the partitions, and no join is needed. All reactions to error codes are
 * in {@linkcode groupReactionTo}.
 */
import type { TopicPartition } from "../../../support/position.ts";
import { brokerError } from "../broker_error.ts";
import type { Cluster, Purpose } from "../wire/cluster.ts";
import { Code } from "../wire/errors.ts";
import type { Claim } from "./assigner.ts";
import type { AssignedPartition, Generation } from "./generation.ts";
import { decodeMembers, decodeShare, encodeShares, encodeSubscription, type JoinedMember } from "./group_protocol.ts";
import { groupReactionTo } from "./group_reactions.ts";
import { GroupRequests, type JoinedGroup } from "./group_requests.ts";
import { PartitionCounts } from "./partition_counts.ts";

/** Receives what happens to a member. Calls return at once and do not throw. */
export interface MemberHandler {
  /** Returns the partitions that it owns, for the group's leader. */
  claim(): Claim;
  /**
   * The group gets a new generation: from now on nothing is handed over. Commits the last marks.
   *
   * @returns a promise that resolves once they are committed, or cannot be
   */
  releasing(generation: Generation): Promise<void>;
  /** The new share. */
  assigned(partitions: readonly AssignedPartition[], generation: Generation): void;
  /** The group accepted a request. @param sentMs when it was sent, on the clock of `performance.now()` */
  accepted(sentMs: number): void;
  /** The session may have ended, as far as this member knows: nothing is handed over until the next `accepted`. */
  suspended(): void;
  /** The group does not know this member, or this generation, any more. */
  expelled(): void;
  /** It will not come back by itself. */
  failed(error: Error): void;
  /** Something for the log. */
  log(level: "debug" | "warn", message: string): void;
}

/** Options of a member. Times are milliseconds. */
export interface MemberOptions {
  readonly group: string;
  readonly topics: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Connection for all requests of this member, and for its commits. */
  readonly purpose: Purpose;
  /** Time after which the leader looks at the number of partitions again, in milliseconds. */
  readonly metadataMaxAgeMs: number;
}

const RETRY_MS = 200;
const ASK_AGAIN_MS = 50;

/** See the module. */
export class Member {
  readonly #cluster: Cluster;
  readonly #options: MemberOptions;
  readonly #handler: MemberHandler;
  readonly #requests: GroupRequests;
  readonly #counts: PartitionCounts;
  readonly #running: Promise<void>;
  #memberId = "";
  #generationId = -1;
  #isLeader = false;
  #sessionEndMs = 0;
  #isSuspended = false;
  #isClosing = false;
  #wake = Promise.withResolvers<void>();

  constructor(cluster: Cluster, options: MemberOptions, handler: MemberHandler) {
    this.#cluster = cluster;
    this.#options = options;
    this.#handler = handler;
    this.#requests = new GroupRequests(cluster, options);
    this.#counts = new PartitionCounts(cluster);
    this.#running = this.#run();
  }

  /** The member in its present generation. */
  get generation(): Generation {
    return { memberId: this.#memberId, generationId: this.#generationId };
  }

  /**
   * The group accepted a commit of a generation, which prolongs the session as a heartbeat does.
   *
   * @param sentMs when it was sent, on the clock of `performance.now()`
   */
  committed({ memberId, generationId }: Generation, sentMs: number): void {
    if (memberId === this.#memberId && generationId === this.#generationId) this.#accept(sentMs);
  }

  /** Joins again soon: the number of partitions, or a topic, has changed. */
  rejoin(): void {
    this.#counts.invalidate();
    this.#wake.resolve();
  }

  /** Leaves the group. Resolves once it has, or once the coordinator did not answer. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#wake.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      try {
        await this.#join();
        await this.#staysStable();
      } catch (error) {
        if (this.#isClosing) break;
        if (!this.#recoverFrom(error)) return;
        await this.#rest(RETRY_MS);
      }
    }
    await this.#leave();
  }

  /** @returns whether it goes on */
  #recoverFrom(error: unknown): boolean {
    const reaction = groupReactionTo(error);
    const { group } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    this.#handler.log("warn", `Group "${group}": ${message}`);
    switch (reaction) {
      case "fail":
        this.#handler.failed(brokerError(`Cannot be a member of group "${group}"`, error));
        return false;
      case "find coordinator":
        this.#cluster.forgetCoordinator(group);
        break;
      case "lost member":
        this.#memberId = "";
        this.#expel();
        break;
      case "lost generation":
        this.#expel();
        break;
    }
    this.#suspendIfExpired();
    return true;
  }

  #expel(): void {
    this.#generationId = -1;
    this.#sessionEndMs = 0;
    this.#handler.expelled();
  }

  #suspendIfExpired(): void {
    if (this.#isSuspended || this.#sessionEndMs === 0 || performance.now() < this.#sessionEndMs) return;
    this.#isSuspended = true;
    this.#handler.suspended();
  }

  #accept(sentMs: number): void {
    this.#sessionEndMs = Math.max(this.#sessionEndMs, sentMs + this.#options.sessionTimeoutMs);
    this.#isSuspended = false;
    this.#handler.accepted(sentMs);
  }

  async #join(): Promise<void> {
    if (this.#generationId >= 0) await this.#handler.releasing(this.generation);
    const [joined, sentMs] = await this.#askToJoin();
    this.#accept(sentMs);
    this.#generationId = joined.generationId;
    this.#isLeader = joined.leaderId === this.#memberId;
    const syncSentMs = performance.now();
    const shares = this.#isLeader ? await this.#shares(joined.members) : [];
    const share = await this.#requests.sync(this.generation, shares);
    this.#accept(syncSentMs);
    const assigned = await this.#committed(decodeShare(share));
    if (this.#isClosing) return;
    this.#handler.log(
      "debug",
      `Group "${this.#options.group}": generation ${this.#generationId}, ${assigned.length} partitions`,
    );
    this.#handler.assigned(assigned, this.generation);
  }

  /** @returns the response of the coordinator, and when the accepted request was sent */
  async #askToJoin(): Promise<[joined: JoinedGroup, sentMs: number]> {
    while (true) {
      const sentMs = performance.now();
      const metadata = encodeSubscription(this.#options.topics, this.#handler.claim());
      const joined = await this.#requests.join(this.#memberId, metadata);
      this.#memberId = joined.memberId;
      // A new member gets its id first, and asks again with it.
      if (joined.errorCode !== Code.memberIdRequired) return [joined, sentMs];
    }
  }

  /** As the leader, shares out the partitions of all topics that any member reads. */
  async #shares(members: readonly JoinedMember[]): Promise<ReturnType<typeof encodeShares>> {
    const claimants = decodeMembers(members);
    const topics = new Set(claimants.flatMap((claimant) => claimant.topics));
    return encodeShares(claimants, await this.#counts.refresh(topics));
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<AssignedPartition[]> {
    if (partitions.length === 0) return [];
    while (true) {
      try {
        return await this.#requests.committed(partitions);
      } catch (error) {
        if (this.#isClosing || groupReactionTo(error) !== "ask again") throw error;
      }
      await this.#rest(ASK_AGAIN_MS);
    }
  }

  /** Resolves when the group needs a new generation. */
  async #staysStable(): Promise<void> {
    const { heartbeatIntervalMs, metadataMaxAgeMs } = this.#options;
    let restMs = heartbeatIntervalMs;
    while (!this.#isClosing) {
      await this.#rest(restMs);
      if (this.#isClosing) return;
      const sentMs = performance.now();
      try {
        await this.#requests.heartbeat(this.generation);
        this.#accept(sentMs);
        restMs = heartbeatIntervalMs;
      } catch (error) {
        const reaction = groupReactionTo(error);
        if (reaction === "rejoin") return;
        // The next coordinator knows the member by its id and generation: no reason to join again.
        if (reaction !== "find coordinator") throw error;
        this.#recoverFrom(error);
        restMs = RETRY_MS;
      }
      if (this.#isLeader && await this.#counts.haveChanged(metadataMaxAgeMs)) return;
    }
  }

  async #rest(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#wake.resolve(), ms);
    await this.#wake.promise;
    clearTimeout(timer);
    if (!this.#isClosing) this.#wake = Promise.withResolvers();
  }

  async #leave(): Promise<void> {
    if (this.#memberId !== "") await this.#requests.leave(this.#memberId);
  }
}
