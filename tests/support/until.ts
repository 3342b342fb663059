/**
 * Waiting for a condition. It is looked at again every few milliseconds, and the wait fails with what was there instead
 * once it has taken far longer than anything here takes.
 */

/** How often a condition is looked at, in milliseconds. */
const LOOK_EVERY_MS = 5;
/** How long a condition may take unless a row says otherwise, in milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * Waits until a condition holds.
 *
 * @param condition looked at until its answer is neither `false`, `null` nor `undefined`
 * @param what what is waited for, and what is there instead: read when the wait fails
 * @param patienceMs in milliseconds
 * @returns the condition's answer
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  what: () => string,
  patienceMs: number = PATIENCE_MS,
): Promise<NonNullable<T>> {
  const untilMs = performance.now() + patienceMs;
  while (true) {
    const answer = await condition();
    if (answer !== false && answer !== null && answer !== undefined) return answer as NonNullable<T>;
    if (performance.now() > untilMs) throw new Error(`Waited ${patienceMs} ms in vain: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** The milliseconds that something takes. */
export async function durationMs(run: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}
