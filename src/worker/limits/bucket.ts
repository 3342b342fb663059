/**
 * The jobs that share one limit: those with one value of its `by`. A bucket counts what may start now, and keeps the records
 * that wait for it, in their order. A record keeps its place while it is woken and not yet started, and its turn: no other is
 * woken for it. One whose partition has no slot has no turn: it might keep it for long. Pure.
 */

/** A record that waits for a bucket. */
export interface HeldRecord {
  /** Whether it was made ready again, since there is space. */
  isWoken: boolean;
  /** Returns whether its partition has a slot for it. */
  readonly hasSlot: () => boolean;
  /** Makes it ready again. */
  readonly wake: () => void;
}

/** See the module. */
export abstract class Bucket {
  readonly #held = new Set<HeldRecord>();

  /** The number of jobs that may start at a time, in milliseconds on the clock of the limits. */
  abstract spaceAt(nowMs: number): number;

  /** Counts the start of a job. */
  abstract enter(nowMs: number): void;

  /** Counts a job that has entered from a later time on. */
  abstract delay(enteredMs: number, nowMs: number): void;

  /** Counts the end of the run of a job. */
  abstract leave(nowMs: number): void;

  /** The time at which there is more space without any end of a run, in milliseconds; `null` for never. */
  abstract nextSpaceMs(): number | null;

  /** Whether nothing waits, and nothing counts any more. */
  abstract isIdle(nowMs: number): boolean;

  /** Whether a record waits. */
  get isHolding(): boolean {
    return this.#held.size > 0;
  }

  /** Lets a record wait. One that waits already, and was woken in vain, keeps its place. */
  hold(record: HeldRecord): void {
    record.isWoken = false;
    this.#held.add(record);
  }

  /** Forgets a record that waits: it has started, or waits for another bucket, or is lost. */
  release(record: HeldRecord): void {
    this.#held.delete(record);
  }

  /** Wakes as many records as there is space for, and at most as many without a turn. */
  wake(nowMs: number): void {
    let space = this.spaceAt(nowMs);
    let withoutTurn = space;
    for (const record of this.#held) {
      if (space <= 0) return;
      if (record.isWoken || record.hasSlot()) space--;
      else if (withoutTurn-- > 0) this.#held.delete(record);
      else continue;
      if (record.isWoken) continue;
      record.isWoken = true;
      record.wake();
    }
  }
}

/** Jobs of which at most `max` run at once. */
export class RunningBucket extends Bucket {
  readonly #max: number;
  #running = 0;

  constructor(max: number) {
    super();
    this.#max = max;
  }

  spaceAt(): number {
    return this.#max - this.#running;
  }

  enter(): void {
    this.#running++;
  }

  delay(): void {}

  leave(nowMs: number): void {
    this.#running--;
    this.wake(nowMs);
  }

  nextSpaceMs(): null {
    return null;
  }

  isIdle(): boolean {
    return this.#running === 0 && !this.isHolding;
  }
}

/** Jobs of which at most `jobs` start in any span of `perMs` milliseconds. It keeps the time of each start in that span. */
export class RateBucket extends Bucket {
  readonly #jobs: number;
  readonly #perMs: number;
  /** From `#first` on, in their order. */
  #starts: number[] = [];
  #first = 0;
  #lastMs = -Infinity;

  constructor(jobs: number, perMs: number) {
    super();
    this.#jobs = jobs;
    this.#perMs = perMs;
  }

  spaceAt(nowMs: number): number {
    if (nowMs < this.#lastMs) this.#setBack(nowMs);
    this.#lastMs = nowMs;
    let first = this.#first;
    while (first < this.#starts.length && this.#starts[first]! <= nowMs - this.#perMs) first++;
    if (first > this.#first) this.#forgetBefore(first);
    return this.#jobs - (this.#starts.length - this.#first);
  }

  enter(nowMs: number): void {
    this.#starts.push(nowMs);
  }

  delay(enteredMs: number, nowMs: number): void {
    const at = this.#starts.lastIndexOf(enteredMs);
    // If it is counted no more, or the clock was set back, there is nothing to delay.
    if (at < this.#first || nowMs < this.#starts.at(-1)!) return;
    this.#starts.splice(at, 1);
    this.#starts.push(nowMs);
  }

  leave(): void {}

  nextSpaceMs(): number | null {
    const first = this.#starts[this.#first];
    return first === undefined ? null : first + this.#perMs;
  }

  isIdle(nowMs: number): boolean {
    return !this.isHolding && this.spaceAt(nowMs) === this.#jobs;
  }

  /** The clock was set back: no start may wait for a time that it shows much later, and none is forgotten. */
  #setBack(nowMs: number): void {
    this.#starts = this.#starts.map((startMs) => Math.min(startMs, nowMs));
  }

  /** Cuts the list when half of it is forgotten, so that this takes constant time on average. */
  #forgetBefore(first: number): void {
    const isShort = first * 2 < this.#starts.length;
    this.#starts = isShort ? this.#starts : this.#starts.slice(first);
    this.#first = isShort ? first : 0;
  }
}
