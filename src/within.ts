/**
 * Waiting with a deadline: a stop must come to its end whatever a job or a broker does.
 */

/** Waits for a promise that never rejects, but not longer than so many milliseconds. */
export async function within(promise: Promise<void>, ms: number): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, over]);
  clearTimeout(timer);
}
