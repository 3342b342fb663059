/** The ends of a partition: its first offset, and the offset of its next record. */
import type { PartitionEnds } from "../admin.ts";
import type { Connection } from "./connection.ts";
import { isIn, MAX_OFFSET, offsetIn } from "./record_id.ts";

/** The first and the next offset of a partition. */
export interface Ends {
  /** The first offset that is still there. */
  readonly low: number;
  /** The offset of the next record. */
  readonly high: number;
}

/** SQL for a stored offset of `partitions`: one that cannot be counts as 0. */
const stored = (column: string) => `iif(${column} BETWEEN 0 AND ${MAX_OFFSET + 1}, ${column}, 0)`;

/** SQL for the first or the last offset of the records of `p`, `NULL` if there is none. */
const recorded = (order: "ASC" | "DESC") =>
  `(SELECT ${offsetIn("r.id")} FROM records r WHERE ${isIn("p.id", "r.id")} ORDER BY r.id ${order} LIMIT 1)`;

// Built once: statements are found by their text.
const COLUMNS = `${stored("low")}, ${stored("high")}, ${recorded("ASC")}, ${recorded("DESC")}`;
const SELECT_ENDS = `SELECT ${COLUMNS} FROM partitions p WHERE id = ?`;
const SELECT_ALL_ENDS = `SELECT name, partition, ${COLUMNS} FROM topics t JOIN partitions p ON p.topic_id = t.id
  WHERE name IN (SELECT value FROM json_each(?)) ORDER BY t.id, partition`;

type Row = readonly [low: number, high: number, first: number | null, last: number | null];

/**
 * The ends of a partition; `undefined` if it does not exist. The partition's row counts where no record is left, or none
 * was ever written; else the records do, since an append does not update that row.
 */
export function endsOf(connection: Connection, partitionId: number): Ends | undefined {
  const row = connection.first<Row>(SELECT_ENDS, partitionId);
  return row === undefined ? undefined : readEnds(row);
}

/** The ends of every partition of some topics, by topic and in order. A topic that does not exist has no entry. */
export function endsOfAll(connection: Connection, topics: readonly string[]): Map<string, PartitionEnds[]> {
  const found = new Map<string, PartitionEnds[]>();
  const rows = connection.all<readonly [topic: string, partition: number, ...Row]>(
    SELECT_ALL_ENDS,
    JSON.stringify(topics),
  );
  for (const [topic, partition, ...row] of rows) {
    let ends = found.get(topic);
    if (ends === undefined) found.set(topic, ends = []);
    ends.push({ partition, ...readEnds(row) });
  }
  return found;
}

function readEnds([low, high, first, last]: Row): Ends {
  const end = last === null ? high : Math.max(high, last + 1);
  // A record that is there was not deleted, even if the row says so.
  return { low: Math.min(low, first ?? end), high: end };
}
