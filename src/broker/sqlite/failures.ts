/**
 * The meaning of SQLite's errors: which pass by themselves, which are lasting, and the message for an operator.
 */
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { BrokerError, describeError, type Written } from "../../errors.ts";
import { asMissingPermission } from "../missing_permission.ts";
import { filePermissions } from "./permissions.ts";

/** The primary result codes that are distinguished: https://sqlite.org/rescode.html */
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const CONSTRAINT = 19;
const MISMATCH = 20;
const NOTADB = 26;

/** Errors of opening have no code: it is read from the message. */
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

/** Waiting does not help: the file itself is damaged, or no database. */
const LASTING: ReadonlySet<number> = new Set([CORRUPT, NOTADB]);

/** Waiting helps: another process writes, or switches to the WAL at this moment. */
const PASSING: ReadonlySet<number> = new Set([BUSY, LOCKED, PROTOCOL]);

/** An error of the file or of its disk. `cause` is SQLite's error. */
export class SqliteError extends BrokerError {
  /** Whether the transaction is in the file: `"unknown"` if its commit failed. */
  readonly written: Written;
  /** Whether trying again cannot help. */
  readonly lasting: boolean;

  constructor(message: string, options: { readonly written: Written; readonly lasting: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.written = options.written;
    this.lasting = options.lasting;
  }
}

/** Whether another process holds a lock, which it will release. */
export function isBusy(error: unknown): boolean {
  return PASSING.has(codeOf(error));
}

/**
 * The error for a file that could not be opened, with the reason, which SQLite does not give; any other error as it is.
 */
export function notOpened(path: string, error: unknown): unknown {
  const missing = asMissingPermission(`Cannot open "${path}"`, error, filePermissions(path));
  if (missing !== null) return missing;
  if (codeOf(error) !== CANTOPEN) return error;
  const message = `Cannot open "${path}": ${whyNotOpened(path)}`;
  return new SqliteError(message, { written: "no", lasting: false, cause: error });
}

/**
 * The error for a caller. An error that is not SQLite's (our own, or a missing permission) is returned as it is.
 *
 * @param what the failed action: `Cannot write to "jobs.db"`
 * @param written whether the transaction may be in the file
 */
export function sqliteError(what: string, error: unknown, written: Written = "no"): unknown {
  const code = codeOf(error);
  if (code === 0) return error;
  const why = MEANINGS.get(code) ?? describeError(error).message;
  // SQLite reports it before the end of the transaction is in the log.
  const known = code === FULL ? "no" : written;
  const lasting = LASTING.has(code) || isForeignSchema(code, error);
  return new SqliteError(`${what}: ${why}`, { written: known, lasting, cause: error });
}

/** The error for a file that was deleted or replaced while a connection was open. @param file the one of the three */
export function replacedFile(path: string, file: string, written: Written): SqliteError {
  return new SqliteError(
    `Cannot use "${path}": ${file === path ? "the file" : `its file "${file}"`} was deleted or replaced while it was ` +
      "open; start the process again",
    { written, lasting: true },
  );
}

/** Whether a table refuses the values: a constraint, a type, or JSON that is malformed. */
export function isRefusedByTable(error: unknown): boolean {
  return [ERROR, CONSTRAINT, MISMATCH].includes(codeOf(error));
}

/** Whether another program has dropped or changed a table. */
function isForeignSchema(code: number, error: unknown): boolean {
  return code === ERROR && /^no such (table|column)/.test(describeError(error).message);
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

/** The primary result code, 0 for what does not come from SQLite, -1 for one that is not distinguished. */
function codeOf(error: unknown): number {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "ERR_SQLITE_ERROR") return 0;
  if ("errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;
  return BY_TEXT.find(([text]) => text.test(error.message))?.[1] ?? -1;
}
