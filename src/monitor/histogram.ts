/** A histogram: counts of values in buckets with fixed upper bounds. An observation allocates nothing. */
export class Histogram {
  /** The upper bounds, ascending and inclusive. */
  readonly bounds: readonly number[];
  /** The number of values in each bucket alone; the last one has the values beyond all bounds. */
  readonly counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  /** Counts a value. */
  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.#sum += value;
  }
}
