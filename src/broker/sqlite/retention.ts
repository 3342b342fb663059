/**
 * Retention: records that every group has performed are deleted once they are older than their topic says, so that the
 * file stays as large as it must be. What no group has performed is kept, however old it is.
 *
 * The consumer that holds a topic does it, now and then, beside its rounds, and in slices, since others want to write.
 * A group in which nobody has worked for a week does not hold records back while another one works: Kafka forgets it, too.
 */
import { turn } from "./wakeup.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseFile, Patience } from "./file.ts";
import { MAX_ROWS } from "./records.ts";
import type { SqliteOwnership } from "./ownership.ts";
import { findTopic } from "./topics.ts";

/** How often it looks, in milliseconds: a quarter of the retention, within these bounds. */
const LEAST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

const FORGET_AFTER_MS = 7 * 24 * 60 * 60 * 1000;

/** A partition that is to be cleaned, and how long it keeps its records, in milliseconds. */
interface Task {
  readonly ownership: SqliteOwnership;
  readonly retentionMs: number;
}

/** See the module. */
export class Retention {
  readonly #file: DatabaseFile;
  readonly #group: string;
  readonly #patience: Patience;
  #running: Promise<void> | null = null;
  #nextMs = 0;

  /** @param group the group that works, and is not forgotten */
  constructor(file: DatabaseFile, group: string, patience: Patience) {
    this.#file = file;
    this.#group = group;
    this.#patience = patience;
  }

  /** Cleans up, if it is time. It does not wait. */
  run(owned: readonly SqliteOwnership[]): void {
    if (this.#running !== null || performance.now() < this.#nextMs) return;
    // What cannot be deleted now can be deleted later.
    this.#nextMs = performance.now() + LONGEST_PAUSE_MS;
    this.#running = this.#clean(owned).catch(() => {}).finally(() => this.#running = null);
  }

  /** Resolves once it does nothing. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #clean(owned: readonly SqliteOwnership[]): Promise<void> {
    let pauseMs = LONGEST_PAUSE_MS;
    let left: Task[] = [];
    for (const [topicId, [first, ...others]] of Map.groupBy(owned, ({ topicId }) => topicId)) {
      const retentionMs = await this.#file.read((connection) => retentionOf(connection, first!.topic), this.#patience);
      if (retentionMs === null) continue;
      pauseMs = Math.min(pauseMs, Math.max(retentionMs / 4, LEAST_PAUSE_MS));
      await this.#file.write((connection) => forgetGroups(connection, this.#group, topicId), this.#patience);
      left.push(...[first!, ...others].map((ownership) => ({ ownership, retentionMs })));
    }
    // One slice of each in turn: a partition of which there is always more holds up no other.
    while (left.length > 0) {
      const more: Task[] = [];
      for (const task of left) {
        if (await this.#slice(task)) more.push(task);
        await turn();
      }
      left = more;
    }
    this.#nextMs = performance.now() + pauseMs;
  }

  /** @returns whether there may be more */
  async #slice({ ownership: { topicId, partition, lost }, retentionMs }: Task): Promise<boolean> {
    if (lost.aborted || this.#patience.signal?.aborted) return false;
    const beforeMs = Date.now() - retentionMs;
    const slice = (connection: Connection) => sliceOf(connection, topicId, partition, beforeMs);
    // The write lock is not for nothing.
    if ((await this.#file.read(slice, this.#patience)).until === null) return false;
    return await this.#file.write((connection) => {
      const { until, isFull } = slice(connection);
      if (until !== null) deleteBefore(connection, topicId, partition, until);
      return isFull;
    }, this.#patience);
  }
}

/** Takes away the records before an offset, inside of a transaction. */
function deleteBefore(connection: Connection, topicId: number, partition: number, offset: number): void {
  connection.run("DELETE FROM records WHERE topic_id = ? AND partition = ? AND offset < ?", topicId, partition, offset);
  connection.run(
    "UPDATE partitions SET low = max(low, ?1), high = max(high, ?1) WHERE topic_id = ?2 AND partition = ?3",
    offset,
    topicId,
    partition,
  );
}

/** The offset before which the next slice of records may go, `null` if none may; and whether it is a whole one. */
function sliceOf(
  connection: Connection,
  topicId: number,
  partition: number,
  beforeMs: number,
): { readonly until: number | null; readonly isFull: boolean } {
  const rows = connection.all<readonly [offset: number, timestampMs: number]>(
    `SELECT offset, timestamp_ms FROM records WHERE topic_id = ?1 AND partition = ?2 AND offset < (
        SELECT min(ifnull(committed, 0)) FROM positions WHERE topic_id = ?1 AND partition = ?2
      ) ORDER BY offset LIMIT ${MAX_ROWS}`,
    topicId,
    partition,
  );
  const kept = rows.findIndex(([, timestampMs]) => timestampMs >= beforeMs);
  const last = kept === -1 ? rows.at(-1) : rows[kept - 1];
  return { until: last === undefined ? null : last[0] + 1, isFull: kept === -1 && rows.length === MAX_ROWS };
}

function forgetGroups(connection: Connection, group: string, topicId: number): void {
  // A group that has a lease may be alive, whatever the clock says: it may just have been set forth.
  connection.run(
    `DELETE FROM positions WHERE topic_id = ?1 AND group_name <> ?2 AND updated_at_ms < ?3 AND NOT EXISTS (
        SELECT 1 FROM leases l WHERE l.group_name = positions.group_name AND l.topic_id = ?1
      )`,
    topicId,
    group,
    Date.now() - FORGET_AFTER_MS,
  );
}

/** How long a topic keeps its records, in milliseconds; `null` for ever. */
function retentionOf(connection: Connection, name: string): number | null {
  const retentionMs = Number(findTopic(connection, name)?.config.get("retention.ms") ?? -1);
  return retentionMs >= 0 ? retentionMs : null;
}
