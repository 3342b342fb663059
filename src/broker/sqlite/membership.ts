/**
 * The membership of a consumer: its row in the group, its leases, the ownerships that follow from them, and until when they
 * are valid.
 *
 * It only reads and writes the file; the consumer calls it in each round and reports to its sink:
 *
 * 1. `look` reads the rows of the group, if they may have changed.
 * 2. `endedBy` removes the ownerships that have ended; `surplus` has those that another member is to get.
 * 3. `release` gives these up, with the last marks.
 * 4. `take` joins the group and takes the free partitions of this member.
 * 5. `begin` makes an ownership of each partition whose lease is held.
 */
import { BrokerError } from "../../errors.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import { type GroupRows, planFor, readGroup } from "./assignment.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { committedOf, keyOf, raiseFence, unreadableCommitOf } from "./group_offsets.ts";
import { assignmentVersion, releaseLease, type Share, takeLease } from "./leases.ts";
import { type Ends, endsOf } from "./log_end.ts";
import { type Candidate, join, removeMember, renew } from "./members.ts";
import { SqliteOwnership } from "./ownership.ts";
import { Sessions } from "./sessions.ts";

/** An ownership that has ended. */
export interface Ended {
  readonly ownership: SqliteOwnership;
  readonly reason: "revoked" | "recreated";
}

/** The membership of one consumer. */
export class Membership {
  /** Until when the leases are certainly valid, on the clock of `performance.now()`. */
  heldUntilMs = 0;
  readonly #file: DatabaseFile;
  readonly #candidate: Candidate;
  readonly #monitor: Monitor;
  readonly #patience: Patience;
  readonly #sessions = new Sessions();
  readonly #owned = new Map<string, SqliteOwnership>();
  readonly #isLive = (id: string): boolean => id === this.#candidate.id || this.#sessions.isLive(id);
  #rows: GroupRows = { members: [], shares: [] };
  /** The version of the assignment when the rows were read; `null` to read them in any case. */
  #version: number | null = null;
  #isWaitReported = false;

  /** @param patience how long a step may wait for locks */
  constructor(file: DatabaseFile, candidate: Candidate, monitor: Monitor, patience: Patience) {
    this.#file = file;
    this.#candidate = candidate;
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

  /** Whether the session of another member may have expired. */
  get mayTake(): boolean {
    return this.#sessions.hasExpired;
  }

  /** Reads the rows at the next `look`, whatever the file says. */
  forget(): void {
    this.#version = null;
  }

  /** Reads the rows of the group. @returns whether they were read: they may have changed since the last time */
  async look(): Promise<boolean> {
    const version = await this.#file.read(assignmentVersion, this.#patience);
    if (version !== null && version === this.#version && !this.mayTake) return false;
    await this.refresh();
    // A later change is seen at the next look.
    this.#version = version;
    return true;
  }

  /** Reads the rows of the group again: this member has written. */
  async refresh(): Promise<void> {
    const { group, topics } = this.#candidate;
    this.#rows = await this.#file.read((connection) => readGroup(connection, group, topics), this.#patience);
    this.#observe(this.#rows);
  }

  /** Removes the ownerships that have ended, by the leases as they are now. */
  endedBy(): Ended[] {
    const now = new Map(this.#rows.shares.map((share) => [keyOf(share), share]));
    const ended = this.owned().map((ownership) => endOf(ownership, now.get(keyOf(ownership)), this.#candidate.id))
      .filter((end) => end !== null);
    for (const { ownership } of ended) this.#owned.delete(keyOf(ownership));
    return ended;
  }

  /** The ownerships that another member is to get, and its id if it was named. */
  surplus(): Map<SqliteOwnership, string | null> {
    const surplus = new Map<SqliteOwnership, string | null>();
    if (this.#owned.size === 0) return surplus;
    const plan = planFor(this.#candidate.id, this.#rows, this.#isLive);
    for (const share of this.#rows.shares) {
      const ownership = this.#owned.get(keyOf(share));
      if (ownership === undefined) continue;
      const wantedBy = share.lease?.wantedBy ?? null;
      if (wantedBy !== null && this.#isLive(wantedBy)) surplus.set(ownership, wantedBy);
      else if (!plan.has(keyOf(share))) surplus.set(ownership, null);
    }
    return surplus;
  }

  /**
   * Releases the leases of ownerships, which end with that.
   *
   * @param write called inside the transaction, before: to write the last marks
   */
  async release(surplus: ReadonlyMap<SqliteOwnership, string | null>, write: (connection: Connection) => void) {
    const { group, id } = this.#candidate;
    await this.#file.write((connection) => {
      write(connection);
      for (const [{ partitionId }, heir] of surplus) releaseLease(connection, group, id, partitionId, heir);
    }, this.#patience);
    for (const ownership of surplus.keys()) this.#owned.delete(keyOf(ownership));
  }

  /**
   * Joins the group, removes the members whose sessions have expired, and takes the free partitions of this member.
   *
   * @returns whether it wrote: then the rows were read again
   */
  async take(): Promise<boolean> {
    if (!this.#isIncomplete()) return false;
    const { group, id, topics } = this.#candidate;
    const startedMs = performance.now();
    await this.#file.write((connection) => {
      // Read again under the lock: of several members that see a free partition, one takes it.
      join(connection, this.#candidate);
      const rows = readGroup(connection, group, topics);
      this.#observe(rows);
      for (const member of rows.members) if (!this.#isLive(member.id)) removeMember(connection, group, member.id);
      const free = this.#findFree(rows);
      for (const { partitionId } of free) takeLease(connection, group, id, partitionId);
      for (const { partitionId } of this.#findUnfenced(rows)) raiseFence(connection, group, partitionId);
    }, this.#patience);
    // Ownerships whose leases were just lost are not reported yet: without any there is none that could be too old.
    if (this.#owned.size === 0) this.#extend(startedMs);
    await this.refresh();
    return true;
  }

  /** Begins an ownership of each partition whose lease is ours and that is not owned yet. */
  begin(connection: Connection): SqliteOwnership[] {
    const added: SqliteOwnership[] = [];
    for (const share of this.#rows.shares) {
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
    if (this.#owned.size === 0) this.#reportWait();
    else this.#isWaitReported = false;
    return added;
  }

  /** Renews the session. @returns whether it is still a member */
  async renew(): Promise<boolean> {
    const startedMs = performance.now();
    if (!await this.#file.write((connection) => renew(connection, this.#candidate), this.#patience)) return false;
    this.#extend(startedMs);
    return true;
  }

  /** Leaves the group, so that no other member has to wait for the end of the session. */
  async leave(deadlineMs: number): Promise<void> {
    const { group, id } = this.#candidate;
    await this.#file.write((connection) => removeMember(connection, group, id), { deadlineMs });
  }

  /** Ends the membership. @returns the ownerships that were live */
  end(): SqliteOwnership[] {
    const owned = this.owned();
    this.#owned.clear();
    this.heldUntilMs = 0;
    return owned;
  }

  #observe({ members }: GroupRows): void {
    this.#sessions.observe(members.filter(({ id }) => id !== this.#candidate.id));
  }

  #extend(startedMs: number): void {
    this.heldUntilMs = startedMs + this.#candidate.sessionMs;
  }

  #isOurs({ lease }: Share): boolean {
    return lease?.owner === this.#candidate.id;
  }

  /** Whether there is something to take: the membership, a member that died, a free partition. */
  #isIncomplete(): boolean {
    const { members } = this.#rows;
    return !members.some(({ id }) => id === this.#candidate.id) || !members.every(({ id }) => this.#isLive(id)) ||
      this.#findFree(this.#rows).length > 0 || this.#findUnfenced(this.#rows).length > 0;
  }

  /** The partitions of this member that no live member holds. */
  #findFree(rows: GroupRows): Share[] {
    const members = new Set(rows.members.map(({ id }) => id).filter(this.#isLive));
    const free = rows.shares.filter(({ lease }) => lease === null || !members.has(lease.owner));
    if (free.length === 0) return free;
    const plan = planFor(this.#candidate.id, rows, this.#isLive);
    return free.filter((share) => plan.has(keyOf(share)));
  }

  /** The partitions of this member whose fence cannot be: another program has written it. */
  #findUnfenced({ shares }: GroupRows): Share[] {
    return shares.filter((share) => this.#isOurs(share) && share.fence === null);
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
    this.#monitor.reportError("group offsets", new BrokerError(why));
  }

  /** Reports that the other members have all partitions. A partition that is about to move is not reported. */
  #reportWait(): void {
    const { group, id, topics } = this.#candidate;
    if (this.#isWaitReported || this.#rows.shares.length === 0) return;
    if (planFor(id, this.#rows, this.#isLive).size > 0) return;
    this.#isWaitReported = true;
    const partitions = this.#rows.shares.filter(({ topic }) => topics.includes(topic)).length;
    this.#monitor.emit("broker.log", {
      level: "info",
      message:
        `Other workers of group "${group}" have every partition (${partitions}): this one waits until one of them ` +
        `stops; declare more partitions to share the jobs`,
      details: { group, partitions },
    });
  }
}

function endOf(ownership: SqliteOwnership, share: Share | undefined, id: string): Ended | null {
  if (share?.topicId !== ownership.topicId) {
    return { ownership, reason: share === undefined ? "revoked" : "recreated" };
  }
  return share.lease?.owner === id && share.fence === ownership.fence ? null : { ownership, reason: "revoked" };
}
