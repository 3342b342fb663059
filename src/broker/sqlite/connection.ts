/**
 * One connection to the file: statements that are prepared once, and transactions that run within one turn of the event
 * loop. No call waits: where another process holds a lock, SQLite's own waiting would sleep inside the call and hold every
 * job of this process, so a call that finds the file busy throws at once, and who can wait asks again.
 *
 * It lives until it is closed.
 */
import { statSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { notOpened, sqliteError } from "./failures.ts";

/** How far a transaction has got when it returns: in the file, or through the disk's cache as well. */
export type Durability = "buffered" | "durable";

/** What Deno's types leave out. */
interface ListStatement extends StatementSync {
  setReturnArrays(enabled: boolean): void;
}

/** See the module. */
export class Connection {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Those that answer arrays. */
  readonly #lists = new Map<string, StatementSync>();
  readonly #file: number | undefined;
  #synchronous: Durability = "buffered";

  /**
   * Opens the file, and makes it if there is none.
   *
   * @param path its absolute path
   * @throws SQLite's error where the file is busy just now
   * @throws {SqliteError} if it cannot be opened
   */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#database = new DatabaseSync(path, { timeout: 0 });
    } catch (error) {
      throw notOpened(path, error);
    }
    this.#file = inode(path);
  }

  /** The first row that a statement answers. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** Every row, each an array of its columns: an object costs more than all the rest of reading it. */
  all<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row[] {
    let statement = this.#lists.get(sql);
    if (statement === undefined) {
      this.#lists.set(sql, statement = this.#database.prepare(sql));
      (statement as ListStatement).setReturnArrays(true);
    }
    return statement.all(...values) as unknown[] as Row[];
  }

  /** Runs a statement that answers nothing. Not by `run()`, whose report costs a fifth of an insert. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).get(...values);
  }

  /** Runs a statement, and answers how many rows it changed. */
  changes(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /**
   * Runs a step as one transaction that may write. It takes the write lock first: a transaction that reads and then wants
   * to write could only fail where another one wrote in between.
   *
   * @throws SQLite's error where another process is writing: nothing has happened then
   * @throws {SqliteError} if it failed; nothing of it is in the file, unless it says `"unknown"`
   */
  write<T>(step: () => T, durability: Durability): T {
    this.#syncAs(durability);
    this.run("BEGIN IMMEDIATE");
    let committing = false;
    try {
      const result = step();
      committing = true;
      this.run("COMMIT");
      return result;
    } catch (error) {
      // A full disk has ended it already.
      if (this.#database.isTransaction) this.run("ROLLBACK");
      throw sqliteError(`Cannot write to "${this.#path}"`, error, committing ? "unknown" : "no");
    }
  }

  /** A number that another one follows whenever another connection has written. */
  version(): number {
    return this.get<{ data_version: number }>("PRAGMA data_version")!.data_version;
  }

  /** Whether the path still leads to the file that was opened: who deletes it takes the records of others away. */
  isSameFile(): boolean {
    return this.#file !== undefined && inode(this.#path) === this.#file;
  }

  /** Closes it. */
  close(): void {
    this.#statements.clear();
    this.#lists.clear();
    this.#database.close();
  }

  /** A transaction syncs as it is told before it begins. */
  #syncAs(durability: Durability): void {
    if (durability === this.#synchronous) return;
    this.run(`PRAGMA synchronous = ${durability === "durable" ? "FULL" : "NORMAL"}`);
    this.#synchronous = durability;
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}

function inode(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}
