/** Waiting that an `AbortSignal` ends early. */
import { clearTimeout, setTimeout } from "./timers.ts";

/**
 * Waits for a promise, but not beyond an abort. A rejection after the abort is ignored.
 *
 * @returns the result; `null` if the signal aborted first
 */
export async function raceAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  promise.catch(() => {});
  if (signal.aborted) return null;
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const end = () => resolve(null);
  signal.addEventListener("abort", end);
  try {
    const first = await Promise.race([promise, aborted]);
    // Both may have settled in the same turn.
    return signal.aborted ? null : first;
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** Waits for a time, in milliseconds, or until the signal aborts. It never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", end);
}
