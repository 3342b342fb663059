/**
 * The identity of the three files that make up a database: the file itself, its log (`-wal`) and the index of the log
 * (`-shm`). While a connection is open none of them may be deleted or replaced: the connection would go on with files that
 * no other process sees.
 *
 * That happens if one is deleted by hand, and also by accident: a process that copies its own database file
 * loses its locks on it (POSIX drops all locks of a process when it closes any handle of the file). The next other program
 * that opens and closes the file then takes itself for the last user, and deletes the log.
 */
import { existsSync, statSync } from "node:fs";

const SUFFIXES = ["", "-wal", "-shm"];

/**
 * Database files of which this process has a log that was deleted or replaced, by inode. SQLite shares the index of the log
 * among all connections of a process, so that a new one would mix the old index with the new log, and damage the file.
 */
const ABANDONED = new Set<number>();

/** The files as they were when this was created. */
export class FileIdentity {
  readonly #paths: readonly string[];
  readonly #inodes: readonly (number | null)[];

  /** @param path the database file; its log exists */
  constructor(path: string) {
    this.#paths = SUFFIXES.map((suffix) => path + suffix);
    this.#inodes = this.#paths.map(inodeOf);
  }

  /** The path of the first file that is missing or another one now; `null` if there is none. */
  replacedFile(): string | null {
    const [database] = this.#inodes;
    const index = this.#paths.findIndex((path, index) => !isSame(inodeOf(path), this.#inodes[index]));
    if (index > 0) ABANDONED.add(database!);
    return ABANDONED.has(database!) ? this.#paths[Math.max(index, 1)]! : this.#paths[index] ?? null;
  }

  /** Whether all three are in place, as far as that can be seen without the inode of the log. */
  areInPlace(): boolean {
    return isSame(inodeOf(this.#paths[0]!), this.#inodes[0]) && this.isLogInPlace();
  }

  /**
   * Whether the log is in place, as far as that can be seen without its inode: on Linux, reading that makes the next sync of
   * the log half as long again, since the next write must then store its time. SQLite never deletes the log without its
   * index.
   */
  isLogInPlace(): boolean {
    const [, log, index] = this.#paths;
    return existsSync(log!) && isSame(inodeOf(index!), this.#inodes[2]);
  }
}

/** Whether this process can no longer use the file, since it has an old log of it. */
export function isAbandoned(path: string): boolean {
  return ABANDONED.size > 0 && ABANDONED.has(inodeOf(path) ?? -1);
}

function isSame(now: number | null, then: number | null | undefined): boolean {
  return now !== null && now === then;
}

/** `null` if the file does not exist. In Deno, `Deno.statSync` takes a quarter of the time that `node:fs` takes. */
const inodeOf: (path: string) => number | null = "Deno" in globalThis ? inodeInDeno : inodeInNode;

function inodeInDeno(path: string): number | null {
  try {
    // Windows has no inodes, and there an open file cannot be deleted.
    return Deno.statSync(path).ino ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}

function inodeInNode(path: string): number | null {
  try {
    return statSync(path).ino;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as { readonly code: string }).code)) return null;
    throw error;
  }
}
