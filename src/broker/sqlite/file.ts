/**
 * The database file as a broker uses it: opened when first needed, and asked again, with pauses between, while another
 * process holds its locks. No lock of others blocks the event loop; a disk does, for as long as it takes to sync.
 *
 * It lives from its first use to the broker's end. What could not be opened is tried anew at the next use.
 */
import { BrokerError } from "../../errors.ts";
import type { Connection, Durability } from "./connection.ts";
import { isBusy, SqliteError, sqliteError } from "./failures.ts";
import { open } from "./schema.ts";

/** How long a step waits for its turn. */
export interface Patience {
  /** In milliseconds. @default the file's `busyTimeoutMs` */
  readonly deadlineMs?: number;
  /** Ends the waiting early, with its reason. */
  readonly signal?: AbortSignal;
}

/** The longest pause between two tries, in milliseconds. */
const LONGEST_PAUSE_MS = 20;

/** How often it is looked whether the file is still where it was, in milliseconds. */
const LOOK_EVERY_MS = 100;

/** See the module. */
export class DatabaseFile {
  /** Where it is. */
  readonly path: string;
  readonly #busyTimeoutMs: number;
  readonly #closed = new AbortController();
  #connection: Connection | undefined;
  #lookedMs = -Infinity;

  /**
   * @param path the file's absolute path
   * @param busyTimeoutMs how long a step waits for its turn where it does not say, in milliseconds
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

  /** Reads: a step that only asks, within one turn. */
  async read<T>(step: (connection: Connection) => T, patience: Patience = {}): Promise<T> {
    const connection = this.#connection ?? await this.connection(patience);
    return await this.#patiently("read", () => {
      this.#look(connection);
      return step(connection);
    }, patience);
  }

  /**
   * Writes: a step that is one transaction, within one turn. Without waiting where nothing hinders.
   *
   * @throws {BrokerError} if others wrote for so long; nothing has happened then
   * @throws {SqliteError} if the transaction failed
   */
  async write<T>(
    step: (connection: Connection) => T,
    { durability = "buffered", ...patience }: Patience & { readonly durability?: Durability } = {},
  ): Promise<T> {
    const connection = this.#connection ?? await this.connection(patience);
    return await this.#patiently("write to", () => {
      this.#look(connection);
      return connection.write(() => step(connection), durability);
    }, patience);
  }

  /** Ends it: who waits is told so. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#connection?.close();
  }

  async #patiently<T>(verb: string, step: () => T, patience: Patience): Promise<T> {
    const { deadlineMs = this.#busyTimeoutMs, signal } = patience;
    const endMs = performance.now() + deadlineMs;
    for (let tries = 0;; tries++) {
      this.#throwIfClosed();
      try {
        return step();
      } catch (error) {
        if (!isBusy(error)) throw sqliteError(`Cannot ${verb} "${this.path}"`, error);
        if (performance.now() >= endMs) throw this.#busy(verb, deadlineMs, error);
      }
      await pause(tries, signal === undefined ? [this.#closed.signal] : [this.#closed.signal, signal]);
      signal?.throwIfAborted();
    }
  }

  #look(connection: Connection): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return;
    const isSame = connection.isSameFile();
    // As long as it is another one it is looked at each time.
    this.#lookedMs = isSame ? nowMs : -Infinity;
    if (isSame) return;
    throw new SqliteError(
      `Cannot use "${this.path}": the file was deleted or replaced while it was open; start the process anew`,
      { written: "no", lasting: true },
    );
  }

  #busy(verb: string, deadlineMs: number, cause: unknown): BrokerError {
    return new BrokerError(
      `Cannot ${verb} "${this.path}": other processes have held its lock for ${Math.round(deadlineMs)} ms; ` +
        "look for one that keeps a transaction open, or that stands still",
      { cause },
    );
  }

  #throwIfClosed(): void {
    if (!this.#closed.signal.aborted) return;
    throw new BrokerError(`Cannot use "${this.path}": the broker was disposed of`);
  }
}

/** Who waits longer asks less often, and at random: of many that wait, each has its turn. @param ends each ends it early */
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
