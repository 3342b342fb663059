/**
 * What SQLite's errors mean: which of them pass by themselves, which never do, and what an operator is told.
 */
import { BrokerError, describeError, type Written } from "../../errors.ts";

/** The primary result codes that this room tells apart: https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Where an error comes without a code, as it does from opening, its text tells. */
const BY_TEXT: readonly (readonly [RegExp, number])[] = [
  [/database (table )?is locked/, BUSY],
  [/readonly database/, READONLY],
  [/disk I\/O error/, IOERR],
  [/malformed/, CORRUPT],
  [/disk is full/, FULL],
  [/unable to open/, CANTOPEN],
  [/not a database/, NOTADB],
];

const MEANINGS: ReadonlyMap<number, string> = new Map([
  [READONLY, "the file, or its folder, cannot be written to: it needs both"],
  [IOERR, "reading or writing failed (a full or broken disk, or a file system without locks)"],
  [CORRUPT, "the file is damaged: restore it, or move it away together with its -wal and -shm files"],
  [FULL, "the disk is full: make room, nothing that was acknowledged is lost"],
  [CANTOPEN, "the file cannot be opened: does its folder exist, and may it be written to"],
  [NOTADB, "the file is not an SQLite database: name another one, or move it away"],
]);

/** Waiting does not help against these: the file itself is another than it should be. */
const LASTING: ReadonlySet<number> = new Set([CORRUPT, NOTADB]);

/** An error of the file or of its disk. `cause` is SQLite's. */
export class SqliteError extends BrokerError {
  /** Whether what was to be written is in the file: `"unknown"` if the very commit failed. */
  readonly written: Written;
  /** Whether it will not come back by itself. */
  readonly lasting: boolean;

  constructor(message: string, options: { readonly written: Written; readonly lasting: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.written = options.written;
    this.lasting = options.lasting;
  }
}

/** Whether another process holds a lock that it will let go of. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === BUSY || code === LOCKED;
}

/**
 * The error that a caller hears. What does not come from SQLite (ours, or a permission that is missing) is told as it is.
 *
 * @param what what failed: `Cannot write to "jobs.db"`
 * @param written whether what was to be written may be in the file
 */
export function sqliteError(what: string, error: unknown, written: Written = "no"): unknown {
  const code = codeOf(error);
  if (code === 0) return error;
  const why = MEANINGS.get(code) ?? describeError(error).message;
  return new SqliteError(`${what}: ${why}`, { written, lasting: LASTING.has(code), cause: error });
}

/** The primary result code, 0 for what does not come from SQLite, -1 for one that is not told apart. */
function codeOf(error: unknown): number {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return 0;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return BY_TEXT.find(([text]) => text.test(error.message))?.[1] ?? -1;
}
