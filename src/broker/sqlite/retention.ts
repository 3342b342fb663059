/**
 * Retention: deletes records that are older than their topic's `retention.ms` and were performed by every group, so that
 * the file does not grow for ever. A record that some group has not performed is kept, however old it is. In a topic that
 * is compacted by key it deletes the tombstones that were read (an append deletes the superseded records itself).
 *
 * The consumer that owns a partition does it, now and then, beside its rounds, and in slices, since other processes want to
 * write. A group without a live consumer for a week does not hold records back while another one works: its offsets are
 * deleted, as on Kafka.
 */
import type { Monitor } from "../../monitor/monitor.ts";
import { type Connection, MAX_ROWS } from "./connection.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { COMMITTED } from "./group_offsets.ts";
import type { SqliteOwnership } from "./ownership.ts";
import { idOf, isIn, MAX_OFFSET, offsetIn } from "./record_id.ts";
import { findReadTombstones, removeTombstones } from "./tombstones.ts";
import { findTopic, type TopicSettings } from "./topics.ts";
import { turn } from "./wakeup.ts";

/** The time between two runs, in milliseconds: a quarter of the retention, within these bounds. */
const LEAST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** The longest time between two runs where a topic is compacted, in milliseconds. */
const COMPACTION_PAUSE_MS = 1000;

/** The time until a failed run is repeated, in milliseconds. */
const RETRY_AFTER_MS = 1000;

/** A group without a live consumer is forgotten after this time, in milliseconds. */
const FORGET_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/** The result of a slice: nothing to delete, all that was there, or as much as one slice may delete. */
type SliceResult = "none" | "some" | "full";

/** Deletes one slice of a partition, inside a transaction; a dry run only looks. */
type Slice = (connection: Connection, ownership: SqliteOwnership, isDryRun: boolean) => SliceResult;

/** Slices of a partition that are still to be deleted. */
interface Task {
  readonly ownership: SqliteOwnership;
  readonly slice: Slice;
}

/** The retention of the partitions that one consumer owns. */
export class Retention {
  readonly #file: DatabaseFile;
  readonly #monitor: Monitor;
  readonly #group: string;
  readonly #patience: Patience;
  #running: Promise<void> | null = null;
  #nextMs = 0;
  /** The message of the last failure: reported once. */
  #trouble: string | null = null;

  /** @param group the group of the consumer: it is not forgotten */
  constructor(file: DatabaseFile, monitor: Monitor, group: string, patience: Patience) {
    this.#file = file;
    this.#monitor = monitor;
    this.#group = group;
    this.#patience = patience;
  }

  /** Starts a run if it is time. It does not wait for its end. */
  run(owned: readonly SqliteOwnership[]): void {
    if (this.#running !== null || performance.now() < this.#nextMs) return;
    this.#nextMs = performance.now() + LONGEST_PAUSE_MS;
    this.#running = this.#delete(owned).then(() => this.#trouble = null, (error) => this.#report(error))
      .then(() => {
        this.#running = null;
      });
  }

  /** Resolves once no run is in progress. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #delete(owned: readonly SqliteOwnership[]): Promise<void> {
    let pauseMs = LONGEST_PAUSE_MS;
    let left: Task[] = [];
    for (const [topicId, ownerships] of Map.groupBy(owned, ({ topicId }) => topicId)) {
      const topic = await this.#file.read((connection) => findTopic(connection, ownerships[0]!.topic), this.#patience);
      if (topic === null) continue;
      const { settings } = topic;
      const slices = this.#slicesOf(settings);
      if (slices.length === 0) continue;
      pauseMs = Math.min(pauseMs, pauseOf(settings));
      await this.#file.write((connection) => forgetGroups(connection, this.#group, topicId), this.#patience);
      left.push(...ownerships.flatMap((ownership) => slices.map((slice) => ({ ownership, slice }))));
    }
    // One slice of each in turn: a partition with very many old records delays no other.
    while (left.length > 0) {
      const more: Task[] = [];
      for (const task of left) {
        if (await this.#deleteSlice(task)) more.push(task);
        await turn();
      }
      left = more;
    }
    this.#nextMs = performance.now() + pauseMs;
  }

  /** @returns whether there may be more */
  async #deleteSlice({ ownership, slice }: Task): Promise<boolean> {
    if (ownership.lost.aborted || this.#patience.signal?.aborted) return false;
    // Most of the time there is nothing to delete: then the write lock is not taken.
    const found = await this.#file.read((connection) => slice(connection, ownership, true), this.#patience);
    if (found === "none") return false;
    return await this.#file.write((connection) => slice(connection, ownership, false), this.#patience) === "full";
  }

  #slicesOf({ retentionMs, isCompacted, tombstoneRetentionMs }: TopicSettings): Slice[] {
    const slices: Slice[] = [];
    if (retentionMs !== null) slices.push((...args) => deleteOld(Date.now() - retentionMs, ...args));
    if (isCompacted) slices.push((...args) => deleteRead(this.#group, tombstoneRetentionMs, ...args));
    return slices;
  }

  #report(error: Error): void {
    this.#nextMs = performance.now() + RETRY_AFTER_MS;
    if (this.#patience.signal?.aborted || this.#trouble === error.message) return;
    this.#trouble = error.message;
    this.#monitor.reportError("retention", error);
  }
}

function pauseOf({ retentionMs, isCompacted }: TopicSettings): number {
  const pauseMs = Math.max((retentionMs ?? Infinity) / 4, LEAST_PAUSE_MS);
  return isCompacted ? Math.min(pauseMs, COMPACTION_PAUSE_MS) : pauseMs;
}

/** SQL for the first offset of partition `?1` that some group has not performed; `NULL` if there is no group. */
const PERFORMED = `(SELECT min(ifnull(${COMMITTED}, 0)) FROM group_offsets WHERE partition_id = ?1)`;

const SELECT_PERFORMED = `SELECT ${offsetIn("id")}, timestamp_ms < ?2 FROM records
  WHERE ${isIn("?1")} AND id < ${idOf("?1", `min(${PERFORMED}, ${MAX_OFFSET})`)} ORDER BY id LIMIT ${MAX_ROWS}`;

const DELETE_UP_TO = `DELETE FROM records WHERE id BETWEEN ${idOf("?1", "0")} AND ${idOf("?1", "?2")}`;

/** Deletes the records at the start of a partition that are performed, and older than a time. */
function deleteOld(beforeMs: number, ...[connection, { partitionId }, isDryRun]: Parameters<Slice>): SliceResult {
  const rows = connection.all<readonly [offset: number, isOld: number]>(SELECT_PERFORMED, partitionId, beforeMs);
  const kept = rows.findIndex(([, isOld]) => isOld === 0);
  const last = kept === -1 ? rows.at(-1) : rows[kept - 1];
  if (last === undefined) return "none";
  if (!isDryRun) {
    const low = last[0] + 1;
    connection.run(DELETE_UP_TO, partitionId, last[0]);
    connection.run("UPDATE partitions SET low = max(low, ?1), high = max(high, ?1) WHERE id = ?2", low, partitionId);
  }
  return kept === -1 && rows.length === MAX_ROWS ? "full" : "some";
}

/** Deletes tombstones that the owner has read. */
function deleteRead(
  group: string,
  retentionMs: number,
  ...[connection, { partitionId, position }, isDryRun]: Parameters<Slice>
): SliceResult {
  const offsets = findReadTombstones(connection, { partitionId, group, position, retentionMs });
  if (offsets.length === 0) return "none";
  if (!isDryRun) removeTombstones(connection, partitionId, offsets);
  return offsets.length === MAX_ROWS ? "full" : "some";
}

function forgetGroups(connection: Connection, group: string, topicId: number): void {
  // A group that has a member may be live, whatever the clock says: it may just have been set forth.
  connection.run(
    `DELETE FROM group_offsets WHERE group_name <> ?2 AND updated_at_ms < ?3
      AND partition_id IN (SELECT id FROM partitions WHERE topic_id = ?1) AND NOT EXISTS (
        SELECT 1 FROM members m WHERE m.group_name = group_offsets.group_name
      )`,
    topicId,
    group,
    Date.now() - FORGET_AFTER_MS,
  );
}
