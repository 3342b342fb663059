/**
 * What is in the file. A file is ours if it says so in its header; one of a newer version, or of somebody else, is left as
 * it is.
 *
 *     topics ─┬─ partitions ── records          what was appended
 *             └─ positions, leases              by group: what is committed, and who may commit
 *
 * `positions.fence` is the fencing number: whoever takes a partition over raises it, and a commit names the one that it
 * knows. A topic that is deleted and made anew has another id, so that nothing of the old one can be taken for the new.
 */
import { BrokerError } from "../../errors.ts";
import { Connection } from "./connection.ts";
import { isBusy } from "./failures.ts";

/** `"ajkf"` in the file's header. */
const APPLICATION_ID = 0x616a6b66;

/** Counts the changes of what is below. */
const VERSION = 1;

const TABLES = [
  `CREATE TABLE topics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    config TEXT NOT NULL
  )`,
  `CREATE TABLE partitions (
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    low INTEGER NOT NULL DEFAULT 0,
    high INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (topic_id, partition)
  ) WITHOUT ROWID`,
  `CREATE TABLE records (
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    timestamp_ms INTEGER NOT NULL,
    key BLOB, -- a text or bytes, and so is value
    value BLOB,
    headers TEXT,
    PRIMARY KEY (topic_id, partition, offset)
  ) WITHOUT ROWID`,
  `CREATE TABLE positions (
    group_name TEXT NOT NULL,
    topic_id INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    committed INTEGER,
    metadata TEXT NOT NULL DEFAULT '',
    updated_at_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id, partition)
  ) WITHOUT ROWID`,
  `CREATE TABLE leases (
    group_name TEXT NOT NULL,
    topic_id INTEGER NOT NULL,
    owner TEXT NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    session_ms INTEGER NOT NULL,
    PRIMARY KEY (group_name, topic_id)
  ) WITHOUT ROWID`,
  `CREATE TRIGGER topic_deleted AFTER DELETE ON topics BEGIN
    DELETE FROM partitions WHERE topic_id = OLD.id;
    DELETE FROM records WHERE topic_id = OLD.id;
    DELETE FROM positions WHERE topic_id = OLD.id;
    DELETE FROM leases WHERE topic_id = OLD.id;
  END`,
];

/** The WAL file is cut back to this after a burst, in bytes. */
const WAL_LIMIT_BYTES = 16 * 1024 * 1024;

/** What a file says of itself. */
interface Header {
  readonly application_id: number;
  readonly user_version: number;
  /** Tables, indexes and whatever else has a name in it. */
  readonly tables: number;
}

/**
 * Opens a file of ours, and makes it if there is none.
 *
 * @param path its absolute path
 * @throws SQLite's error where the file is busy just now, or may only be read
 * @throws {BrokerError} if it cannot be opened, or is not ours
 */
export function open(path: string): Connection {
  const connection = new Connection(path);
  try {
    prepare(connection, path);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function prepare(connection: Connection, path: string): void {
  // Before anything is changed: it may be somebody else's file.
  const isNew = needsTables(connection, path);
  const { journal_mode } = connection.get<{ journal_mode: string }>("PRAGMA journal_mode = WAL")!;
  if (journal_mode !== "wal") {
    throw new BrokerError(
      `Cannot open "${path}": its journal mode is "${journal_mode}", and must be "wal", which takes a local disk`,
    );
  }
  connection.run("PRAGMA synchronous = NORMAL");
  connection.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
  if (!isNew) return assertWritable(connection);
  // Asked again inside: another process may have made them meanwhile.
  connection.write(() => {
    if (needsTables(connection, path)) makeTables(connection);
  }, "durable");
}

/** SQLite opens also what it may only read, and says so at the first write. Whoever cannot have the lock now learns it then. */
function assertWritable(connection: Connection): void {
  try {
    connection.run("DELETE FROM topics WHERE false");
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}

/**
 * Looks whether the file is ours, or empty. It changes nothing.
 *
 * @returns whether the tables are still to be made
 * @throws {BrokerError} if it is neither
 */
function needsTables(connection: Connection, path: string): boolean {
  // One statement sees one state: others may be making the tables.
  const { application_id, user_version, tables } = connection.get<Header>(
    `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) AS tables
      FROM pragma_application_id, pragma_user_version`,
  )!;
  if (application_id === APPLICATION_ID) {
    if (user_version <= VERSION) return false;
    throw new BrokerError(
      `Cannot open "${path}": it has version ${user_version} of the tables, but this version of @activejob/kafka ` +
        `knows them up to ${VERSION}; update it in every process that uses the file`,
    );
  }
  if (tables === 0 && user_version === 0 && application_id === 0) return true;
  throw new BrokerError(
    `Cannot open "${path}": it is an SQLite database of something else (it has ${tables} tables and indexes that ` +
      "@activejob/kafka did not make), and must be a file of its own",
  );
}

/** Makes the tables, inside of a transaction. */
function makeTables(connection: Connection): void {
  for (const table of TABLES) connection.run(table);
  connection.run(`PRAGMA application_id = ${APPLICATION_ID}`);
  connection.run(`PRAGMA user_version = ${VERSION}`);
}
