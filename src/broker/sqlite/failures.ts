/**
 * What SQLite's errors mean: which of them pass by themselves, which never do, and what an operator is told.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { BrokerError, describeError, type Written } from "../../errors.ts";
import { asMissingPermission } from "../missing_permission.ts";

/** The primary result codes that this room tells apart: https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
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
  [READONLY, "this process may not write to the file, or not to its folder, and must be allowed to do both"],
  [IOERR, "reading or writing failed (a broken disk, a limit on file sizes, or a file system without locks)"],
  [CORRUPT, "the file is damaged: restore it, or move it away together with its -wal and -shm files"],
  [FULL, "the disk is full: make room; what was acknowledged is in the file"],
  [CANTOPEN, "its -wal or its -shm file cannot be opened: this process must be allowed to read and write both"],
  [NOTADB, "the file is not an SQLite database: name another one, or move it away"],
]);

/** Waiting does not help against these: the file itself is another than it should be. */
const LASTING: ReadonlySet<number> = new Set([CORRUPT, NOTADB]);

/** Whoever waits has his turn: another process writes, or switches to the WAL at this very moment. */
const PASSING: ReadonlySet<number> = new Set([BUSY, LOCKED, PROTOCOL]);

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
  return PASSING.has(codeOf(error));
}

/** The error of a file that could not be opened, which SQLite does not give a reason for; any other error as it is. */
export function notOpened(path: string, error: unknown): unknown {
  const missing = asMissingPermission(`Cannot open "${path}"`, error, { read: [path], write: [path] });
  if (missing !== null) return missing;
  if (codeOf(error) !== CANTOPEN) return error;
  const message = `Cannot open "${path}": ${whyNotOpened(path)}`;
  return new SqliteError(message, { written: "no", lasting: false, cause: error });
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
  // It is said before the end of the transaction is whole on the disk.
  const known = code === FULL ? "no" : written;
  return new SqliteError(`${what}: ${why}`, { written: known, lasting: LASTING.has(code), cause: error });
}

function whyNotOpened(path: string): string {
  const folder = dirname(path);
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    if (file?.isDirectory()) return "it is a folder, and must be a file";
    if (file !== undefined) return "this process may not read and write it, and must be allowed to do both";
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      return `it does not exist, and this process may not make files in "${folder}"`;
    }
  } catch {
    return `this process must be allowed to read and write it, and its folder "${folder}" must exist`;
  }
  return `its folder "${folder}" does not exist: make it, or name another one`;
}

/** The primary result code, 0 for what does not come from SQLite, -1 for one that is not told apart. */
function codeOf(error: unknown): number {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return 0;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return BY_TEXT.find(([text]) => text.test(error.message))?.[1] ?? -1;
}
