/**
 * Keeps the event loop running. Jobs that never wait for anything follow each other from microtask to microtask, and a
 * backlog of them would keep timers and sockets, heartbeats included, from running.
 *
 * 1. While jobs run, a timer with a delay of 0 is always armed (`checkpoint`).
 * 2. As long as it fires, the event loop turns by itself.
 * 3. If it has not fired for `MAX_STRETCH_MS`, jobs are in its way: all partitions wait for it together (`wait`).
 */
import { clearTimeout, setTimeout } from "../support/timers.ts";

/** The longest time for which jobs may follow each other without a turn of the event loop, in milliseconds. */
const MAX_STRETCH_MS = 20;

/** See the module. One object for each worker. */
export class EventLoopYield {
  #turn: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedMs = 0;

  /**
   * Called before each job: arms the timer if none is armed.
   *
   * @param nowMs the time, on the clock of `performance.now()`
   * @returns whether the event loop has not turned for too long: the caller must `wait()`
   */
  checkpoint(nowMs: number): boolean {
    if (this.#turn !== undefined) return nowMs - this.#armedMs > MAX_STRETCH_MS;
    this.#armedMs = nowMs;
    this.#turn = Promise.withResolvers();
    this.#timer = setTimeout(() => this.stop(), 0);
    return false;
  }

  /** Waits for the next turn of the event loop. @returns the time after it */
  async wait(): Promise<number> {
    await this.#turn?.promise;
    return performance.now();
  }

  /** Clears the timer and ends all waits. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#turn?.resolve();
    this.#turn = undefined;
  }
}
