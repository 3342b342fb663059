/** The first records of many partitions, each from a position on, with one statement. */
import type { Position } from "../../support/position.ts";
import type { ListedHead } from "../admin.ts";
import type { Connection } from "./connection.ts";
import { endsOf } from "./log_end.ts";
import { idOf, MAX_OFFSET, offsetIn } from "./record_id.ts";
import { timeIn } from "./records.ts";

const WANTED = (name: string) => `json_extract(w.value, '$.${name}')`;
const FIRST = `(SELECT id FROM records WHERE id BETWEEN ${idOf("p.id", `max(${WANTED("offset")}, 0)`)}
  AND ${idOf("p.id", String(MAX_OFFSET))} ORDER BY id LIMIT 1)`;
// Built once: statements are found by their text.
const SELECT = `SELECT w.key, p.id, ${offsetIn("r.id")}, ${timeIn("r.timestamp_ms")} FROM json_each(?) w
  JOIN topics t ON t.name = ${WANTED("topic")}
  JOIN partitions p ON p.topic_id = t.id AND p.partition = ${WANTED("partition")}
  LEFT JOIN records r ON r.id = ${FIRST}`;

type Row = readonly [index: number, partitionId: number, offset: number | null, timestampMs: number | null];

/** Returns the first record from each position on; `null` for a partition that does not exist. */
export function headsOf(connection: Connection, positions: readonly Position[]): (ListedHead | null)[] {
  const heads = Array<ListedHead | null>(positions.length).fill(null);
  for (const [index, id, offset, timestampMs] of connection.all<Row>(SELECT, JSON.stringify(positions))) {
    heads[index] = offset === null
      ? { offset: Math.max(positions[index]!.offset, endsOf(connection, id)!.high), timestampMs: null }
      : { offset, timestampMs };
  }
  return heads;
}
