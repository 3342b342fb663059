/**
 * One connection to the file: prepared statements, and transactions that run within one turn of the event loop. No call
 * waits for a lock: SQLite's own waiting would sleep inside the call and block every job of this process, so a call that
 * finds the file busy throws at once, and the caller tries again.
 *
 * It lives until it is closed.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { notOpened, replacedFile, sqliteError } from "./failures.ts";
import { FileIdentity, isAbandoned } from "./file_identity.ts";

/** The durability of a committed transaction: `"buffered"` survives the end of the process, `"durable"` a power cut. */
export type Durability = "buffered" | "durable";

/** The most rows to write in one transaction: others wait for its end, and a larger one costs hardly less a row. */
export const MAX_ROWS = 100;

/** The most values that are remembered. */
const MAX_REMEMBERED = 10_000;

/** `node:sqlite` has it; Deno's types do not. */
interface ListStatement extends StatementSync {
  setReturnArrays(enabled: boolean): void;
}

/** A connection to the file. */
export class Connection {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Those that return arrays. */
  readonly #lists = new Map<string, StatementSync>();
  readonly #remembered = new Map<string, unknown>();
  #isWriting = false;
  #rememberedVersion = -1;
  #identity: FileIdentity | undefined;
  #guard: DatabaseSync | undefined;
  #synchronous: Durability = "buffered";

  /**
   * Opens the file, and creates it if there is none.
   *
   * @param path its absolute path
   * @throws SQLite's error if the file is busy
   * @throws {SqliteError} if it cannot be opened, or this process has a deleted log of it
   */
  constructor(path: string) {
    this.#path = path;
    if (isAbandoned(path)) throw replacedFile(path, `${path}-wal`, "no");
    try {
      this.#database = new DatabaseSync(path, { timeout: 0 });
    } catch (error) {
      throw notOpened(path, error);
    }
  }

  /**
   * Starts to watch over the file and its -wal and -shm files: from now on {@linkcode write} fails if its transaction went
   * into a log that was deleted or replaced meanwhile, and {@linkcode close} never writes such a log back over the file.
   */
  watchFiles(): void {
    try {
      this.#identity = new FileIdentity(this.#path);
    } catch (error) {
      throw notOpened(this.#path, error);
    }
    this.#guard = new DatabaseSync(this.#path, { readOnly: true, timeout: 0 });
    this.#guard.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
  }

  /** Returns the first row of a statement, an object. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** Returns every row, each an array of its columns: objects cost more than everything else about reading. */
  all<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#list(sql).all(...values) as unknown[] as Row[];
  }

  /** Returns the first row, an array of its columns. */
  first<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#list(sql).get(...values) as unknown as Row | undefined;
  }

  /** Runs a statement that returns nothing. Not by `StatementSync.run()`, whose report costs a fifth of an insert. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).get(...values);
  }

  /** Runs a statement. @returns the number of changed rows */
  changes(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  /**
   * Runs a step as one transaction that may write. It takes the write lock first: a transaction that reads before it writes
   * fails if another one wrote in between.
   *
   * @throws SQLite's error if another process is writing: nothing has happened then
   * @throws {SqliteError} if it failed; nothing of it is in the file, unless its `written` is `"unknown"`
   */
  write<T>(step: () => T, durability: Durability): T {
    this.#syncAs(durability);
    this.run("BEGIN IMMEDIATE");
    let committing = false;
    let result: T;
    try {
      this.#checkVersion();
      this.#isWriting = true;
      result = step();
      committing = true;
      this.run("COMMIT");
    } catch (error) {
      this.forget();
      // A full disk has ended it already.
      if (this.#database.isTransaction) this.run("ROLLBACK");
      throw sqliteError(`Cannot write to "${this.#path}"`, error, committing ? "unknown" : "no");
    } finally {
      this.#isWriting = false;
    }
    // Before it is acknowledged: a log that has no name any more is read by no other process.
    if (this.#identity !== undefined && !this.#identity.isLogInPlace()) {
      throw replacedFile(this.#path, `${this.#path}-wal`, "unknown");
    }
    return result;
  }

  /** A number that changes whenever another connection has written. */
  version(): number {
    return this.first<readonly [number]>("PRAGMA data_version")![0];
  }

  /** Forgets what was read if another connection has written since. */
  #checkVersion(): void {
    const version = this.version();
    if (version === this.#rememberedVersion) return;
    this.#remembered.clear();
    this.#rememberedVersion = version;
  }

  /**
   * Returns a value that was read from the file, and reads it again only if another connection has written since, or
   * {@linkcode forget} was called. Its readers keep it up to date with what this connection writes.
   */
  remember<T>(name: string, read: () => T): T {
    // While this connection writes, no other one can: one look is enough for all records of the transaction.
    if (!this.#isWriting) this.#checkVersion();
    if (this.#remembered.has(name)) return this.#remembered.get(name) as T;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    const value = read();
    this.#remembered.set(name, value);
    return value;
  }

  /** Forgets every remembered value. */
  forget(): void {
    this.#remembered.clear();
  }

  /** The path of a file that was deleted or replaced since {@linkcode watchFiles}; `null` if all are the same. */
  replacedFile(): string | null {
    return this.#identity?.replacedFile() ?? null;
  }

  /** Whether all files are the same, as far as a quick look shows. */
  areFilesInPlace(): boolean {
    return this.#identity?.areInPlace() ?? true;
  }

  /** Closes it. */
  close(): void {
    this.#statements.clear();
    this.#lists.clear();
    // SQLite writes the log back when the last connection closes. If the log was replaced, that would overwrite what other
    // processes wrote since. The guard prevents it: it stays open, and being read-only it never writes back itself.
    if (this.replacedFile() === null) this.#guard?.close();
    this.#database.close();
  }

  /** `PRAGMA synchronous` takes effect only outside a transaction. */
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

  #list(sql: string): StatementSync {
    let statement = this.#lists.get(sql);
    if (statement === undefined) {
      this.#lists.set(sql, statement = this.#database.prepare(sql));
      (statement as ListStatement).setReturnArrays(true);
    }
    return statement;
  }
}
