/**
 * What a consumer waits with: for somebody of this process who rings, or for the time to look again. Another process
 * cannot ring; so the pauses are short after something has happened, and grow while nothing does.
 */
import { setImmediate } from "node:timers";

/** The first pause, in milliseconds: half of it is what a job of another process waits on average. */
const SHORTEST_MS = 5;
/** The longest, in milliseconds: looking twenty times a second costs a thousandth of a core. */
const LONGEST_MS = 50;
const GROWTH = 1.25;

/** See the module. */
export class Alarm {
  #pauseMs = SHORTEST_MS;
  #rung = false;
  #wake: (() => void) | null = null;

  /** Ends the pause, or the next one. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Something has happened: more may follow soon. */
  quicken(): void {
    this.#pauseMs = SHORTEST_MS;
  }

  /** Waits, and leaves the event loop a turn in any case. @returns whether somebody has rung */
  async pause(): Promise<boolean> {
    if (!this.#rung) await this.#sleep();
    await turn();
    const rung = this.#rung;
    this.#rung = false;
    return rung;
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

/** Timers and sockets have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
