/**
 * Waiting with a deadline: a stop must come to its end whatever a job or a broker does.
 */
import { clearTimeout, setTimeout } from "./timers.ts";

/**
 * Waits for a promise, but not longer than this. A rejection counts as its end.
 *
 * @param deadlineMs in milliseconds; 0 where it is negative
 * @returns whether it was settled in time
 */
export async function settledWithin(promise: Promise<unknown>, deadlineMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), Math.max(0, deadlineMs));
  try {
    return await Promise.race([promise.then(() => true, () => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
