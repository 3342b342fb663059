/**
 * The pause between two rounds of a consumer. Code of the same process ends it with `wake()`. Another process cannot, so
 * the consumer polls: pauses are short after a change and grow while nothing changes.
 *
 * On Linux, where a watch of a file costs nothing until the file is written, the polling ends after a few pauses: then a
 * write to the log of the file (`-wal`) ends the wait. The write comes shortly before its transaction can be read, and a
 * heartbeat is a write as well; so it only starts a few short pauses. A slow poll stays, for a write that was not reported.
 */
import { setImmediate } from "node:timers";
import { watchFile } from "./file_watch.ts";

/** The first pause, in milliseconds: a job of another process waits half of a pause on average. */
const SHORTEST_MS = 1;
/** The longest pause without a watch, in milliseconds. */
const LONGEST_MS = 50;
/** A watch begins before a pause of so many milliseconds. */
const WATCH_FROM_MS = 6;
/** After a pause of so many milliseconds the watch has begun, and is relied on. */
const WATCHED_FROM_MS = 12;
/** The growth of the pauses after a change, after which another one is likely, and after a write that changed nothing. */
const GROWTH = 1.5;
const GROWTH_AFTER_WRITE = 2;

/** The pause of one consumer. */
export class Wakeup {
  readonly #path: string;
  readonly #watchedMs: number;
  #pauseMs = SHORTEST_MS;
  #growth = GROWTH;
  #woken = false;
  #wake: (() => void) | null = null;
  #watch: Disposable | null = null;
  #isClosed = false;

  /**
   * @param path the log of the file, which another process writes
   * @param watchedMs the longest pause beside a watch, in milliseconds; at least the longest one without
   */
  constructor(path: string, watchedMs: number) {
    this.#path = path;
    this.#watchedMs = Math.max(watchedMs, LONGEST_MS);
  }

  /** Ends the pause, or the next one. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Starts again with the shortest pause: after a change, another one is likely. */
  shortenPauses(): void {
    this.#restart(GROWTH);
  }

  /** Waits; timers and sockets get a turn in any case. @returns whether `wake()` was called */
  async pause(): Promise<boolean> {
    if (!this.#woken) await this.#sleep();
    await turn();
    const wasWoken = this.#woken;
    this.#woken = false;
    return wasWoken;
  }

  /** Ends the watch, for good. */
  close(): void {
    this.#isClosed = true;
    this.#restart(GROWTH);
  }

  #restart(growth: number): void {
    this.#pauseMs = SHORTEST_MS;
    this.#growth = growth;
    this.#watch?.[Symbol.dispose]();
    this.#watch = null;
  }

  #sleep(): Promise<void> {
    // A write before the watch has begun is seen by the round after the next pause.
    const isWatched = this.#watch !== null && this.#pauseMs >= WATCHED_FROM_MS;
    const pauseMs = isWatched ? this.#watchedMs : this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * this.#growth, LONGEST_MS);
    if (this.#watch === null && pauseMs >= WATCH_FROM_MS && !this.#isClosed) {
      this.#watch = watchFile(this.#path, () => this.#written(), () => this.#failed());
    }
    return new Promise((resolve) => {
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(this.#wake, pauseMs);
    });
  }

  /** Polls from now on. */
  #failed(): void {
    this.close();
    this.#wake?.();
  }

  #written(): void {
    this.#restart(GROWTH_AFTER_WRITE);
    this.#wake?.();
  }
}

/** Gives timers and sockets a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
