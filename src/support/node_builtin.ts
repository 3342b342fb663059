/**
 * Node's built-in modules, loaded at first use. An import declaration of one costs a third of an empty program's start
 * (measured: 8 of 23 ms for `node:async_hooks`), also in a program that never needs it. Only for modules that every user of
 * the library loads; code that is loaded later imports built-ins as usual.
 */
import type * as assert from "node:assert";
import type * as asyncHooks from "node:async_hooks";
import type * as buffer from "node:buffer";
import type * as crypto from "node:crypto";
import type * as fs from "node:fs";
import type * as path from "node:path";
import type * as timers from "node:timers";
import type * as url from "node:url";
import type * as util from "node:util";

interface NodeBuiltins {
  readonly "node:assert": typeof assert;
  readonly "node:async_hooks": typeof asyncHooks;
  readonly "node:buffer": typeof buffer;
  readonly "node:crypto": typeof crypto;
  readonly "node:fs": typeof fs;
  readonly "node:path": typeof path;
  readonly "node:timers": typeof timers;
  readonly "node:url": typeof url;
  readonly "node:util": typeof util;
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
