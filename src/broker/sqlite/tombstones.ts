/**
 * Removes the tombstones of topics that are compacted by key. A tombstone stays until the live owner of its partition has
 * read it: an owner that has read the earlier record of the key must learn that it is gone. Without any owner it stays for
 * an hour, since the next owner reads from the file what there still is.
 *
 * The owner removes them beside its rounds, and an append removes some where there is no owner; each time a few.
 */
import { type Connection, MAX_ROWS } from "./connection.ts";
import { endsOf } from "./log_end.ts";
import { idOf, MAX_OFFSET, offsetIn } from "./record_id.ts";

/** The time for which a tombstone stays without an owner, in milliseconds. */
const KEPT_WITHOUT_OWNER_MS = 60 * 60 * 1000;

/** The partition of an owner, and its progress. */
export interface TombstoneReader {
  readonly partitionId: number;
  /** The name of its group. */
  readonly group: string;
  /** Everything before this offset was read. */
  readonly position: number;
  /** The time for which a tombstone stays where another group has an owner too, in milliseconds. */
  readonly retentionMs: number;
}

/** An index has the partition of tombstones, and like each index the id. */
const SELECT_FIRST = `SELECT ${offsetIn("id")}, timestamp_ms FROM records
  WHERE is_compacted = 1 AND value IS NULL AND partition_id = ?1 AND id < ${idOf("?1", "?2")} ORDER BY id LIMIT ?3`;

const DELETE_ONE = `DELETE FROM records WHERE id = ${idOf("?1", "?2")}`;

/** Returns the offsets of the first tombstones of a partition that an owner does not need any more: few enough for one slice. */
export function findReadTombstones(connection: Connection, reader: TombstoneReader): number[] {
  const { partitionId, group, position, retentionMs } = reader;
  // The progress of another group's owner is not in the file.
  const beforeMs = hasOtherOwner(connection, partitionId, group) ? Date.now() - retentionMs : Infinity;
  return findTombstones(connection, partitionId, position, beforeMs);
}

/** Removes some of the tombstones of a partition without an owner, inside a transaction. */
export function removeUnownedTombstones(connection: Connection, partitionId: number): void {
  if (hasOtherOwner(connection, partitionId, null)) return;
  const offsets = findTombstones(connection, partitionId, MAX_OFFSET, Date.now() - KEPT_WITHOUT_OWNER_MS);
  if (offsets.length > 0) removeTombstones(connection, partitionId, offsets);
}

/** Removes tombstones, inside a transaction. */
export function removeTombstones(connection: Connection, partitionId: number, offsets: readonly number[]): void {
  // The last record of a partition says where it ends; that must not be forgotten with it.
  connection.run("UPDATE partitions SET high = ? WHERE id = ?", endsOf(connection, partitionId)!.high, partitionId);
  for (const offset of offsets) connection.run(DELETE_ONE, partitionId, offset);
}

/** The first tombstones before an offset, up to the first one that is not older than a time. */
function findTombstones(connection: Connection, partitionId: number, before: number, beforeMs: number): number[] {
  const rows = connection.all<readonly [offset: number, timestampMs: number]>(
    SELECT_FIRST,
    partitionId,
    Math.min(before, MAX_OFFSET),
    MAX_ROWS,
  );
  const kept = rows.findIndex(([, timestampMs]) => timestampMs >= beforeMs);
  return rows.slice(0, kept === -1 ? rows.length : kept).map(([offset]) => offset);
}

/** Whether another group has an owner of the partition; a dead one counts until its lease is taken from it. */
function hasOtherOwner(connection: Connection, partitionId: number, group: string | null): boolean {
  const sql = "SELECT 1 FROM leases WHERE partition_id = ?1 AND group_name IS NOT ?2 LIMIT 1";
  return connection.first(sql, partitionId, group) !== undefined;
}
