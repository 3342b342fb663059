/**
 * Waiting for a condition, which is checked every few milliseconds. The wait fails after far longer than anything in
 * these tests takes, and its error describes the state.
 */
import process from "node:process";
import { Patience } from "./patience.ts";

/** The time between two checks of a condition, in ms. */
const LOOK_EVERY_MS = 5;
/** The longest wait for a condition, unless a test says otherwise, in ms. */
export const PATIENCE_MS = 60_000;

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
  const patience = new Patience(patienceMs);
  while (true) {
    const answer = await condition();
    if (answer !== false && answer !== null && answer !== undefined) return answer as NonNullable<T>;
    if (patience.isOver) throw new Error(`Waited ${patienceMs} ms without success: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Measures the time of the processor that a function takes, in ms: what runs beside the test does not add to it. */
export async function processorMs(run: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Measures the time that a function takes, in ms. */
export async function durationMs(run: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await run();
  return performance.now() - startedMs;
}
