/**
 * The timers as they were when this module was loaded. A test may replace the global ones by a faked clock; the worker
 * goes on with the real ones. The App loads this module: the worker is perhaps loaded only when the fakes are in place.
 *
 * Import the names that are used: they hide the global ones.
 */
import { nodeBuiltin } from "./node_builtin.ts";

const readSetTimeout = captureGlobal("setTimeout");
const readClearTimeout = captureGlobal("clearTimeout");

/** The real `setTimeout`. */
export function setTimeout(callback: () => void, ms: number): ReturnType<typeof globalThis.setTimeout> {
  return readSetTimeout()(callback, ms);
}

/** The real `clearTimeout`. */
export function clearTimeout(timer: ReturnType<typeof globalThis.setTimeout> | undefined): void {
  readClearTimeout()(timer);
}

/**
 * Resolves in the next turn of the event loop: work that never waits for anything lets timers and sockets have their turns in
 * between. No fake replaces it.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void nodeBuiltin("node:timers").setImmediate(resolve));
}

/**
 * Captures a global without reading it: Deno loads its timers when one is first read, which costs a third of an empty
 * program's start (measured: 8 of 20 ms). A fake replaces the property, and with it the getter that is kept here.
 *
 * @returns a function that returns the global of this moment
 */
function captureGlobal<Name extends "setTimeout" | "clearTimeout">(name: Name): () => (typeof globalThis)[Name] {
  const { get, value } = Object.getOwnPropertyDescriptor(globalThis, name)!;
  return get === undefined ? () => value : () => get.call(globalThis);
}
