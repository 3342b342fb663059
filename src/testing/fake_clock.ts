/**
 * The clock of a test. It begins at the real time, and moves only when the test moves it. Delayed jobs, the waits of
 * `retryOn` and those of interrupted jobs are due by it; `Date` is the real one.
 */
import { InvalidConfigurationError } from "../errors.ts";
import type { Clock } from "../support/clock.ts";
import { type Duration, durationToMs } from "../support/duration.ts";
import { show } from "../support/validation.ts";

interface Call {
  readonly timeMs: number;
  readonly fn: () => void;
}

/** The clock of a test: `t.clock`. */
export class FakeClock implements Clock {
  #nowMs = Date.now();
  readonly #calls = new Set<Call>();
  /**
   * Called after the clock was moved, with both times in milliseconds since 1970.
   *
   * @internal
   */
  onMoved: (fromMs: number, toMs: number) => Promise<void> = () => Promise.resolve();

  /** Returns the time, in milliseconds since 1970. */
  nowMs(): number {
    return this.#nowMs;
  }

  /** @internal */
  callAt(timeMs: number, fn: () => void): () => void {
    const call = { timeMs, fn };
    this.#calls.add(call);
    // Never within this call, as the real clock.
    if (timeMs <= this.#nowMs) queueMicrotask(() => this.#callDue());
    return () => this.#calls.delete(call);
  }

  /**
   * Moves the clock forwards.
   *
   * @returns a promise that resolves once everything that waited for that time was called, and the recurring jobs of each tick
   * in between are enqueued
   * @throws {InvalidConfigurationError} if it is not a duration
   */
  async advance(duration: Duration): Promise<void> {
    await this.#moveTo(this.#nowMs + durationToMs("advance()", duration));
  }

  /**
   * Moves the clock forwards to a time. A time in the past leaves it as it is.
   *
   * @throws {InvalidConfigurationError} if it is not a valid date
   */
  async advanceTo(time: Date): Promise<void> {
    const timeMs = time instanceof Date ? time.getTime() : NaN;
    if (Number.isNaN(timeMs)) {
      throw new InvalidConfigurationError(`advanceTo() needs a valid Date, but it is given ${show(time)}`);
    }
    await this.#moveTo(Math.max(this.#nowMs, timeMs));
  }

  async #moveTo(timeMs: number): Promise<void> {
    const fromMs = this.#nowMs;
    this.#nowMs = timeMs;
    this.#callDue();
    await this.onMoved(fromMs, timeMs);
  }

  #callDue(): void {
    for (const call of [...this.#calls]) {
      if (call.timeMs > this.#nowMs || !this.#calls.delete(call)) continue;
      call.fn();
    }
  }
}
