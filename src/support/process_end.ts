/** The end of the process, where it is not the end of the event loop: `Deno.exit`, an uncaught error or rejection. */

/** `unload` is not dispatched at a crash. */
const EVENTS = ["unload", "error", "unhandledrejection"];

/**
 * Calls a function at the end of the process. It may be called without an end as well: at an error or a rejection that is
 * handled by a later listener.
 *
 * @param fn a synchronous function
 * @returns a function that removes it
 */
export function onProcessEnd(fn: () => void): () => void {
  const listener = () => fn();
  for (const event of EVENTS) globalThis.addEventListener?.(event, listener);
  return () => {
    for (const event of EVENTS) globalThis.removeEventListener?.(event, listener);
  };
}
