/**
 * Lets the event loop breathe. Jobs that never really wait run from microtask to microtask, and a backlog of them would
 * keep timers and sockets (heartbeats, too) from running.
 *
 * A timer that is due at once is always armed while jobs run. As long as it fires, the loop turns by itself; where it has
 * been waiting for too long, jobs are in its way, and the partitions of the worker wait for it together.
 */
import { clearTimeout, setTimeout } from "../support/timers.ts";

/** How long jobs may follow each other without a turn of the event loop, in milliseconds. */
const MAX_STRETCH_MS = 20;

/** The pace of a worker. */
export class EventLoopYield {
  #turn: PromiseWithResolvers<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedMs = 0;

  /** Whether it is time to wait for a turn. */
  isDue(nowMs: number): boolean {
    if (this.#turn !== undefined) return nowMs - this.#armedMs > MAX_STRETCH_MS;
    this.#armedMs = nowMs;
    this.#turn = Promise.withResolvers();
    this.#timer = setTimeout(() => this.stop(), 0);
    return false;
  }

  /** Waits for the turn that is due. @returns the time then */
  async wait(): Promise<number> {
    await this.#turn?.promise;
    return performance.now();
  }

  /** Nothing runs any more. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#turn?.resolve();
    this.#turn = undefined;
  }
}
