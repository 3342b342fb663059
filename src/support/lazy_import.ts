/**
 * Loading code when it is first needed, outside of every scope.
 *
 * In Deno 2.9 the async context of an `import()` stays behind when it is done, and the next thing that comes from outside
 * (a request of `Deno.serve`, say) starts in it: whoever was the first to enqueue would be the current user of a stranger's
 * request. So the context in which this module was loaded, before any request, is what all later loading happens in.
 */
import { AsyncLocalStorage } from "node:async_hooks";

/**
 * Calls a function outside of every scope.
 *
 * @param load a function that does no more than `import()`
 * @returns what it returns
 */
export const lazyImport: <T>(load: () => T) => T = AsyncLocalStorage.snapshot();
