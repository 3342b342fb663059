/** Runs a part of a request within a time limit: a broker that does not respond must not leave a browser without a page. */
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** The time limit of a load or an action is over. */
export class TimeLimitError extends Error {
  /** `"TimeLimitError"`. */
  override name = "TimeLimitError";
  /** The time limit, in milliseconds. */
  readonly limitMs: number;
  /** Sentences about what may be the reason, without full stops; none if it is not known. */
  readonly reasons: readonly string[];

  constructor(limitMs: number, reasons: readonly string[] = []) {
    super(`No response within ${limitMs} ms`);
    this.limitMs = limitMs;
    this.reasons = reasons;
  }
}

/**
 * Runs a function until it is done, or the time is over. Its later outcome is ignored. The signal of the request is not used:
 * `Deno.serve` aborts it after each response, and prints a warning once it is read (Deno 2.9.6).
 *
 * @param run gets a signal that aborts at the end of the time
 * @throws {TimeLimitError} once the time is over
 */
export async function runWithin<T>(limitMs: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new TimeLimitError(limitMs);
    late.reject(error);
    controller.abort(error);
  }, limitMs);
  try {
    const running = run(controller.signal);
    running.catch(() => {});
    return await Promise.race([running, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
