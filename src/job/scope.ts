/**
 * The scope in which code runs: which App its jobs go to, and what belongs to the request. Both live in one
 * `AsyncLocalStorage`, since entering it is dear, and dearer with each further one.
 *
 * `enterWith` is not used: it would leak into a server's next request.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { shared } from "./shared.ts";

/** What a scope holds: a value for each of those who keep something in it. */
interface Scope {
  readonly runtime: unknown;
  readonly attributes: unknown;
}

const NOTHING: Scope = { runtime: undefined, attributes: undefined };
const scopes = shared("scopes", () => new AsyncLocalStorage<Scope>());

/** One part of the scope. */
export interface Scoped<Value> {
  /** Its value here; `undefined` outside. */
  get(): Value | undefined;
  /** Runs a function in a new scope in which it has this value and the other parts are as here. */
  run<T>(value: Value, fn: () => T): T;
}

/** The App that jobs go to. */
export function scopedRuntime<Value>(): Scoped<Value> {
  return {
    get: () => scopes.getStore()?.runtime as Value | undefined,
    run: (runtime, fn) => scopes.run({ runtime, attributes: (scopes.getStore() ?? NOTHING).attributes }, fn),
  };
}

/** The current attributes. */
export function scopedAttributes<Value>(): Scoped<Value> {
  return {
    get: () => scopes.getStore()?.attributes as Value | undefined,
    run: (attributes, fn) => scopes.run({ runtime: (scopes.getStore() ?? NOTHING).runtime, attributes }, fn),
  };
}
