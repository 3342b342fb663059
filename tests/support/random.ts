/** Random numbers that can be repeated: a test that fails names its seed, and the seed repeats the failure. */

/** A source of random choices. */
export class Random {
  #state: number;

  /** @param seed any integer */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Returns a number in [0, 1) (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** Returns `true` with a probability: `0.25` is once in four times. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Returns one item of a list. */
  pick<T>(list: readonly T[]): T {
    return list[this.integer(0, list.length - 1)]!;
  }
}

/** Runs a property for many seeds; a failure names the seed. */
export function forSeeds(count: number, property: (random: Random, seed: number) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      property(new Random(seed), seed);
    } catch (error) {
      throw new Error(`Seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
  }
}
