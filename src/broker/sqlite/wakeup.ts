/**
 * The pause between two rounds of a consumer. Code of the same process ends it with `wake()`. Another process cannot, so
 * the consumer polls: pauses are short after a change and grow while nothing changes.
 */
import { setImmediate } from "node:timers";

/** The first pause, in milliseconds: a job of another process waits half of it on average. */
const SHORTEST_MS = 5;
/** The longest pause, in milliseconds: 20 looks a second cost a thousandth of a core. */
const LONGEST_MS = 50;
const GROWTH = 1.25;

/** The pause of one consumer. */
export class Wakeup {
  #pauseMs = SHORTEST_MS;
  #woken = false;
  #wake: (() => void) | null = null;

  /** Ends the pause, or the next one. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Starts again with the shortest pause: after a change, another one is likely. */
  shortenPauses(): void {
    this.#pauseMs = SHORTEST_MS;
  }

  /** Waits; timers and sockets get a turn in any case. @returns whether `wake()` was called */
  async pause(): Promise<boolean> {
    if (!this.#woken) await this.#sleep();
    await turn();
    const wasWoken = this.#woken;
    this.#woken = false;
    return wasWoken;
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * GROWTH, LONGEST_MS);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
  }
}

/** Gives timers and sockets a turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
