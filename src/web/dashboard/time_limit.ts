/** Runs a part of a request within a time limit: a broker that does not respond must not leave a browser without a page. */
import { clearTimeout, setTimeout } from "../../support/timers.ts";

/** The time limit of a load or an action is over. */
export class TimeLimitError extends Error {
  /** `"TimeLimitError"`. */
  override name = "TimeLimitError";
  /** The time limit, in milliseconds. */
  readonly limitMs: number;

  constructor(limitMs: number) {
    super(`No response within ${limitMs} ms`);
    this.limitMs = limitMs;
  }
}

/**
 * Runs a function until it is done, or the time is over. Its later outcome is ignored.
 *
 * @param run gets a signal that aborts at the end of the time, and once a signal of the client does
 * @throws {TimeLimitError} once the time is over
 */
export async function runWithin<T>(
  limitMs: number,
  client: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const error = new TimeLimitError(limitMs);
    late.reject(error);
    controller.abort(error);
  }, limitMs);
  const onGone = () => controller.abort(client.reason);
  client.addEventListener("abort", onGone, { once: true });
  try {
    const running = run(controller.signal);
    running.catch(() => {});
    return await Promise.race([running, late.promise]);
  } finally {
    clearTimeout(timer);
    client.removeEventListener("abort", onGone);
  }
}
