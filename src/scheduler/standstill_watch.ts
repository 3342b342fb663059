/**
 * Notices that a reader stood still: its process was suspended, its machine slept, or it was paused. It is asked again and again;
 * a long time since it was last asked is the sign.
 *
 * Kafka removes a tombstone some time after it was written (`delete.retention.ms`). A reader that stood still for half of that
 * may have read a schedule and never sees its tombstone.
 *
 * Two clocks measure the time, and the longer one counts: the steady clock of a machine that sleeps may stand still, too, and
 * the other one may be set back.
 */
import type { Clock } from "../support/clock.ts";

/** The longest time between two calls of a reader that works, in milliseconds. */
const MAX_INTERVAL_MS = 60_000;
const MIN_INTERVAL_MS = 10;

/** See the module. */
export class StandstillWatch {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #limitMs: () => number;
  readonly #steadyMs: () => number;
  #askedMs: number;
  #askedSteadyMs: number;

  /**
   * @param limitMs returns the time after which it counts as a standstill, in milliseconds
   * @param steadyMs returns the time of a clock that is never set, in milliseconds @default `performance.now()`
   */
  constructor(clock: Pick<Clock, "nowMs">, limitMs: () => number, steadyMs: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#steadyMs = steadyMs;
    this.#askedMs = clock.nowMs();
    this.#askedSteadyMs = steadyMs();
  }

  /** The time within which a reader that works must ask again, in milliseconds. */
  get intervalMs(): number {
    return Math.min(Math.max(this.#limitMs() / 4, MIN_INTERVAL_MS), MAX_INTERVAL_MS);
  }

  /** Returns whether the reader stood still since the last call. */
  hasStoodStill(): boolean {
    const nowMs = this.#clock.nowMs();
    const steadyMs = this.#steadyMs();
    const passedMs = Math.max(nowMs - this.#askedMs, steadyMs - this.#askedSteadyMs);
    this.#askedMs = nowMs;
    this.#askedSteadyMs = steadyMs;
    return passedMs > this.#limitMs();
  }
}
