/**
 * Measures how busy the machine is while a test measures times. Brokers that are restarted need a core, as everything else that
 * runs beside the test does, so a bar is extended by the time that the machine itself takes away:
 *
 * - three times the longest wait of a timer of this process, which mostly sleeps and is scheduled early: a job passes the
 *   producer, a broker and the worker, each of which may wait as long,
 * - and 500 ms for each process that waits for a core, by the load average of the last minute. The cluster's own processes
 *   count too; on a machine with two cores that does nothing else they add less than 500 ms.
 */
const TICK_MS = 20;
const PROCESSES_OF_A_JOB = 3;
const MS_A_WAITING_PROCESS = 500;

/** See the module. */
export class MachineMeter implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;
  #tickMs = performance.now();
  #stallMs = 0;
  #load = 0;

  /** Starts to measure. */
  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Fails if a time is above its bar and what the machine adds to it. @param details shown with the failure */
  assertWithin(what: string, ms: number, barMs: number, details: () => string = () => ""): void {
    if (ms <= barMs + this.allowanceMs) return;
    throw new Error(
      `${what}: ${ms} ms, more than ${barMs} ms (and ${this.allowanceMs} ms for the machine)${details()}`,
    );
  }

  /** The time by which bars are extended, in milliseconds. */
  get allowanceMs(): number {
    const waiting = Math.max(0, this.#load / navigator.hardwareConcurrency - 1);
    return Math.round(PROCESSES_OF_A_JOB * this.#stallMs + waiting * MS_A_WAITING_PROCESS);
  }

  /** Forgets what was measured. */
  restart(): void {
    this.#stallMs = 0;
    this.#load = 0;
    this.#tickMs = performance.now();
  }

  /** Measures no longer; the figure stays. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#stallMs = Math.max(this.#stallMs, nowMs - this.#tickMs - TICK_MS);
    this.#load = Math.max(this.#load, Deno.loadavg()[0]!);
    this.#tickMs = nowMs;
  }
}
