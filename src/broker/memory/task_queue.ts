/**
 * When the memory log acts of itself: each step (a rebalance, a hand-over) has a turn of the event loop of its own, never
 * inside somebody's call, and between two turns timers and sockets have theirs. Nothing is polled, and nothing is left
 * behind: a log that nobody uses has no turn pending.
 *
 * While the log is "away" (a fault that tests ask for), steps wait until it is back.
 */
import { setImmediate } from "node:timers";

/** The turns of one log. */
export class TaskQueue {
  #waiting: (() => void)[] = [];
  #return: PromiseWithResolvers<void> | null = null;

  /** Whether the log cannot be reached. */
  get away(): boolean {
    return this.#return !== null;
  }

  /** Takes a step in a turn of its own: after those that were asked for before, and once the log can be reached. */
  run(step: () => void): void {
    setImmediate(() => {
      if (this.away) this.#waiting.push(step);
      else step();
    });
  }

  /** Resolves when every step asked for until now that need not wait for the log has been taken. */
  passed(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Goes away. */
  leave(): void {
    this.#return ??= Promise.withResolvers<void>();
  }

  /** Comes back: what waited goes on, in its order. */
  comeBack(): void {
    this.#return?.resolve();
    this.#return = null;
    for (const step of this.#waiting.splice(0)) this.run(step);
  }

  /**
   * Waits until the log can be reached.
   *
   * @param givenUp ends the wait too
   * @returns whether it can be reached now
   */
  async reachable(givenUp: Promise<unknown>): Promise<boolean> {
    if (!this.away) return true;
    let waiting = true;
    const over = givenUp.then(() => waiting = false);
    // Again and again: it may have left once more before this one had its turn.
    while (waiting && this.#return !== null) await Promise.race([this.#return.promise, over]);
    return waiting;
  }
}
