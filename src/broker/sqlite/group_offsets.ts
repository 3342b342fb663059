/**
 * The committed offsets of groups, and the fences that guard them. A commit is one statement that also checks its fence: a
 * former owner changes no row, however late it commits.
 *
 * The rows of a file are untrusted: an offset or a fence that no version of this library writes counts as absent, and is
 * replaced by the next owner.
 */
import type { TopicPartition } from "../../support/position.ts";
import type { Commit, CommittedOffset } from "../broker.ts";
import type { Connection } from "./connection.ts";
import { MAX_OFFSET } from "./record_id.ts";

/** The longest metadata of a commit, in characters: Kafka's default, so that what fits here fits there. */
export const MAX_COMMIT_METADATA_LENGTH = 4000;

/** SQL for the committed offset, `NULL` for one that cannot be. The next offset of a full partition is one more than its last. */
export const COMMITTED = `iif(committed BETWEEN 0 AND ${MAX_OFFSET + 1}, committed, NULL)`;

/** SQL for a fence, `NULL` for one that cannot be, or cannot be raised any more. */
export const FENCE = `iif(fence BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER - 1}, fence, NULL)`;

/** SQL for the next fence. A random one follows a fence that cannot be: a small one might have been used before. */
const NEXT_FENCE = `ifnull(${FENCE} + 1, random() & ${2 ** 52 - 1})`;

const COMMIT = `UPDATE group_offsets SET committed = ?1, metadata = ?2, updated_at_ms = ?3
  WHERE group_name = ?4 AND partition_id = ?5 AND fence = ?6 AND ifnull(${COMMITTED}, 0) <= ?1`;

/** SQL for the metadata of a commit, empty for one that cannot be. */
const METADATA = `iif(length(metadata) <= ${MAX_COMMIT_METADATA_LENGTH}, metadata, '')`;

const SELECT_COMMITTED =
  `SELECT ${COMMITTED}, ${METADATA} FROM group_offsets WHERE group_name = ? AND partition_id = ?`;

const SELECT_ALL_COMMITTED = `SELECT t.name, partition, ${COMMITTED}, ${METADATA}
  FROM topics t JOIN partitions p ON p.topic_id = t.id
  LEFT JOIN group_offsets o ON o.group_name = ?1 AND o.partition_id = p.id
  WHERE t.name IN (SELECT value FROM json_each(?2)) ORDER BY t.id, partition`;

/**
 * Commits for an owner.
 *
 * @returns whether it was written: its fence is the current one, and the group does not go back
 */
export function commit(
  connection: Connection,
  group: string,
  owned: { readonly partitionId: number; readonly fence: number },
  { offset, metadata }: Commit,
): boolean {
  const written = connection.changes(
    COMMIT,
    offset,
    metadata,
    Date.now(),
    group,
    owned.partitionId,
    owned.fence,
  );
  return written > 0;
}

/** The fence of a partition; `null` if the group never had the partition. */
export function fenceOf(connection: Connection, group: string, partitionId: number): number | null {
  const sql = `SELECT ${FENCE} FROM group_offsets WHERE group_name = ? AND partition_id = ?`;
  return connection.first<readonly [number | null]>(sql, group, partitionId)?.[0] ?? null;
}

/** The committed offset of a group; `null` for none, and for one that cannot be. */
export function committedOf(connection: Connection, group: string, partitionId: number): Commit | null {
  const row = connection.first<readonly [offset: number | null, metadata: string]>(
    SELECT_COMMITTED,
    group,
    partitionId,
  );
  const [offset, metadata] = row ?? [null, ""];
  return offset === null ? null : { offset, metadata };
}

/** The commits of a group for every partition of some topics, by topic and in order. A topic that does not exist has no entry. */
export function committedOfAll(
  connection: Connection,
  group: string,
  topics: readonly string[],
): Map<string, CommittedOffset[]> {
  const found = new Map<string, CommittedOffset[]>();
  const rows = connection.all<readonly [string, number, offset: number | null, metadata: string | null]>(
    SELECT_ALL_COMMITTED,
    group,
    JSON.stringify(topics),
  );
  for (const [topic, partition, offset, metadata] of rows) {
    let commits = found.get(topic);
    if (commits === undefined) found.set(topic, commits = []);
    commits.push({ partition, offset, metadata: offset === null ? "" : metadata ?? "" });
  }
  return found;
}

/** Lists the groups that have committed an offset of a topic, in alphabetical order. */
export function groupsOf(connection: Connection, topic: string): string[] {
  return connection.all<readonly [name: string]>(
    `SELECT DISTINCT group_name FROM topics JOIN partitions ON topic_id = topics.id JOIN group_offsets ON partition_id = partitions.id
      WHERE topics.name = ? AND ${COMMITTED} IS NOT NULL ORDER BY group_name`,
    topic,
  ).map(([name]) => name);
}

/** The stored offset of a group as text, where {@linkcode committedOf} takes it for absent; else `null`. */
export function unreadableCommitOf(connection: Connection, group: string, partitionId: number): string | null {
  return connection.first<readonly [string]>(
    `SELECT CAST(committed AS TEXT) FROM group_offsets
      WHERE group_name = ? AND partition_id = ? AND committed IS NOT NULL AND ${COMMITTED} IS NULL`,
    group,
    partitionId,
  )?.[0] ?? null;
}

/** Sets the committed offset of a group, also while a consumer owns the partition: the raised fence ends that ownership. */
export function move(
  connection: Connection,
  group: string,
  partitionId: number,
  { offset, metadata = "" }: { readonly offset: number; readonly metadata?: string },
): void {
  connection.run(
    `INSERT INTO group_offsets (group_name, partition_id, fence, committed, metadata, updated_at_ms)
      VALUES (?1, ?2, 1, ?3, ?4, ?5)
      ON CONFLICT DO UPDATE SET fence = ${NEXT_FENCE}, committed = ?3, metadata = ?4, updated_at_ms = ?5`,
    group,
    partitionId,
    offset,
    metadata,
    Date.now(),
  );
}

/** Raises the fence of a partition for a new owner: commits of earlier owners are refused from now on. */
export function raiseFence(connection: Connection, group: string, partitionId: number): void {
  connection.run(
    `INSERT INTO group_offsets (group_name, partition_id, fence, updated_at_ms) VALUES (?1, ?2, 1, ?3)
      ON CONFLICT DO UPDATE SET fence = ${NEXT_FENCE}, updated_at_ms = ?3`,
    group,
    partitionId,
    Date.now(),
  );
}

/** The key of a partition in a map. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
