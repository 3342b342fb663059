/**
 * The patience of a test: a limit for a wait, in time that this process had. A standstill of the process or of the machine
 * counts as one step, since nothing that the test waits for could go on meanwhile either.
 */

/** The time between two looks at a limit, in ms. */
const STEP_MS = 50;
/** The most time that counts for a step, in ms. */
const MAX_STEP_MS = 2 * STEP_MS;

/** Patience that has an end. It is used up while `isOver` is read again and again. */
export class Patience {
  readonly #limitMs: number;
  #usedMs = 0;
  #lookedMs = performance.now();

  /** @param limitMs the longest wait, in ms */
  constructor(limitMs: number) {
    this.#limitMs = limitMs;
  }

  /** Whether the wait is over. */
  get isOver(): boolean {
    const nowMs = performance.now();
    this.#usedMs += Math.min(nowMs - this.#lookedMs, MAX_STEP_MS);
    this.#lookedMs = nowMs;
    return this.#usedMs >= this.#limitMs;
  }
}

/**
 * Calls a function once the patience is over.
 *
 * @returns a function that ends the wait without a call
 */
export function afterPatience(limitMs: number, fn: () => void): () => void {
  const patience = new Patience(limitMs);
  const timer = setInterval(() => {
    if (!patience.isOver) return;
    clearInterval(timer);
    fn();
  }, STEP_MS);
  return () => clearInterval(timer);
}
