/**
 * Keeps the async context of a caller and of the function that it calls apart: the function starts outside of every scope,
 * and a context that it enters (`AsyncLocalStorage.enterWith`) ends with the call.
 */
import { nodeBuiltin } from "./node_builtin.ts";
import { runInRootContext } from "./root_context.ts";

type RunInContext = <Args extends unknown[], Result>(fn: (...args: Args) => Result, ...args: Args) => Result;

let runInRoot: RunInContext | undefined;

/**
 * Wraps a function, such as a listener, that the user wrote and the library calls synchronously.
 *
 * A call costs about 0.5 µs more than without (measured): too much for each job, so that jobs are isolated by another
 * means (`Attempt.perform`).
 *
 * @returns a function that calls `fn` outside of every scope. In the turn in which the very first function is wrapped, it
 * calls it in the context of that moment
 */
export function isolate<Args extends unknown[], Result>(fn: (...args: Args) => Result): (...args: Args) => Result {
  const capture = (): RunInContext => nodeBuiltin("node:async_hooks").AsyncLocalStorage.snapshot();
  if (runInRoot === undefined) {
    runInRoot = capture();
    runInRootContext(() => runInRoot = capture());
  }
  return (...args) => runInRoot!(fn, ...args);
}
