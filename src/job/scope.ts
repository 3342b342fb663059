/**
 * The scope in which code runs: the App that its jobs go to, and the current attributes of the request. Both live in one
 * `AsyncLocalStorage`, since entering one is expensive, and more so with each further one. It is made when the first scope
 * is opened.
 *
 * `enterWith` is not used: it would leak into the next request of a server.
 */
import type { AsyncLocalStorage } from "node:async_hooks";
import { nodeBuiltin } from "../support/node_builtin.ts";
import { processGlobal } from "./shared.ts";

/** A scope has two parts. */
interface Scope {
  readonly runtime: unknown;
  readonly attributes: unknown;
}

const NOTHING: Scope = { runtime: undefined, attributes: undefined };
const scopes = processGlobal<{ storage?: AsyncLocalStorage<Scope> }>("scopes", () => ({}));

/** Returns the scope of the running code. */
function current(): Scope {
  return scopes.storage?.getStore() ?? NOTHING;
}

function enter<T>(scope: Scope, fn: () => T): T {
  scopes.storage ??= new (nodeBuiltin("node:async_hooks").AsyncLocalStorage<Scope>)();
  return scopes.storage.run(scope, fn);
}

/** One part of the scope. */
export interface Scoped<Value> {
  /** Returns its value in the running code; `undefined` outside of a scope. */
  get(): Value | undefined;
  /** Runs a function in a new scope in which it has this value; the other part keeps its value. */
  run<T>(value: Value, fn: () => T): T;
}

/** Returns the part that holds the App to which jobs go. */
export function runtimeScope<Value>(): Scoped<Value> {
  return {
    get: () => current().runtime as Value | undefined,
    run: (runtime, fn) => enter({ runtime, attributes: current().attributes }, fn),
  };
}

/** Returns the part that holds the current attributes. */
export function attributesScope<Value>(): Scoped<Value> {
  return {
    get: () => current().attributes as Value | undefined,
    run: (attributes, fn) => enter({ runtime: current().runtime, attributes }, fn),
  };
}
