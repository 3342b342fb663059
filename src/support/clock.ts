/** The clock by which jobs are due: that of the system, or a fake one in a test. */
import { clearTimeout, setTimeout } from "./timers.ts";

/** A clock. */
export interface Clock {
  /** Returns the time, in milliseconds since 1970. */
  nowMs(): number;
  /**
   * Calls a function once the clock shows a time, which may be past already. Never within this call.
   *
   * @returns a function that cancels the call
   */
  callAt(timeMs: number, fn: () => void): () => void;
}

/** The latest time that a `Date` can have, in milliseconds since 1970: a record may have any number. */
export const LATEST_MS = 8.64e15;

/** The longest sleep, in milliseconds: a clock that is set forward is noticed after it. */
const MAX_SLEEP_MS = 10_000;

/** The clock of the system. It may be set: each sleep is short, and looks at it again. */
export const SYSTEM_CLOCK: Clock = Object.freeze({
  nowMs: () => Date.now(),
  callAt(timeMs: number, fn: () => void): () => void {
    let timer: ReturnType<typeof setTimeout>;
    const sleep = () => {
      const leftMs = timeMs - Date.now();
      timer = leftMs <= 0 ? setTimeout(fn, 0) : setTimeout(wake, Math.min(Math.ceil(leftMs), MAX_SLEEP_MS));
    };
    const wake = () => Date.now() >= timeMs ? fn() : sleep();
    sleep();
    return () => clearTimeout(timer);
  },
});
