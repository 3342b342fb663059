/**
 * Node's built-in modules, loaded at first use. An import declaration of one costs a third of an empty program's start
 * (measured: 8 of 23 ms for `node:async_hooks`), also in a program that never needs it. Only for modules that every user of
 * the library loads; code that is loaded later imports built-ins as usual.
 */
import type * as asyncHooks from "node:async_hooks";
import type * as path from "node:path";

interface NodeBuiltins {
  readonly "node:async_hooks": typeof asyncHooks;
  readonly "node:path": typeof path;
}

/** The part of `node:process` that is used here. It is a global in Deno, Node and Bun. */
interface Process {
  getBuiltinModule<Name extends keyof NodeBuiltins>(name: Name): NodeBuiltins[Name];
}

/**
 * Returns a built-in module of Node.
 *
 * @param name its name, such as `"node:async_hooks"`
 */
export function nodeBuiltin<Name extends keyof NodeBuiltins>(name: Name): NodeBuiltins[Name] {
  return (globalThis as unknown as { process: Process }).process.getBuiltinModule(name);
}
