/**
 * Lets the event loop breathe. Jobs that never really wait run from microtask to microtask, and a backlog of them would
 * keep timers and sockets (heartbeats, too) from running. After so many milliseconds without a turn of the event loop,
 * the partitions of a worker wait for one, together.
 */

/** How long jobs may follow each other without a turn of the event loop, in milliseconds. */
const MAX_STRETCH_MS = 10;

/** The pace of a worker. */
export class Pacer {
  #lastTurnMs = performance.now();
  #turn: Promise<number> | undefined;

  /** Whether it is time for a turn. */
  isDue(nowMs: number): boolean {
    return nowMs - this.#lastTurnMs > MAX_STRETCH_MS;
  }

  /** Waits for a turn of the event loop. @returns the time then */
  turn(): Promise<number> {
    return this.#turn ??= new Promise((resolve) =>
      // A timer and not a message: what is due in the loop (timers, sockets) must have had its chance.
      setTimeout(() => {
        this.#turn = undefined;
        this.#lastTurnMs = performance.now();
        resolve(this.#lastTurnMs);
      }, 0)
    );
  }
}
