/** A clock for tests that a test moves by hand. It starts at the time of the system. */
import type { Clock } from "../../src/support/clock.ts";

/** See the module. */
export class ManualClock implements Clock {
  #nowMs = Date.now();
  readonly #calls = new Map<object, { readonly timeMs: number; readonly fn: () => void }>();

  /** The number of calls that wait for a time. */
  get waiting(): number {
    return this.#calls.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  callAt(timeMs: number, fn: () => void): () => void {
    const call = {};
    this.#calls.set(call, { timeMs, fn });
    // As a real one: a time that is past is called later, never within this call.
    if (timeMs <= this.#nowMs) setTimeout(() => this.#fire(), 0);
    return () => void this.#calls.delete(call);
  }

  /** Moves the clock, also backwards. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#fire();
  }

  #fire(): void {
    for (const [call, { timeMs, fn }] of [...this.#calls]) {
      if (timeMs <= this.#nowMs && this.#calls.delete(call)) fn();
    }
  }
}
