/**
 * The baseline for the library on SQLite: `node:sqlite` by hand, as a queue that is written for nothing but speed. The
 * table has an integer key and text columns, the statements are prepared once, the log is a WAL.
 */
import { DatabaseSync } from "node:sqlite";

/** Writes one job. */
export const INSERT = "INSERT INTO jobs (key, value, enqueued_at_ms) VALUES (?, ?, ?)";

/** A job in the file. */
export interface BareRow {
  /** In the order of writing, from 1. */
  readonly id: number;
  /** The key. */
  readonly key: string;
  /** The envelope. */
  readonly value: string;
}

/**
 * Opens a file of bare jobs, and makes it if there is none.
 *
 * @param synchronous `"FULL"`: a transaction is on the disk when it is over
 */
export function openBare(path: string, synchronous: "NORMAL" | "FULL" = "NORMAL"): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${synchronous};
    CREATE TABLE IF NOT EXISTS jobs (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL, enqueued_at_ms INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS positions (name TEXT PRIMARY KEY, committed INTEGER NOT NULL);
  `);
  return database;
}

/** Returns a function that writes jobs as one transaction. */
export function bareWriter(database: DatabaseSync): (jobs: readonly Omit<BareRow, "id">[]) => void {
  const begin = database.prepare("BEGIN IMMEDIATE");
  const insert = database.prepare(INSERT);
  const commit = database.prepare("COMMIT");
  return (jobs) => {
    begin.run();
    for (const { key, value } of jobs) insert.run(key, value, Date.now());
    commit.run();
  };
}
