/**
 * The root context: code that runs outside of every scope, whatever request or job is current at the call.
 *
 * The continuation of an `await` runs in the context in which it was suspended. One loop, suspended while this module loads
 * and again after each function, therefore stays in that context for ever. `AsyncLocalStorage.snapshot()` would do the same,
 * but importing `node:async_hooks` costs a third of an empty program's start, and most programs never open a scope.
 */
import { nodeBuiltin } from "./node_builtin.ts";

type RunInContext = <Args extends unknown[], Result>(fn: (...args: Args) => Result, ...args: Args) => Result;

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

/**
 * Loads code when it is first needed, outside of every scope.
 *
 * In Deno 2.9 the async context of an `import()` stays active after it has settled, and the next event from outside (a
 * request of `Deno.serve`, for example) starts in it: the first user who enqueues would be the current user of another
 * user's request. Therefore all lazy loading happens in the root context.
 *
 * @param load a function that does no more than `import()`
 * @returns a promise of the result of `load`
 */
export function lazyImport<T>(load: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => runInRootContext(() => load().then(resolve, reject)));
}

let runInRoot: RunInContext | undefined;

/** Marks the library's own listeners, also those of another copy of it. */
const OWN_LISTENER: unique symbol = Symbol.for("@activejob/kafka.ownListener") as never;

/** Marks a listener as the library's own, which needs no isolation: it enters no context, and uses none. */
export function ownListener<Fn extends (...args: never[]) => unknown>(fn: Fn): Fn {
  return Object.assign(fn, { [OWN_LISTENER]: true });
}

/**
 * Wraps a function that the user wrote and the library calls synchronously, such as a listener. It starts outside of every
 * scope, and a context that it enters (`AsyncLocalStorage.enterWith`) ends with the call.
 *
 * A call costs about 0.5 µs more than without (measured): too much for each job, so that jobs are isolated by another
 * means (`Attempt.perform`).
 *
 * @returns a function that calls `fn` outside of every scope. In the turn in which the very first function is wrapped, it
 * calls it in the context of that moment
 */
export function isolate<Args extends unknown[], Result>(fn: (...args: Args) => Result): (...args: Args) => Result {
  if (OWN_LISTENER in fn) return fn;
  const capture = (): RunInContext => nodeBuiltin("node:async_hooks").AsyncLocalStorage.snapshot();
  if (runInRoot === undefined) {
    runInRoot = capture();
    runInRootContext(() => runInRoot = capture());
  }
  return (...args) => runInRoot!(fn, ...args);
}
