/**
 * Opens the file: creates or migrates its tables, and refuses what is not ours. A file is ours if its header says so; one
 * of a newer version, or of another program, is left unchanged.
 */
import { BrokerError } from "../../errors.ts";
import { Connection } from "./connection.ts";
import { isBusy } from "./failures.ts";
import { migrate } from "./migrate.ts";
import { createTables, VERSION } from "./tables.ts";

/** `"ajkf"` in the file's header. */
const APPLICATION_ID = 0x616a6b66;

/**
 * The WAL file is cut back to this after a burst, in bytes. It is also written back only once it has so many: with a quarter of
 * it, SQLite's default, delayed jobs are released a fifth slower (measured), since each page is written more often.
 */
const WAL_LIMIT_BYTES = 16 * 1024 * 1024;
const PAGE_BYTES = 4096;

/** The header of a file. */
interface Header {
  readonly application_id: number;
  readonly user_version: number;
  /** The number of tables, indexes and everything else that has a name. */
  readonly tables: number;
}

/** The state of the tables in a file that is ours or empty: an older version as its number. */
type State = "current" | number | "empty";

/**
 * Opens a file of ours; creates it if there is none, and migrates it if it is of an older version.
 *
 * @param path its absolute path
 * @throws SQLite's error if the file is busy, or is read-only
 * @throws {BrokerError} if it cannot be opened, is not ours, or is of a newer version
 */
export function open(path: string): Connection {
  const connection = new Connection(path);
  try {
    prepare(connection, path);
    connection.watchFiles();
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function prepare(connection: Connection, path: string): void {
  // First of all: another program's file must not be changed, not even its journal mode.
  const state = stateOf(connection, path);
  const { journal_mode } = connection.get<{ journal_mode: string }>("PRAGMA journal_mode = WAL")!;
  if (journal_mode !== "wal") {
    throw new BrokerError(
      `Cannot open "${path}": its journal mode is "${journal_mode}" and must be "wal", which requires a local disk`,
    );
  }
  connection.run("PRAGMA synchronous = NORMAL");
  connection.run(`PRAGMA journal_size_limit = ${WAL_LIMIT_BYTES}`);
  connection.run(`PRAGMA wal_autocheckpoint = ${WAL_LIMIT_BYTES / PAGE_BYTES}`);
  if (state === "current") return assertWritable(connection);
  connection.write(() => {
    // Checked again under the lock: another process may have created or migrated the tables.
    const state = stateOf(connection, path);
    if (state === "current") return;
    if (state === "empty") createTables(connection);
    else migrate(connection, path, state);
    connection.run(`PRAGMA application_id = ${APPLICATION_ID}`);
    connection.run(`PRAGMA user_version = ${VERSION}`);
  }, "durable");
}

/** SQLite opens a read-only file without an error and fails at the first write. A busy file is checked by that write. */
function assertWritable(connection: Connection): void {
  try {
    connection.run("DELETE FROM topics WHERE false");
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}

/**
 * Reads the state of the tables. It changes nothing.
 *
 * @throws {BrokerError} if the file is another program's, or of a newer version
 */
function stateOf(connection: Connection, path: string): State {
  // One statement sees one state: other processes may be creating the tables.
  const { application_id, user_version, tables } = connection.get<Header>(
    `SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema) AS tables
      FROM pragma_application_id, pragma_user_version`,
  )!;
  if (application_id === APPLICATION_ID) {
    if (user_version === VERSION) return "current";
    if (user_version < VERSION) return user_version;
    throw new BrokerError(
      `Cannot open "${path}": it has version ${user_version} of the tables, but this version of @activejob/kafka ` +
        `knows them up to ${VERSION}; update it in every process that uses the file`,
    );
  }
  if (tables === 0 && user_version === 0 && application_id === 0) return "empty";
  throw new BrokerError(
    `Cannot open "${path}": it is an SQLite database of something else (it has ${tables} tables and indexes that ` +
      "@activejob/kafka did not make), and must be a file of its own",
  );
}
