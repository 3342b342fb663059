/**
 * The members of a group: one row for each consumer, which it renews while it lives and deletes when it stops. The row of
 * a consumer that died stays until its session has expired and another member removes it, together with its leases.
 */
import type { GroupMember } from "../admin.ts";
import type { Connection } from "./connection.ts";

/** A consumer that joins a group. */
export interface Candidate {
  readonly group: string;
  /** Its unique id. */
  readonly id: string;
  /** The names of its topics. */
  readonly topics: readonly string[];
  readonly sessionMs: number;
}

/** A member in the file. */
export interface MemberRow {
  readonly id: string;
  readonly topics: readonly string[];
  readonly expiresAtMs: number;
  readonly sessionMs: number;
}

/** SQL: times that no version of this library writes; no live member has such a row, so it counts as absent. */
const IS_READABLE = `expires_at_ms BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER} AND session_ms BETWEEN 0 AND ${
  2 ** 31 - 1
}`;

const SELECT_MEMBERS = `SELECT id, topics, expires_at_ms, session_ms FROM members
  WHERE group_name = ? AND ${IS_READABLE} ORDER BY id`;

/** Lists the members of a group by id, those that died included. */
export function membersOf(connection: Connection, group: string): MemberRow[] {
  return connection.all<readonly [string, string, number, number]>(SELECT_MEMBERS, group)
    .map(([id, topics, expiresAtMs, sessionMs]) => ({ id, topics: parseTopics(topics), expiresAtMs, sessionMs }));
}

/** Joins a group, inside a transaction; a member only renews its session. */
export function join(connection: Connection, candidate: Candidate): void {
  if (renew(connection, candidate)) return;
  const { group, id, topics, sessionMs } = candidate;
  connection.run(
    "INSERT OR REPLACE INTO members (group_name, id, topics, expires_at_ms, session_ms) VALUES (?, ?, ?, ?, ?)",
    group,
    id,
    JSON.stringify(topics),
    Date.now() + sessionMs,
    sessionMs,
  );
}

/** Renews the session of a member. @returns whether it still is a member */
export function renew(connection: Connection, { group, id, sessionMs }: Omit<Candidate, "topics">): boolean {
  const sql = `UPDATE members SET expires_at_ms = ? WHERE group_name = ? AND id = ? AND ${IS_READABLE}`;
  return connection.changes(sql, Date.now() + sessionMs, group, id) > 0;
}

/** Removes a member and its leases, inside a transaction. */
export function removeMember(connection: Connection, group: string, id: string): void {
  // The group was live until now: see the retention.
  connection.run(
    `UPDATE group_offsets SET updated_at_ms = ?1 WHERE group_name = ?2
      AND partition_id IN (SELECT partition_id FROM leases WHERE group_name = ?2 AND owner = ?3)`,
    Date.now(),
    group,
    id,
  );
  connection.run("DELETE FROM leases WHERE group_name = ? AND owner = ?", group, id);
  connection.run("DELETE FROM members WHERE group_name = ? AND id = ?", group, id);
}

/** SQL: the session of a member of `?1` is valid at `?2`. A clock that was set back does not make a session longer. */
const IS_LIVE = `group_name = ?1 AND ${IS_READABLE} AND expires_at_ms > ?2 AND expires_at_ms <= ?2 + session_ms`;

/** Whether a group has a live member, by the wall clock. */
export function hasLiveMember(connection: Connection, group: string): boolean {
  return connection.first(`SELECT 1 FROM members WHERE ${IS_LIVE} LIMIT 1`, group, Date.now()) !== undefined;
}

/** Describes the live members of a group, by the wall clock, with the partitions that they hold. */
export function liveMembersOf(connection: Connection, group: string): GroupMember[] {
  const members = connection.all<readonly [id: string, topics: string]>(
    `SELECT id, topics FROM members WHERE ${IS_LIVE} ORDER BY id`,
    group,
    Date.now(),
  );
  const held = Map.groupBy(
    connection.all<readonly [owner: string, topic: string, partition: number]>(
      `SELECT owner, t.name, partition FROM leases l JOIN partitions p ON p.id = l.partition_id
        JOIN topics t ON t.id = p.topic_id WHERE l.group_name = ? ORDER BY t.id, partition`,
      group,
    ),
    ([owner]) => owner,
  );
  return members.map(([id, topics]) => ({
    id,
    topics: parseTopics(topics),
    partitions: (held.get(id) ?? []).map(([, topic, partition]) => ({ topic, partition })),
  }));
}

/** Reads the topics of a member. The file is untrusted: what is not an array of strings counts as none. */
function parseTopics(json: string): string[] {
  try {
    const topics: unknown = JSON.parse(json);
    return Array.isArray(topics) ? topics.filter((topic) => typeof topic === "string") : [];
  } catch {
    return [];
  }
}
