/**
 * Loads code when it is first needed, outside of every scope.
 *
 * In Deno 2.9 the async context of an `import()` stays active after it has settled, and the next event from outside (a
 * request of `Deno.serve`, for example) starts in it: the first user who enqueues would be the current user of another
 * user's request. Therefore all lazy loading happens in the root context.
 */
import { runInRootContext } from "./root_context.ts";

/**
 * Calls a function outside of every scope.
 *
 * @param load a function that does no more than `import()`
 * @returns a promise of the result of `load`
 */
export function lazyImport<T>(load: () => Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => runInRootContext(() => load().then(resolve, reject)));
}
