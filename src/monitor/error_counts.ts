/**
 * Counts of errors by where they occurred. Applications report errors of their own under any name, so the number of names
 * is bounded: further ones are counted together.
 */
import { OTHERS } from "./job_series.ts";

/** The library's own names. They are counted from 0, so that `increase()` sees the first error. */
const KNOWN = [
  "consumer",
  "dead letter",
  "enqueue",
  "group offsets",
  "health server",
  "listener",
  "log",
  "read",
  "retention",
  "tracing",
  "worker",
];

/** Names at most. */
const MAX_NAMES = 30;

/** Counts errors. */
export class ErrorCounts {
  readonly #counts = new Map<string, number>(KNOWN.map((name) => [name, 0]));

  /**
   * Counts an error.
   *
   * @param where as events have it: `"listener of job.log"` is counted as `listener`
   */
  add(where: string): void {
    const name = String(where).replace(/(:| of | while ).*/s, "");
    const counted = this.#counts.has(name) || this.#counts.size < MAX_NAMES ? name : OTHERS;
    this.#counts.set(counted, (this.#counts.get(counted) ?? 0) + 1);
  }

  /** Returns the names and their counts. */
  entries(): (readonly [name: string, count: number])[] {
    return [...this.#counts];
  }
}
