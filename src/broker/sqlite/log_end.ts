/** The ends of a partition: its first offset, and the offset of its next record. */
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
const SELECT_ENDS = `SELECT ${stored("low")}, ${stored("high")}, ${recorded("ASC")}, ${recorded("DESC")}
  FROM partitions p WHERE id = ?`;

/**
 * The ends of a partition; `undefined` if it does not exist. The partition's row counts where no record is left, or none
 * was ever written; else the records do, since an append does not update that row.
 */
export function endsOf(connection: Connection, partitionId: number): Ends | undefined {
  const row = connection.first<readonly [low: number, high: number, first: number | null, last: number | null]>(
    SELECT_ENDS,
    partitionId,
  );
  if (row === undefined) return undefined;
  const [low, high, first, last] = row;
  const end = last === null ? high : Math.max(high, last + 1);
  // A record that is there was not deleted, even if the row says so.
  return { low: Math.min(low, first ?? end), high: end };
}
