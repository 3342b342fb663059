/**
 * The timers as they were when this module was loaded. A test may replace the global ones by a faked clock; the worker
 * goes on with the real ones. The App loads this module: the worker is perhaps loaded only when the fakes are in place.
 *
 * Import the names that are used: they hide the global ones.
 */

/** The real `setTimeout`. */
export const setTimeout: typeof globalThis.setTimeout = globalThis.setTimeout;

/** The real `clearTimeout`. */
export const clearTimeout: typeof globalThis.clearTimeout = globalThis.clearTimeout;
