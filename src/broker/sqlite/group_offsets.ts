/**
 * What the groups have committed, and the fencing numbers that guard it. A commit is one statement that also checks its
 * fence: whoever was taken over meanwhile changes no row, however late it wakes up.
 */
import type { Position, TopicPartition } from "../broker.ts";
import type { Connection } from "./connection.ts";

/** The longest metadata that a commit may carry, in characters: Kafka's, so that what fits here fits there. */
export const MAX_COMMIT_METADATA_LENGTH = 4000;

/** What a group has committed for a partition. */
export interface Committed {
  readonly offset: number;
  readonly metadata: string;
}

/**
 * Commits for an owner.
 *
 * @returns whether it was written: the fence is the one that the owner knows, and the group does not go back
 */
export function commit(
  connection: Connection,
  group: string,
  owned: { readonly topicId: number; readonly partition: number; readonly fence: number },
  { offset, metadata }: Committed,
): boolean {
  const written = connection.changes(
    `UPDATE positions SET committed = ?1, metadata = ?2, updated_at_ms = ?3
      WHERE group_name = ?4 AND topic_id = ?5 AND partition = ?6 AND fence = ?7 AND ifnull(committed, 0) <= ?1`,
    offset,
    metadata,
    Date.now(),
    group,
    owned.topicId,
    owned.partition,
    owned.fence,
  );
  return written > 0;
}

/** The fencing number of a partition; `undefined` if nobody of the group has ever had it. */
export function fenceOf(connection: Connection, group: string, topicId: number, partition: number): number | undefined {
  return connection.get<{ fence: number }>(
    "SELECT fence FROM positions WHERE group_name = ? AND topic_id = ? AND partition = ?",
    group,
    topicId,
    partition,
  )?.fence;
}

/** What a group has committed for a partition; `null` for nothing. */
export function committedOf(
  connection: Connection,
  group: string,
  topicId: number,
  partition: number,
): Committed | null {
  return connection.get<Committed>(
    `SELECT committed AS offset, metadata FROM positions
      WHERE group_name = ? AND topic_id = ? AND partition = ? AND committed IS NOT NULL`,
    group,
    topicId,
    partition,
  ) ?? null;
}

/** Sets what a group has committed, whoever owns the partition: that ownership ends, since its fence is no longer good. */
export function move(connection: Connection, group: string, topicId: number, to: Position): void {
  connection.run(
    `INSERT INTO positions (group_name, topic_id, partition, fence, committed, updated_at_ms) VALUES (?1, ?2, ?3, 1, ?4, ?5)
      ON CONFLICT DO UPDATE SET fence = fence + 1, committed = ?4, metadata = '', updated_at_ms = ?5`,
    group,
    topicId,
    to.partition,
    to.offset,
    Date.now(),
  );
}

/** A new owner of a topic: what earlier ones still send is no longer good. */
export function raiseFences(connection: Connection, group: string, topicId: number): void {
  connection.run(
    "UPDATE positions SET fence = fence + 1, updated_at_ms = ? WHERE group_name = ? AND topic_id = ?",
    Date.now(),
    group,
    topicId,
  );
}

/** Gives each partition of a topic its position, where it has none yet. */
export function createGroupOffsets(connection: Connection, group: string, topicId: number): void {
  connection.run(
    `INSERT OR IGNORE INTO positions (group_name, topic_id, partition, fence, updated_at_ms)
      SELECT ?, topic_id, partition, 1, ? FROM partitions WHERE topic_id = ?`,
    group,
    Date.now(),
    topicId,
  );
}

/** What a partition is called in a map. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${partition}/${topic}`;
}
