/**
 * The membership of a consumer: its leases, the ownerships that follow from them, and until when they are valid.
 *
 * A topic goes to one consumer: free partitions are taken only if no other live consumer holds one of their topic. Each
 * partition has its own lease and fence all the same.
 *
 * It only reads and writes the file; the consumer calls it in each round and reports to its sink.
 */
import { BrokerError, describeError } from "../../errors.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { type Candidate, type Lease, releaseLeases, renewLeases, type Share, sharesOf, takeLease } from "./leases.ts";
import { SqliteOwnership } from "./ownership.ts";
import { committedOf, keyOf, raiseFence, unreadableCommitOf } from "./group_offsets.ts";
import { type Ends, endsOf } from "./log_end.ts";

/** An ownership that has ended. */
export interface Ended {
  readonly ownership: SqliteOwnership;
  readonly reason: "revoked" | "recreated";
  /** The share as it is now, if the lease is still held: only its fence was raised, since the group was moved. */
  readonly moved: Share | null;
}

/** The membership of one consumer. */
export class Membership {
  /** Until when the leases are certainly valid, on the clock of `performance.now()`. */
  heldUntilMs = 0;
  readonly #file: DatabaseFile;
  readonly #candidate: Candidate;
  readonly #topics: readonly string[];
  readonly #monitor: Monitor;
  readonly #patience: Patience;
  readonly #owned = new Map<string, SqliteOwnership>();
  /** The leases of other consumers, by partition id, and when each of them expires. */
  readonly #others = new Map<number, { readonly lease: Lease; readonly freeAtMs: number }>();
  /** The owner that was last named for a topic, by topic id. */
  readonly #named = new Map<number, string>();

  /** @param patience how long a step may wait for locks */
  constructor(
    file: DatabaseFile,
    candidate: Candidate,
    topics: readonly string[],
    monitor: Monitor,
    patience: Patience,
  ) {
    this.#file = file;
    this.#candidate = candidate;
    this.#topics = topics;
    this.#monitor = monitor;
    this.#patience = patience;
  }

  /** The live ownerships. */
  owned(): SqliteOwnership[] {
    return [...this.#owned.values()];
  }

  /** Whether it is one of them. */
  owns(ownership: object): ownership is SqliteOwnership {
    const { topic, partition } = ownership as SqliteOwnership;
    return this.#owned.get(keyOf({ topic, partition })) === ownership;
  }

  /** Whether a lease of another consumer has expired. */
  get mayTake(): boolean {
    const nowMs = performance.now();
    return [...this.#others.values()].some(({ freeAtMs }) => freeAtMs <= nowMs);
  }

  /** Reads the leases of every partition. */
  async look(): Promise<Share[]> {
    const startedMs = performance.now();
    const shares = await this.#file.read(
      (connection) => sharesOf(connection, this.#candidate.group, this.#topics),
      this.#patience,
    );
    const ids = new Set(shares.map(({ partitionId }) => partitionId));
    for (const id of this.#others.keys()) if (!ids.has(id)) this.#others.delete(id);
    // Without leases there is no session that could expire. Ownerships whose leases were just lost are not reported
    // yet.
    if (this.#owned.size === 0 && !shares.some((share) => this.#isOurs(share))) this.#extend(startedMs);
    return shares;
  }

  /** Removes the ownerships that have ended, by the leases as they are now. */
  endedBy(shares: readonly Share[]): Ended[] {
    const now = new Map(shares.map((share) => [keyOf(share), share]));
    const ended = this.owned().map((ownership) => endOf(ownership, now.get(keyOf(ownership)), this.#candidate.owner))
      .filter((end) => end !== null);
    for (const { ownership } of ended) this.#owned.delete(keyOf(ownership));
    return ended;
  }

  /** Takes free partitions. @returns whether it tried: then the shares may have changed */
  async take(shares: readonly Share[]): Promise<boolean> {
    const free: Share[] = [];
    const foreign = new Set<number>();
    for (const share of shares) {
      if (this.#isFree(share)) free.push(share);
      else if (!this.#isOurs(share)) foreign.add(share.topicId);
    }
    const wanted = free.filter(({ topicId }) => !foreign.has(topicId));
    const unfenced = shares.filter((share) => this.#isOurs(share) && share.fence === null);
    if (wanted.length === 0 && unfenced.length === 0) return false;
    const startedMs = performance.now();
    await this.#file.write((connection) => {
      for (const share of wanted) takeLease(connection, this.#candidate, share);
      for (const { partitionId } of unfenced) raiseFence(connection, this.#candidate.group, partitionId);
    }, this.#patience);
    if (this.#owned.size === 0) this.#extend(startedMs);
    return true;
  }

  /** Begins an ownership of each partition whose lease is ours and that is not owned yet. */
  begin(connection: Connection, shares: readonly Share[]): SqliteOwnership[] {
    const added: SqliteOwnership[] = [];
    for (const share of shares) {
      if (!this.#isOurs(share) || share.fence === null || this.#owned.has(keyOf(share))) continue;
      const { partitionId } = share;
      const ends = endsOf(connection, partitionId);
      if (ends === undefined) continue;
      const committed = committedOf(connection, this.#candidate.group, partitionId);
      const ownership = new SqliteOwnership(share, committed, ends.low);
      this.#reportUnusable(connection, ownership, ends);
      this.#owned.set(keyOf(share), ownership);
      added.push(ownership);
    }
    return added;
  }

  /** Renews the leases. @returns whether every one is still ours */
  async renew(): Promise<boolean> {
    const startedMs = performance.now();
    const renewed = await this.#file.write((connection) => renewLeases(connection, this.#candidate), this.#patience);
    if (renewed < this.#owned.size) return false;
    this.#extend(startedMs);
    return true;
  }

  /** Releases the leases, so that no other consumer has to wait for them to expire. */
  async release(deadlineMs: number): Promise<void> {
    await this.#file.write((connection) => releaseLeases(connection, this.#candidate), { deadlineMs });
  }

  /** Ends the membership. @returns the ownerships that were live */
  end(): SqliteOwnership[] {
    const owned = this.owned();
    this.#owned.clear();
    this.heldUntilMs = 0;
    return owned;
  }

  #extend(startedMs: number): void {
    this.heldUntilMs = startedMs + this.#candidate.sessionMs;
  }

  #isOurs({ lease }: Share): boolean {
    return lease?.owner === this.#candidate.owner;
  }

  /** Whether there is no lease, or it was not renewed for as long as it was valid when it was first seen. */
  #isFree(share: Share): boolean {
    const { partitionId, lease } = share;
    if (lease === null || this.#isOurs(share)) {
      this.#others.delete(partitionId);
      return lease === null;
    }
    const known = this.#others.get(partitionId);
    if (known?.lease.owner === lease.owner && known.lease.expiresAtMs === lease.expiresAtMs) {
      return known.freeAtMs <= performance.now();
    }
    const validForMs = Math.min(Math.max(lease.expiresAtMs - Date.now(), 0), lease.sessionMs);
    this.#others.set(partitionId, { lease, freeAtMs: performance.now() + validForMs });
    if (validForMs > 0) this.#reportWait(share, lease.owner, validForMs);
    return validForMs === 0;
  }

  /** Reports a committed offset at which the group cannot go on, with its place. */
  #reportUnusable(
    connection: Connection,
    { topic, partition, partitionId, committed }: SqliteOwnership,
    ends: Ends,
  ): void {
    const { group } = this.#candidate;
    const stored = unreadableCommitOf(connection, group, partitionId);
    const end = `but the partition ends at ${topic}/${partition}@${ends.high}`;
    const why = stored !== null
      ? `The committed offset of group "${group}" for ${topic}/${partition} is ${stored}, which is not an offset: the ` +
        `group starts at ${topic}/${partition}@${ends.low}`
      : committed !== null && committed.offset > ends.high
      ? `The committed offset of group "${group}" is ${topic}/${partition}@${committed.offset}, ${end}: no job of it is ` +
        "performed until it grows beyond"
      : null;
    if (why === null) return;
    this.#monitor.emit("error.occurred", { where: "group offsets", error: describeError(new BrokerError(why)) });
  }

  #reportWait({ topic, topicId }: Share, owner: string, validForMs: number): void {
    if (this.#named.get(topicId) === owner) return;
    this.#named.set(topicId, owner);
    const { group } = this.#candidate;
    const seconds = Math.ceil(validForMs / 1000);
    this.#monitor.emit("broker.log", {
      level: "info",
      message: `Another worker holds topic "${topic}" for group "${group}": this one waits until it stops, ` +
        `or has not renewed its lease for ${seconds} s`,
      details: { topic, group },
    });
  }
}

function endOf(ownership: SqliteOwnership, share: Share | undefined, owner: string): Ended | null {
  if (share?.topicId !== ownership.topicId) {
    return { ownership, reason: share === undefined ? "revoked" : "recreated", moved: null };
  }
  if (share.lease?.owner !== owner) return { ownership, reason: "revoked", moved: null };
  return share.fence === ownership.fence ? null : { ownership, reason: "revoked", moved: share };
}
