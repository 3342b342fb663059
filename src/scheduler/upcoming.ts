/**
 * The schedules of a partition that are due next, in the order of their times: a few, with their values, or while these are
 * being read. Each one in here is due before, or at the same time as, all that wait in the index.
 */
import type { Candidate } from "./candidate.ts";

/** A schedule that is due soon. */
export interface UpcomingSchedule {
  readonly offset: number;
  readonly dueAtMs: number;
  readonly bytes: number;
  /** `null` while it is being read. */
  candidate: Candidate | null;
}

/** See the module. */
export class Upcoming {
  #items: UpcomingSchedule[] = [];
  #bytes = 0;

  /** The number of schedules. */
  get length(): number {
    return this.#items.length;
  }

  /** The size of their records, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one that is due first. */
  get first(): UpcomingSchedule | undefined {
    return this.#items[0];
  }

  /** The one that is due last. */
  get last(): UpcomingSchedule | undefined {
    return this.#items.at(-1);
  }

  /** Adds a schedule. */
  add(item: UpcomingSchedule): void {
    this.#bytes += item.bytes;
    const { last } = this;
    if (last === undefined || isBefore(last, item)) this.#items.push(item);
    else this.#items.splice(this.#placeOf(item), 0, item);
  }

  /** Removes the one that is due last. */
  pop(): UpcomingSchedule | undefined {
    const item = this.#items.pop();
    if (item !== undefined) this.#bytes -= item.bytes;
    return item;
  }

  /** Finds a schedule. */
  find(offset: number, dueAtMs: number): UpcomingSchedule | undefined {
    const item = this.#items[this.#placeOf({ offset, dueAtMs })];
    return item?.offset === offset ? item : undefined;
  }

  /** Removes a schedule, if it is there. */
  remove(offset: number, dueAtMs: number): void {
    const at = this.#placeOf({ offset, dueAtMs });
    if (this.#items[at]?.offset !== offset) return;
    this.#bytes -= this.#items[at]!.bytes;
    this.#items.splice(at, 1);
  }

  /** Removes those that are due and have their value, up to the first one that has not. */
  takeDue(nowMs: number): Candidate[] {
    let count = 0;
    const due: Candidate[] = [];
    for (; count < this.#items.length; count++) {
      const { dueAtMs, bytes, candidate } = this.#items[count]!;
      if (dueAtMs > nowMs || candidate === null) break;
      due.push(candidate);
      this.#bytes -= bytes;
    }
    if (count > 0) this.#items.splice(0, count);
    return due;
  }

  /** Removes those whose value could not be read. @returns their offsets */
  takeUnread(): number[] {
    const unread = this.#items.filter(({ candidate }) => candidate === null);
    if (unread.length === 0) return [];
    this.#items = this.#items.filter(({ candidate }) => candidate !== null);
    this.#bytes -= unread.reduce((sum, { bytes }) => sum + bytes, 0);
    return unread.map(({ offset }) => offset);
  }

  /** Removes all. */
  clear(): void {
    this.#items = [];
    this.#bytes = 0;
  }

  #placeOf(item: Pick<UpcomingSchedule, "offset" | "dueAtMs">): number {
    let [from, to] = [0, this.#items.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (isBefore(this.#items[middle]!, item)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

type Place = Pick<UpcomingSchedule, "offset" | "dueAtMs">;

function isBefore(a: Place, b: Place): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.offset < b.offset);
}
