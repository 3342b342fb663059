/**
 * The tables of the file, version 5.
 *
 *     topics ── partitions ─┬─ records           what was appended
 *                           ├─ group_offsets     by group: committed offset, and the fence that guards it
 *                           └─ leases            by group: the member that owns the partition
 *     members                                    by group: the consumers, and until when each of them is live
 *     assignment_version                         a number that triggers raise when an assignment may have changed
 *
 * Topic ids and partition ids are never used again, so that nothing of a deleted topic can be taken for a new one of the
 * same name. `partition_id` and `offset` of a record are computed from its id (see `record_id.ts`) and cost no space.
 * Records of topics that are compacted by key have `is_compacted = 1`; only those are in the two indexes.
 *
 * A lease is valid as long as its owner is a member, and only the row of the member is written at a heartbeat. Heartbeats,
 * appends and commits do not raise `assignment_version`, so that a consumer reads members and leases only if they changed.
 */
import type { Connection } from "./connection.ts";
import { isIn, MAX_PARTITION_ID, offsetIn, partitionIdIn } from "./record_id.ts";

/** The version of the tables below. */
export const VERSION = 5;

/** SQL for the last bytes of a key. SQLite takes those of an empty one for `NULL`. */
export const endOf = (key: string): string => `ifnull(substr(CAST(${key} AS BLOB), -8), x'')`;

/**
 * Keys are compared as bytes: for SQLite a text never equals a blob. Their ends come first: those of delayed jobs have a counter
 * there, so that jobs that are enqueued together are beside each other in the index, not on a page each.
 */
const KEYS = `CREATE INDEX compacted_keys ON records (partition_id, ${
  endOf("key")
}, CAST(key AS BLOB)) WHERE is_compacted = 1`;

/** As each index, it has the id behind its columns: the tombstones of a partition are found in the order of their offsets. */
const TOMBSTONES = "CREATE INDEX tombstones ON records (partition_id) WHERE is_compacted = 1 AND value IS NULL";

const LOG_STATEMENTS = [
  `CREATE TABLE topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    config TEXT NOT NULL -- a JSON object of strings, by Kafka's names
  ) STRICT`,
  `CREATE TABLE partitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id BETWEEN 1 AND ${MAX_PARTITION_ID}),
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL CHECK (partition >= 0),
    low INTEGER NOT NULL DEFAULT 0,
    high INTEGER NOT NULL DEFAULT 0,
    UNIQUE (topic_id, partition)
  ) STRICT`,
  // The value comes last: reading the other columns of a large record then touches one page.
  `CREATE TABLE records (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    timestamp_ms INTEGER NOT NULL,
    is_compacted INTEGER,
    key ANY, -- text or bytes, and so is value
    headers TEXT,
    value ANY,
    partition_id INTEGER GENERATED ALWAYS AS ${partitionIdIn("id")} VIRTUAL,
    "offset" INTEGER GENERATED ALWAYS AS ${offsetIn("id")} VIRTUAL
  ) STRICT`,
  KEYS,
  TOMBSTONES,
  `CREATE TABLE group_offsets (
    group_name TEXT NOT NULL,
    partition_id INTEGER NOT NULL,
    fence INTEGER NOT NULL, -- each new owner raises it, and a commit names the one that its owner knows
    committed INTEGER,
    metadata TEXT NOT NULL DEFAULT '',
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, partition_id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TRIGGER topic_deleted AFTER DELETE ON topics BEGIN
    DELETE FROM partitions WHERE topic_id = OLD.id;
  END`,
];

const RAISE_VERSION = "BEGIN UPDATE assignment_version SET version = version + 1; END";

const GROUP_STATEMENTS = [
  `CREATE TABLE members (
    group_name TEXT NOT NULL,
    id TEXT NOT NULL,
    topics TEXT NOT NULL, -- a JSON array of names
    expires_at_ms INTEGER NOT NULL,
    session_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, id)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE leases (
    group_name TEXT NOT NULL,
    partition_id INTEGER NOT NULL,
    owner TEXT NOT NULL, -- the id of a member
    wanted_by TEXT, -- the id of the member to which the owner hands it over
    PRIMARY KEY (group_name, partition_id)
  ) STRICT, WITHOUT ROWID`,
  "CREATE TABLE assignment_version (version INTEGER NOT NULL) STRICT",
  "INSERT INTO assignment_version VALUES (0)",
  `CREATE TRIGGER partition_deleted AFTER DELETE ON partitions BEGIN
    DELETE FROM records WHERE ${isIn("OLD.id")};
    DELETE FROM group_offsets WHERE partition_id = OLD.id;
    DELETE FROM leases WHERE partition_id = OLD.id;
    UPDATE assignment_version SET version = version + 1;
  END`,
  `CREATE TRIGGER partition_created AFTER INSERT ON partitions ${RAISE_VERSION}`,
  `CREATE TRIGGER member_joined AFTER INSERT ON members ${RAISE_VERSION}`,
  `CREATE TRIGGER member_left AFTER DELETE ON members ${RAISE_VERSION}`,
  `CREATE TRIGGER lease_taken AFTER INSERT ON leases ${RAISE_VERSION}`,
  `CREATE TRIGGER lease_moved AFTER UPDATE OF owner, wanted_by ON leases ${RAISE_VERSION}`,
  `CREATE TRIGGER lease_released AFTER DELETE ON leases ${RAISE_VERSION}`,
  `CREATE TRIGGER fence_raised AFTER UPDATE OF fence ON group_offsets ${RAISE_VERSION}`,
  `CREATE TRIGGER offsets_deleted AFTER DELETE ON group_offsets ${RAISE_VERSION}`,
];

/** Creates the tables, inside a transaction. */
export function createTables(connection: Connection): void {
  for (const statement of LOG_STATEMENTS) connection.run(statement);
  createGroupTables(connection);
}

/** Creates the tables of members and leases, inside a transaction. */
export function createGroupTables(connection: Connection): void {
  for (const statement of GROUP_STATEMENTS) connection.run(statement);
}

/** Makes both indexes again, inside a transaction. */
export function replaceIndexes(connection: Connection): void {
  connection.run("DROP INDEX compacted_keys");
  connection.run(KEYS);
  connection.run("DROP INDEX tombstones");
  connection.run(TOMBSTONES);
}
