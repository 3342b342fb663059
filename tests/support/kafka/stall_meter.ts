/**
 * Measures how long the machine lets a process wait that wants to run, by a timer that comes late. A test that measures times on
 * a busy machine adds it to its bars.
 */
const TICK_MS = 20;

/** See the module. */
export class StallMeter implements Disposable {
  /** The longest wait since the last {@linkcode restart}, in milliseconds. */
  worstMs = 0;
  readonly #timer: ReturnType<typeof setInterval>;
  #tickMs = performance.now();

  /** Starts to measure. */
  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Forgets what was measured. */
  restart(): void {
    this.worstMs = 0;
    this.#tickMs = performance.now();
  }

  /** Measures no longer; the figure stays. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.worstMs = Math.max(this.worstMs, nowMs - this.#tickMs - TICK_MS);
    this.#tickMs = nowMs;
  }
}
