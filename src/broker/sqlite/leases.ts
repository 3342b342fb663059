/**
 * Leases: for each group and partition one consumer holds a lease, renews it while it lives, and releases it when it
 * stops. The lease of a consumer that died is held until it expires.
 *
 * The wall clock may be set back or forth. So a consumer that waits reads from a lease only how long it is still valid,
 * at most the session of its owner, and waits that long by a monotonic clock.
 */
import type { Connection } from "./connection.ts";
import { FENCE, raiseFence } from "./group_offsets.ts";

/** A lease in the file. */
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
  readonly partitionId: number;
  /** `null` if no consumer holds the partition. */
  readonly lease: Lease | null;
  /** `null` if no consumer of the group ever had the partition. */
  readonly fence: number | null;
}

/** A consumer that takes leases. */
export interface Candidate {
  readonly group: string;
  /** A unique name. */
  readonly owner: string;
  readonly sessionMs: number;
}

/** SQL: times that no version of this library writes; no live consumer has such a lease, so it counts as absent. */
const IS_READABLE = `expires_at_ms BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER} AND session_ms BETWEEN 0 AND ${
  2 ** 31 - 1
}`;

type Row = readonly [
  topic: string,
  topicId: number,
  partition: number,
  partitionId: number,
  fence: number | null,
  owner: string | null,
  expiresAtMs: number | null,
  sessionMs: number | null,
];

/** Every partition of these topics, in order; a topic that does not exist has none. */
export function sharesOf(connection: Connection, group: string, topics: readonly string[]): Share[] {
  const rows = connection.all<Row>(
    `SELECT name, t.id, partition, p.id, ${FENCE}, owner, expires_at_ms, session_ms
      FROM topics t
      JOIN partitions p ON p.topic_id = t.id
      LEFT JOIN leases l ON l.group_name = ?1 AND l.partition_id = p.id AND ${IS_READABLE}
      LEFT JOIN group_offsets o ON o.group_name = ?1 AND o.partition_id = p.id
      WHERE name IN (SELECT value FROM json_each(?2))
      ORDER BY t.id, partition`,
    group,
    JSON.stringify(topics),
  );
  return rows.map(([topic, topicId, partition, partitionId, fence, owner, expiresAtMs, sessionMs]) => {
    const lease = owner === null ? null : { owner, expiresAtMs: expiresAtMs!, sessionMs: sessionMs! };
    return { topic, topicId, partition, partitionId, fence, lease };
  });
}

/**
 * Takes the lease of a partition, inside a transaction, and raises its fence.
 *
 * @param share the partition; its lease is `null`, or has expired
 * @returns whether it was taken: no other consumer was faster
 */
export function takeLease(
  connection: Connection,
  { group, owner, sessionMs }: Candidate,
  { partitionId, lease: seen }: Pick<Share, "partitionId" | "lease">,
): boolean {
  const taken = connection.changes(
    `INSERT INTO leases (group_name, partition_id, owner, expires_at_ms, session_ms) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT DO UPDATE SET owner = ?3, expires_at_ms = ?4, session_ms = ?5
        WHERE (owner = ?6 AND expires_at_ms = ?7) OR NOT (${IS_READABLE})`,
    ...[group, partitionId, owner, Date.now() + sessionMs, sessionMs, seen?.owner ?? null, seen?.expiresAtMs ?? null],
  );
  if (taken === 0) return false;
  raiseFence(connection, group, partitionId);
  return true;
}

/** Renews every lease of a consumer. @returns how many partitions it still holds */
export function renewLeases(connection: Connection, { group, owner, sessionMs }: Candidate): number {
  return connection.changes(
    "UPDATE leases SET expires_at_ms = ? WHERE group_name = ? AND owner = ?",
    Date.now() + sessionMs,
    group,
    owner,
  );
}

/** Releases every lease of a consumer. */
export function releaseLeases(connection: Connection, { group, owner }: Pick<Candidate, "group" | "owner">): void {
  connection.run("DELETE FROM leases WHERE group_name = ? AND owner = ?", group, owner);
}

/** Whether a consumer of the group is live. */
export function isLive(connection: Connection, group: string): boolean {
  // A clock that was set back does not make a lease longer than its session.
  const live = `SELECT 1 FROM leases
    WHERE group_name = ?1 AND ${IS_READABLE} AND expires_at_ms > ?2 AND expires_at_ms <= ?2 + session_ms LIMIT 1`;
  return connection.first(live, group, Date.now()) !== undefined;
}
