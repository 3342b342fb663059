/**
 * What a consumer holds: the leases of its topics, the ownerships that follow from them, and until when they are good.
 *
 * It looks and takes; it tells nobody. The consumer asks it in each round and tells its sink.
 */
import type { Monitor } from "../../monitor/monitor.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { type Candidate, type Lease, releaseLeases, renewLeases, type Share, sharesOf, takeLease } from "./leases.ts";
import { SqliteOwnership } from "./ownership.ts";
import { committedOf, createGroupOffsets, keyOf } from "./group_offsets.ts";
import { endsOf } from "./records.ts";

/** An ownership that is over. */
export interface Ended {
  readonly ownership: SqliteOwnership;
  readonly reason: "revoked" | "restarted";
  /** The share as it is now, where the topic is still held: only its fence was raised, by somebody who moved the group. */
  readonly moved: Share | null;
}

/** See the module. */
export class Membership {
  /** Until when the leases are surely good, on the clock of `performance.now()`. */
  heldUntilMs = 0;
  readonly #file: DatabaseFile;
  readonly #candidate: Candidate;
  readonly #topics: readonly string[];
  readonly #monitor: Monitor;
  readonly #patience: Patience;
  readonly #owned = new Map<string, SqliteOwnership>();
  /** The leases of others, by topic, and when each of them will have run out. */
  readonly #others = new Map<number, { readonly lease: Lease; readonly freeAtMs: number }>();

  /** @param patience how long a step may wait for its turn */
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

  /** Whether a lease of somebody else has run out by now. */
  get mayTake(): boolean {
    const nowMs = performance.now();
    return [...this.#others.values()].some(({ freeAtMs }) => freeAtMs <= nowMs);
  }

  /** Who holds what. */
  async look(): Promise<Share[]> {
    const startedMs = performance.now();
    const shares = await this.#file.read(
      (connection) => sharesOf(connection, this.#candidate.group, this.#topics),
      this.#patience,
    );
    const topics = new Set(shares.map(({ topicId }) => topicId));
    for (const topicId of this.#others.keys()) if (!topics.has(topicId)) this.#others.delete(topicId);
    // Who holds nothing has no session that could run out; who has just lost everything is not told yet.
    if (this.#owned.size === 0 && !shares.some((share) => this.#isOurs(share))) this.#extend(startedMs);
    return shares;
  }

  /** Lets go of the ownerships that are over, now that it is like this. */
  endedBy(shares: readonly Share[]): Ended[] {
    const now = new Map(shares.map((share) => [keyOf(share), share]));
    const ended = this.owned().map((ownership) => endOf(ownership, now.get(keyOf(ownership)), this.#candidate.owner))
      .filter((end) => end !== null);
    for (const { ownership } of ended) this.#owned.delete(keyOf(ownership));
    return ended;
  }

  /** Takes what nobody holds any more. @returns whether it tried: then the shares may be others by now */
  async take(shares: readonly Share[]): Promise<boolean> {
    const topics = new Map(shares.map((share) => [share.topicId, share]));
    const free = [...topics.values()].filter((share) => this.#isFree(share));
    // A topic of ours that was given partitions.
    const grown = new Set(shares.filter((share) => this.#isOurs(share) && share.fence === null).map((s) => s.topicId));
    if (free.length === 0 && grown.size === 0) return false;
    const startedMs = performance.now();
    await this.#file.write((connection) => {
      for (const { topicId, lease } of free) takeLease(connection, this.#candidate, topicId, lease);
      for (const topicId of grown) createGroupOffsets(connection, this.#candidate.group, topicId);
    }, this.#patience);
    if (this.#owned.size === 0) this.#extend(startedMs);
    return true;
  }

  /** Begins an ownership of each partition that is ours and was not until now. */
  begin(connection: Connection, shares: readonly Share[]): SqliteOwnership[] {
    const added: SqliteOwnership[] = [];
    for (const share of shares) {
      if (!this.#isOurs(share) || share.fence === null || this.#owned.has(keyOf(share))) continue;
      const { topicId, partition } = share;
      const ends = endsOf(connection, topicId, partition);
      if (ends === undefined) continue;
      const committed = committedOf(connection, this.#candidate.group, topicId, partition);
      const ownership = new SqliteOwnership(share, committed, ends.low);
      this.#owned.set(keyOf(share), ownership);
      added.push(ownership);
    }
    return added;
  }

  /** Gives a sign of life. @returns whether everything is still ours */
  async renew(): Promise<boolean> {
    const held = new Set(this.owned().map(({ topicId }) => topicId)).size;
    const startedMs = performance.now();
    const renewed = await this.#file.write((connection) => renewLeases(connection, this.#candidate), this.#patience);
    if (renewed < held) return false;
    this.#extend(startedMs);
    return true;
  }

  /** Gives everything back, so that nobody has to wait. */
  async release(deadlineMs: number): Promise<void> {
    await this.#file.write((connection) => releaseLeases(connection, this.#candidate), { deadlineMs });
  }

  /** Owns nothing any more. @returns what it was */
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

  /** Whether nobody holds it, or nobody has renewed it for as long as it was good when it was first seen like this. */
  #isFree(share: Share): boolean {
    const { topicId, lease } = share;
    if (lease === null || this.#isOurs(share)) {
      this.#others.delete(topicId);
      return lease === null;
    }
    const known = this.#others.get(topicId);
    if (known?.lease.owner === lease.owner && known.lease.expiresAtMs === lease.expiresAtMs) {
      return known.freeAtMs <= performance.now();
    }
    const goodForMs = Math.min(Math.max(lease.expiresAtMs - Date.now(), 0), lease.sessionMs);
    this.#others.set(topicId, { lease, freeAtMs: performance.now() + goodForMs });
    if (known?.lease.owner !== lease.owner) this.#tellOfWait(share, goodForMs);
    return goodForMs === 0;
  }

  #tellOfWait({ topic }: Share, goodForMs: number): void {
    const { group } = this.#candidate;
    const seconds = Math.ceil(goodForMs / 1000);
    this.#monitor.emit("broker.log", {
      level: "info",
      message: `Another worker holds topic "${topic}" for group "${group}": this one waits until it stops, ` +
        `or has given no sign of life for ${seconds} s`,
      details: { topic, group },
    });
  }
}

function endOf(ownership: SqliteOwnership, share: Share | undefined, owner: string): Ended | null {
  if (share?.topicId !== ownership.topicId) {
    return { ownership, reason: share === undefined ? "revoked" : "restarted", moved: null };
  }
  if (share.lease?.owner !== owner) return { ownership, reason: "revoked", moved: null };
  return share.fence === ownership.fence ? null : { ownership, reason: "revoked", moved: share };
}
