/** How values are distributed: how many lie below which bound. The bounds are fixed; an observation allocates nothing. */
export class Histogram {
  /** The upper bounds, ascending; each belongs to its own bucket. */
  readonly bounds: readonly number[];
  /** How many values lie in each bucket, not in those below it; the last is for what lies beyond all bounds. */
  readonly counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** All values together. */
  get sum(): number {
    return this.#sum;
  }

  /** Counts a value. */
  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > this.bounds[at]!) at++;
    this.counts[at]!++;
    this.#sum += value;
  }
}
