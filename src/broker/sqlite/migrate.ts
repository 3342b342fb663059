/**
 * Migrates a file of an older version, inside one transaction: records, committed offsets with their metadata, fences and
 * leases stay what they were.
 *
 * Version 1 (0.1.0) had records as a tree of whole rows, found by topic, partition and offset, and one lease a topic.
 * Version 2 had leases with a time of their own, and no members. Their owner becomes a member without topics, whose session
 * ends with its lease.
 *
 * Version 3 had the tombstones in the order of their times, and version 4 the keys by their beginnings: both have other indexes.
 */
import { BrokerError } from "../../errors.ts";
import type { Connection } from "./connection.ts";
import { isRefusedByTable } from "./failures.ts";
import { idOf, MAX_OFFSET } from "./record_id.ts";
import { createGroupTables, createTables, endOf, replaceIndexes } from "./tables.ts";

const OLD_TABLES = ["topics", "partitions", "records", "positions", "leases"];

const IS_COMPACTED = `iif(json_valid(config), json_extract(config, '$."cleanup.policy"') LIKE '%compact%', 0)`;

/** The statements that copy the old tables into the new ones, in this order. */
const COPIES = [
  "INSERT INTO topics (id, name, config) SELECT id, name, config FROM old_topics",
  `UPDATE sqlite_sequence SET seq = max(seq, (SELECT seq FROM sqlite_sequence WHERE name = 'old_topics'))
    WHERE name = 'topics'`,
  `INSERT INTO partitions (topic_id, partition, low, high)
    SELECT topic_id, partition, low, high FROM old_partitions ORDER BY topic_id, partition`,
  `INSERT INTO records (id, timestamp_ms, is_compacted, key, headers, value)
    SELECT ${idOf("p.id", "r.offset")}, r.timestamp_ms, iif(${IS_COMPACTED} AND key IS NOT NULL, 1, NULL), key, headers,
        value
      FROM old_records r JOIN partitions p USING (topic_id, partition) JOIN topics t ON t.id = topic_id`,
  `DELETE FROM records WHERE is_compacted = 1 AND EXISTS (
    SELECT 1 FROM records newer WHERE newer.is_compacted = 1 AND newer.partition_id = records.partition_id
      AND ${endOf("newer.key")} = ${endOf("records.key")} AND CAST(newer.key AS BLOB) = CAST(records.key AS BLOB)
      AND newer.id > records.id)`,
  `INSERT INTO group_offsets (group_name, partition_id, fence, committed, metadata, updated_at_ms)
    SELECT group_name, p.id, fence, committed, metadata, updated_at_ms
      FROM old_positions JOIN partitions p USING (topic_id, partition)`,
  `INSERT INTO leases (group_name, partition_id, owner)
    SELECT group_name, p.id, owner FROM old_leases JOIN partitions p USING (topic_id)`,
];

const COPY_OWNERS = `INSERT INTO members (group_name, id, topics, expires_at_ms, session_ms)
  SELECT group_name, owner, '[]', max(expires_at_ms), max(session_ms) FROM old_leases GROUP BY group_name, owner`;

/**
 * Migrates the tables, inside a transaction.
 *
 * @param version the version of the file
 * @throws {BrokerError} if the file has something that the new version cannot store: the caller rolls back
 */
export function migrate(connection: Connection, path: string, version: number): void {
  try {
    if (version < 2) return migrateFirst(connection);
    if (version < 3) migrateLeases(connection);
    replaceIndexes(connection);
  } catch (error) {
    if (!(error instanceof BrokerError) && !isRefusedByTable(error)) throw error;
    throw new BrokerError(
      `Cannot migrate "${path}" from version ${version} of the tables: ${
        (error as Error).message
      }; nothing was changed. ` +
        "Perform what is in it with the version of @activejob/kafka that made it, then start with a new file",
      { cause: error },
    );
  }
}

function migrateFirst(connection: Connection): void {
  connection.run("DROP TRIGGER topic_deleted");
  for (const table of OLD_TABLES) connection.run(`ALTER TABLE ${table} RENAME TO old_${table}`);
  createTables(connection);
  refuseUnstorable(connection);
  for (const copy of COPIES) connection.run(copy);
  connection.run(COPY_OWNERS);
  for (const table of OLD_TABLES) connection.run(`DROP TABLE old_${table}`);
}

function migrateLeases(connection: Connection): void {
  connection.run("DROP TRIGGER partition_deleted");
  connection.run("ALTER TABLE leases RENAME TO old_leases");
  createGroupTables(connection);
  connection.run(
    "INSERT INTO leases (group_name, partition_id, owner) SELECT group_name, partition_id, owner FROM old_leases",
  );
  connection.run(COPY_OWNERS);
  connection.run("DROP TABLE old_leases");
}

function refuseUnstorable(connection: Connection): void {
  const offsets = `typeof(offset) <> 'integer' OR offset NOT BETWEEN 0 AND ${MAX_OFFSET}`;
  const [row] = connection.all<readonly [topic: string, partition: string, offset: string]>(
    `SELECT name, CAST(partition AS TEXT), CAST(offset AS TEXT) FROM old_records JOIN old_topics ON id = topic_id
      WHERE ${offsets} LIMIT 1`,
  );
  if (row === undefined) return;
  const [topic, partition, offset] = row;
  throw new BrokerError(
    `partition ${partition} of topic "${topic}" has offset ${offset}, but offsets end at ${MAX_OFFSET}`,
  );
}
