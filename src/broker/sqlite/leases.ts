/**
 * Who works on which topic: for each group and topic one consumer holds a lease, renews it while it lives, and gives it
 * back when it stops. One that died has it until it expires.
 *
 * The time of day may be set back or forth. So who waits reads from a lease only how long it is still good, no longer than
 * the session of its holder, and waits that long by a clock of its own.
 */
import type { Connection } from "./connection.ts";
import { createGroupOffsets, raiseFences } from "./group_offsets.ts";

/** A lease as it stands in the file. */
export interface Lease {
  readonly owner: string;
  readonly expiresAtMs: number;
  readonly sessionMs: number;
}

/** One partition of a topic, as its group sees it. */
export interface Share {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  /** `null` if nobody holds the topic. */
  readonly lease: Lease | null;
  /** `null` if nobody of the group has ever had the partition. */
  readonly fence: number | null;
}

/** Who asks for leases. */
export interface Candidate {
  readonly group: string;
  /** A name that nobody else has. */
  readonly owner: string;
  readonly sessionMs: number;
}

type Row = readonly [
  topic: string,
  topicId: number,
  partition: number,
  fence: number | null,
  owner: string | null,
  expiresAtMs: number | null,
  sessionMs: number | null,
];

/** Every partition of these topics, in order; a topic that does not exist has none. */
export function sharesOf(connection: Connection, group: string, topics: readonly string[]): Share[] {
  const rows = connection.all<Row>(
    `SELECT name, id, p.partition, fence, owner, expires_at_ms, session_ms
      FROM topics
      JOIN partitions p ON p.topic_id = id
      LEFT JOIN leases l ON l.group_name = ?1 AND l.topic_id = id
      LEFT JOIN positions s ON s.group_name = ?1 AND s.topic_id = id AND s.partition = p.partition
      WHERE name IN (SELECT value FROM json_each(?2))
      ORDER BY id, p.partition`,
    group,
    JSON.stringify(topics),
  );
  return rows.map(([topic, topicId, partition, fence, owner, expiresAtMs, sessionMs]) => {
    const lease = owner === null ? null : { owner, expiresAtMs: expiresAtMs!, sessionMs: sessionMs! };
    return { topic, topicId, partition, fence, lease };
  });
}

/**
 * Takes the lease of a topic, inside of a transaction, and raises its fences.
 *
 * @param seen the lease that has run out, `null` if there was none
 * @returns whether it is had: nobody else was faster
 */
export function takeLease(connection: Connection, candidate: Candidate, topicId: number, seen: Lease | null): boolean {
  const { group, owner, sessionMs } = candidate;
  const expiresAtMs = Date.now() + sessionMs;
  const taken = seen === null
    ? connection.changes(
      "INSERT OR IGNORE INTO leases (group_name, topic_id, owner, expires_at_ms, session_ms) VALUES (?, ?, ?, ?, ?)",
      ...[group, topicId, owner, expiresAtMs, sessionMs],
    )
    : connection.changes(
      `UPDATE leases SET owner = ?, expires_at_ms = ?, session_ms = ?
        WHERE group_name = ? AND topic_id = ? AND owner = ? AND expires_at_ms = ?`,
      ...[owner, expiresAtMs, sessionMs, group, topicId, seen.owner, seen.expiresAtMs],
    );
  if (taken === 0) return false;
  raiseFences(connection, group, topicId);
  createGroupOffsets(connection, group, topicId);
  return true;
}

/** A sign of life. @returns how many topics are still held */
export function renewLeases(connection: Connection, { group, owner, sessionMs }: Candidate): number {
  return connection.changes(
    "UPDATE leases SET expires_at_ms = ? WHERE group_name = ? AND owner = ?",
    Date.now() + sessionMs,
    group,
    owner,
  );
}

/** Gives everything back. */
export function releaseLeases(connection: Connection, { group, owner }: Pick<Candidate, "group" | "owner">): void {
  connection.run("DELETE FROM leases WHERE group_name = ? AND owner = ?", group, owner);
}

/** Whether somebody works in the group. */
export function isLive(connection: Connection, group: string): boolean {
  // A clock that was set back does not make a lease longer than its session.
  const live = `SELECT 1 FROM leases
    WHERE group_name = ?1 AND expires_at_ms > ?2 AND expires_at_ms <= ?2 + session_ms LIMIT 1`;
  return connection.get(live, group, Date.now()) !== undefined;
}
