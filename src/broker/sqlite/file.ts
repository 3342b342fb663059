/**
 * The database file as a broker uses it: opened at its first use; while another process holds its locks, a step is
 * tried again, with pauses in between. No lock of another process blocks the event loop; the disk does, while it syncs.
 *
 * It lives until the broker is disposed of. A file that could not be opened is opened again at the next use.
 */
import { BrokerError } from "../../errors.ts";
import type { Connection, Durability } from "./connection.ts";
import { isBusy, replacedFile, sqliteError } from "./failures.ts";
import { open } from "./schema.ts";

/** The longest wait of a step for locks. */
export interface Patience {
  /** In milliseconds. @default the file's `busyTimeoutMs` */
  readonly deadlineMs?: number;
  /** Ends the waiting early, with its reason. */
  readonly signal?: AbortSignal;
}

/** The longest pause between two tries, in milliseconds. */
const LONGEST_PAUSE_MS = 20;

/** The time between two checks that no file was deleted or replaced, in milliseconds. One costs 12 µs. */
const CHECK_EVERY_MS = 1;

/** The time between two checks that read the inode of the log as well, in milliseconds: see `FileIdentity`. */
const CHECK_LOG_EVERY_MS = 50;

/** The database file of one broker. */
export class DatabaseFile {
  /** Its absolute path. */
  readonly path: string;
  readonly #busyTimeoutMs: number;
  readonly #closed = new AbortController();
  #connection: Connection | undefined;
  #checkedMs = -Infinity;
  #logCheckedMs = -Infinity;

  /**
   * @param path the file's absolute path
   * @param busyTimeoutMs how long a step waits for locks by default, in milliseconds
   */
  constructor(path: string, busyTimeoutMs: number) {
    this.path = path;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  /**
   * The connection.
   *
   * @throws {BrokerError} if the file cannot be opened, or the broker was disposed of
   */
  connection(patience: Patience = {}): Promise<Connection> {
    return this.#patiently("open", () => this.#connection ??= open(this.path), patience);
  }

  /** Runs a step that only reads, within one turn of the event loop. */
  async read<T>(step: (connection: Connection) => T, patience: Patience = {}): Promise<T> {
    const connection = this.#connection ?? await this.connection(patience);
    return await this.#patiently("read", () => {
      const result = step(connection);
      // Afterwards: until then, the file of this connection was the one that others see.
      this.#check(connection);
      return result;
    }, patience);
  }

  /**
   * Runs a step as one transaction, within one turn of the event loop; at once if the file is not locked.
   *
   * @throws {BrokerError} if other processes held the lock for too long; nothing has happened then
   * @throws {SqliteError} if the transaction failed
   */
  async write<T>(
    step: (connection: Connection) => T,
    options: Patience & { readonly durability?: Durability } = {},
  ): Promise<T> {
    const connection = this.#connection ?? await this.connection(options);
    return await this.#patiently("write to", () => {
      this.#check(connection);
      return connection.write(() => step(connection), options.durability ?? "buffered");
    }, options);
  }

  /** Closes it. Steps that wait are rejected. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#connection?.close();
  }

  async #patiently<T>(verb: string, step: () => T, patience: Patience): Promise<T> {
    const { deadlineMs = this.#busyTimeoutMs, signal } = patience;
    let endMs: number | undefined;
    for (let tries = 0;; tries++) {
      this.#throwIfClosed();
      try {
        return step();
      } catch (error) {
        if (!isBusy(error)) throw this.#failure(verb, error);
        // A try does not wait: the first one has taken no time.
        endMs ??= performance.now() + deadlineMs;
        if (performance.now() >= endMs) throw this.#busy(verb, deadlineMs, error);
      }
      await pause(tries, signal === undefined ? [this.#closed.signal] : [this.#closed.signal, signal]);
      signal?.throwIfAborted();
    }
  }

  #check(connection: Connection): void {
    const nowMs = performance.now();
    if (nowMs - this.#checkedMs < CHECK_EVERY_MS) return;
    this.#checkedMs = nowMs;
    if (nowMs - this.#logCheckedMs < CHECK_LOG_EVERY_MS && connection.areFilesInPlace()) return;
    const replaced = connection.replacedFile();
    this.#logCheckedMs = nowMs;
    if (replaced === null) return;
    // It is checked each time from now on.
    this.#checkedMs = -Infinity;
    throw replacedFile(this.path, replaced, "no");
  }

  #failure(verb: string, error: unknown): unknown {
    // A connection with a deleted log may find the file damaged, which it is not.
    const replaced = error instanceof BrokerError ? null : this.#connection?.replacedFile() ?? null;
    return replaced === null
      ? sqliteError(`Cannot ${verb} "${this.path}"`, error)
      : replacedFile(this.path, replaced, "no");
  }

  #busy(verb: string, deadlineMs: number, cause: unknown): BrokerError {
    return new BrokerError(
      `Cannot ${verb} "${this.path}": other processes have held its lock for ${Math.round(deadlineMs)} ms; ` +
        "look for one that keeps a transaction open, or is stopped",
      { cause },
    );
  }

  #throwIfClosed(): void {
    if (!this.#closed.signal.aborted) return;
    throw new BrokerError(`Cannot use "${this.path}": the broker was disposed of`);
  }
}

/**
 * Waits before the next try: longer each time, and at random, so that each of many gets its turn.
 *
 * @param ends end it early
 */
function pause(tries: number, ends: readonly AbortSignal[]): Promise<void> {
  const longestMs = Math.min(2 ** tries, LONGEST_PAUSE_MS);
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      for (const signal of ends) signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, Math.random() * longestMs);
    for (const signal of ends) signal.addEventListener("abort", over);
  });
}
