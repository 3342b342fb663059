/**
 * Runs functions in the async context in which this module was loaded: outside of every scope, whatever request or job is
 * current at the call.
 *
 * The continuation of an `await` runs in the context in which it was suspended. One loop, suspended while the module loads
 * and again after each function, therefore stays in that context for ever. `AsyncLocalStorage.snapshot()` would do the same,
 * but importing `node:async_hooks` costs a third of an empty program's start, and most programs never open a scope.
 */
const waiting: (() => void)[] = [];
let wake = (): void => {};

async function runWaiting(): Promise<never> {
  while (true) {
    if (waiting.length === 0) await new Promise<void>((resolve) => wake = resolve);
    waiting.shift()!();
  }
}
void runWaiting();

/**
 * Calls a function a microtask later, outside of every scope. Functions are called in the order of the calls.
 *
 * @param fn a function that neither throws nor enters a context (`enterWith`)
 */
export function runInRootContext(fn: () => void): void {
  waiting.push(fn);
  wake();
}
