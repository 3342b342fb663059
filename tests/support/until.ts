/**
 * Waiting for a condition, which is checked every few milliseconds. The wait fails after far longer than anything in
 * these tests takes, and its error describes the state.
 */

/** The time between two checks of a condition, in ms. */
const LOOK_EVERY_MS = 5;
/** The longest wait for a condition, unless a test says otherwise, in ms. */
const PATIENCE_MS = 30_000;

/**
 * Waits until a condition holds.
 *
 * @param condition is called until it returns neither `false`, `null` nor `undefined`
 * @param what describes the condition and the state, for the error
 * @param patienceMs the longest wait, in ms
 * @returns the result of the condition
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
    if (performance.now() > untilMs) throw new Error(`Waited ${patienceMs} ms without success: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Measures the time that a function takes, in ms. */
export async function durationMs(run: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}
