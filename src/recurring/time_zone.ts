/**
 * The clock on the wall of a time zone. A *wall time* is written as the milliseconds since 1970 at which a clock in UTC shows
 * the same: that of 03:00 in Prague is the number of 03:00Z.
 */

/** No offset is longer than a day, and no clock is changed twice within two days. */
const DAY_MS = 86_400_000;

/** Converts between instants and the wall times of a time zone, both in milliseconds since 1970. */
export class WallClock {
  readonly #format: Intl.DateTimeFormat;

  /** @throws {RangeError} if the time zone is unknown */
  constructor(timeZone: string) {
    this.#format = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" });
  }

  /** Returns the latest wall time that the clock has shown until an instant: it may be ahead of what it shows then. */
  latestWall(instantMs: number): number {
    const [before, now] = [this.#offsetAt(instantMs - DAY_MS), this.#offsetAt(instantMs)];
    const wallMs = instantMs + now;
    return before <= now ? wallMs : Math.max(wallMs, this.#findChange(instantMs - DAY_MS, instantMs) - 1 + before);
  }

  /** Returns the first instant that has a wall time; if none has it, the instant at which the clock jumps over it. */
  firstInstant(wallMs: number): number {
    const [before, after] = [this.#offsetAt(wallMs - DAY_MS), this.#offsetAt(wallMs + DAY_MS)];
    if (before === after || this.#offsetAt(wallMs - before) === before) return wallMs - before;
    if (this.#offsetAt(wallMs - after) === after) return wallMs - after;
    return this.#findChange(wallMs - after, wallMs - before);
  }

  /** Returns the instant between two others at which the offset changes. */
  #findChange(lowMs: number, highMs: number): number {
    const before = this.#offsetAt(lowMs);
    while (highMs - lowMs > 1) {
      const middleMs = Math.floor((lowMs + highMs) / 2);
      if (this.#offsetAt(middleMs) === before) lowMs = middleMs;
      else highMs = middleMs;
    }
    return highMs;
  }

  #offsetAt(instantMs: number): number {
    const [, sign = "+", hours = 0, minutes = 0, seconds = 0] =
      this.#format.format(instantMs).match(/GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?/) ?? [];
    const offsetMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === "-" ? -offsetMs : offsetMs;
  }
}
