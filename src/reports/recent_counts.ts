/**
 * The counts of one topic over the last hour: a ring of 60 minutes for each number, and histograms in slots of ten minutes. A
 * slot belongs to the minute that it was last written in, so that a clock that is set, or a quiet hour, needs no care.
 */
import { Histogram } from "../monitor/histogram.ts";

/** The number of minutes. */
export const MINUTES = 60;
/** The minutes of one slot of a histogram. */
const SLOT_MINUTES = 10;

/** One number for each of the last 60 minutes. */
export class MinuteRing {
  readonly #counts = new Float64Array(MINUTES);
  readonly #minutes = new Float64Array(MINUTES).fill(-1);

  /** Counts one. @param minute the number of minutes since 1970 */
  count(minute: number): void {
    const slot = minute % MINUTES;
    if (this.#minutes[slot] !== minute) {
      this.#minutes[slot] = minute;
      this.#counts[slot] = 0;
    }
    this.#counts[slot]!++;
  }

  /** Returns the numbers of the hour that ends with a minute, oldest first. */
  until(minute: number): number[] {
    return Array.from({ length: MINUTES }, (_, index) => {
      const each = minute - MINUTES + 1 + index;
      const slot = each % MINUTES;
      return this.#minutes[slot] === each ? this.#counts[slot]! : 0;
    });
  }

  /** Returns the sum of the hour that ends with a minute. */
  sumUntil(minute: number): number {
    let sum = 0;
    for (let slot = 0; slot < MINUTES; slot++) {
      const each = this.#minutes[slot]!;
      if (each <= minute && each > minute - MINUTES) sum += this.#counts[slot]!;
    }
    return sum;
  }
}

/** A histogram of the last 50 to 60 minutes. */
export class RecentHistogram {
  readonly bounds: readonly number[];
  readonly #slots: { number: number; histogram: Histogram }[] = [];

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
  }

  /** Counts a value. */
  observe(value: number, minute: number): void {
    const number = Math.floor(minute / SLOT_MINUTES);
    const at = number % (MINUTES / SLOT_MINUTES);
    let slot = this.#slots[at];
    if (slot?.number !== number) this.#slots[at] = slot = { number, histogram: new Histogram(this.bounds) };
    slot.histogram.observe(value);
  }

  /** Returns the sum of the slots up to a minute. */
  until(minute: number): { counts: number[]; sum: number } {
    const newest = Math.floor(minute / SLOT_MINUTES);
    const counts = Array<number>(this.bounds.length + 1).fill(0);
    let sum = 0;
    for (const slot of this.#slots) {
      if (slot === undefined || slot.number > newest || slot.number <= newest - MINUTES / SLOT_MINUTES) continue;
      slot.histogram.counts.forEach((count, index) => counts[index]! += count);
      sum += slot.histogram.sum;
    }
    return { counts, sum };
  }
}
