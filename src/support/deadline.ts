/**
 * Waiting that ends: after a time, at a deadline, or at a signal. A stop must end whatever a job or a broker does.
 */
import { clearTimeout, setTimeout } from "./timers.ts";
import { MAX_TIMER_MS } from "./validation.ts";

/**
 * Waits for a time.
 *
 * @param ms in milliseconds
 * @param signal ends the wait earlier; the promise resolves then as well
 */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  signal?.addEventListener("abort", end);
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", end);
}

/**
 * Waits until a promise is settled, but no longer than a time. A rejection counts as settled.
 *
 * @param timeoutMs in milliseconds; a negative number counts as 0, and `Infinity` as the longest time of a timer
 * @returns whether it was settled in time
 */
export async function waitUntilSettled(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  // Without Promise.withResolvers: in Node 20, which lacks it, the command line must end with its error.
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(Math.max(0, timeoutMs), MAX_TIMER_MS));
  });
  try {
    return await Promise.race([promise.then(() => true, () => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for a promise, and no longer once a signal aborts. Its outcome is ignored then.
 *
 * @param signal @default the wait has no other end
 * @returns the value of the promise
 * @throws the reason of the promise, or of the signal if it aborts before
 */
export async function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return await promise;
  promise.catch(() => {});
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Waits for a promise until a signal aborts. A promise that rejects after that is ignored.
 *
 * @returns the value of the promise; `null` if the signal has aborted, even at the same moment
 * @throws the reason of a promise that rejects before
 */
export async function waitUntilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> {
  promise.catch(() => {});
  if (signal.aborted) return null;
  const { promise: aborted, resolve } = Promise.withResolvers<null>();
  const onAbort = () => resolve(null);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const first = await Promise.race([promise, aborted]);
    return signal.aborted ? null : first;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
