/**
 * Origins: facts of the wire that a JavaScript value cannot hold, such as which keys of a hash were Ruby symbols, or the
 * nanoseconds of a `Date`. They are kept beside the value, so that a job that is enqueued again is written as it was. A
 * copy of the value has no origin, and a `Date` that was changed since loses it.
 */
import { processGlobal } from "../shared.ts";

/** A hash whose kind Rails has written. */
export interface HashMark {
  /** The key that Rails adds. */
  readonly marker: "_aj_symbol_keys" | "_aj_ruby2_keywords" | "_aj_hash_with_indifferent_access";
  /** The keys that were symbols; none for an indifferent hash. */
  readonly names: readonly string[];
}

/** A value that is written as it was read, as long as it is the same time. */
export interface ExactTime {
  /** Milliseconds since 1970. */
  readonly ms: number;
  /** The serialized value. */
  readonly wire: Readonly<Record<string, unknown>>;
}

/** See the module. */
export interface Origin {
  readonly hash?: HashMark;
  readonly time?: ExactTime;
  /** The GlobalID of an object that the App's locator has found. */
  readonly globalId?: string;
  /** Whether it is a list of arguments as JSON, as long as they are not read: it is written as it is. */
  readonly isSerialized?: boolean;
}

const origins = processGlobal("origins", () => new WeakMap<object, Origin>());

/** Returns the origin of a value, if it has one. */
export function originOf(value: object): Origin | undefined {
  return origins.get(value);
}

/** Sets the origin of a value. */
export function setOrigin(value: object, origin: Origin): void {
  origins.set(value, origin);
}
