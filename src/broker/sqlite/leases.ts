/**
 * Leases: for each group and partition at most one member holds a lease. It is valid as long as its owner is a member; the
 * owner releases it when the partition is to move.
 */
import type { TopicPartition } from "../../support/position.ts";
import type { Connection } from "./connection.ts";
import { FENCE, raiseFence } from "./group_offsets.ts";

/** A lease in the file. */
export interface Lease {
  /** The id of the member that holds it. */
  readonly owner: string;
  /** The id of the member to which the owner hands it over; `null` for none. */
  readonly wantedBy: string | null;
}

/** One partition of a topic, as its group sees it. */
export interface Share extends TopicPartition {
  readonly topicId: number;
  readonly partitionId: number;
  /** `null` if no member holds the partition. */
  readonly lease: Lease | null;
  /** `null` if no member of the group ever had the partition. */
  readonly fence: number | null;
}

type Row = readonly [
  topic: string,
  topicId: number,
  partition: number,
  partitionId: number,
  fence: number | null,
  owner: string | null,
  wantedBy: string | null,
];

/** Every partition of these topics, in order; a topic that does not exist has none. */
export function sharesOf(connection: Connection, group: string, topics: Iterable<string>): Share[] {
  const rows = connection.all<Row>(
    `SELECT name, t.id, partition, p.id, ${FENCE}, owner, wanted_by
      FROM topics t
      JOIN partitions p ON p.topic_id = t.id
      LEFT JOIN leases l ON l.group_name = ?1 AND l.partition_id = p.id
      LEFT JOIN group_offsets o ON o.group_name = ?1 AND o.partition_id = p.id
      WHERE name IN (SELECT value FROM json_each(?2))
      ORDER BY t.id, partition`,
    group,
    JSON.stringify([...topics]),
  );
  return rows.map(([topic, topicId, partition, partitionId, fence, owner, wantedBy]) => {
    const lease = owner === null ? null : { owner, wantedBy };
    return { topic, topicId, partition, partitionId, fence, lease };
  });
}

/** Returns the lease of a partition; `null` if no member holds it. */
export function leaseOf(connection: Connection, group: string, partitionId: number): Lease | null {
  const sql = "SELECT owner, wanted_by FROM leases WHERE group_name = ? AND partition_id = ?";
  const row = connection.first<readonly [string, string | null]>(sql, group, partitionId);
  return row === undefined ? null : { owner: row[0], wantedBy: row[1] };
}

/** Takes the lease of a partition that is free, inside a transaction, and raises its fence. */
export function takeLease(connection: Connection, group: string, owner: string, partitionId: number): void {
  connection.run(
    "INSERT OR REPLACE INTO leases (group_name, partition_id, owner) VALUES (?, ?, ?)",
    group,
    partitionId,
    owner,
  );
  raiseFence(connection, group, partitionId);
}

/** Asks the owner of a lease to hand it over to a member, inside a transaction. */
export function requestLease(connection: Connection, group: string, member: string, partitionId: number): void {
  const sql = "UPDATE leases SET wanted_by = ? WHERE group_name = ? AND partition_id = ?";
  connection.run(sql, member, group, partitionId);
}

/**
 * Releases the lease of a partition, inside a transaction.
 *
 * @param heir the member to which it is handed over; `null` for the one to which the partition is assigned next
 */
export function releaseLease(
  connection: Connection,
  group: string,
  owner: string,
  partitionId: number,
  heir: string | null,
): void {
  // The group was live until now: see the retention.
  connection.run(
    "UPDATE group_offsets SET updated_at_ms = ? WHERE group_name = ? AND partition_id = ?",
    Date.now(),
    group,
    partitionId,
  );
  const ofOwner = "group_name = ? AND partition_id = ? AND owner = ?";
  if (heir === null) connection.run(`DELETE FROM leases WHERE ${ofOwner}`, group, partitionId, owner);
  else {
    connection.run(
      `UPDATE leases SET owner = ?, wanted_by = NULL WHERE ${ofOwner}`,
      heir,
      group,
      partitionId,
      owner,
    );
  }
}

/** A number that has changed if members, leases, fences or partitions have; `null` if it is not in the file. */
export function assignmentVersion(connection: Connection): number | null {
  return connection.first<readonly [number]>("SELECT version FROM assignment_version")?.[0] ?? null;
}
