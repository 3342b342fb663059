/**
 * Reads arguments in Active Job's format. The values come from a record, so nothing is trusted: a value that cannot be read
 * is a `DeserializationError` with its path.
 *
 * Reading has two parts. `inspectJson` and `parseExactly` get the exact JSON; `deserialize` turns it into values.
 * Most jobs have plain data, which needs no second part.
 */
import { describeError, DeserializationError, PoisonError, reasonOf } from "../../errors.ts";
import { show } from "../../support/validation.ts";
import { BUILT_IN } from "./built_in.ts";
import { type HashMark, originOf, setOrigin } from "./origins.ts";
import { pathOf, type Place } from "./place.ts";
import type { AnyCodec } from "./serializer.ts";
import { GlobalId } from "./values.ts";
import { MAX_DEPTH } from "./write.ts";

/** A bit of {@linkcode inspectJson}: an integer that a number cannot hold. */
export const UNSAFE_INTEGER = 1;
/** A bit of {@linkcode inspectJson}: an object, which may be a serialized value. */
export const OBJECT = 2;

/**
 * Looks through JSON that was parsed.
 *
 * @returns the bits of what it contains: with {@linkcode UNSAFE_INTEGER} the text must be read again by
 * {@linkcode parseExactly}
 * @throws {PoisonError} if it is nested deeper than {@linkcode MAX_DEPTH}
 */
export function inspectJson(json: unknown, depth: number = 0): number {
  if (typeof json === "number") return Number.isInteger(json) && !Number.isSafeInteger(json) ? UNSAFE_INTEGER : 0;
  if (typeof json !== "object" || json === null) return 0;
  if (depth >= MAX_DEPTH) throw new PoisonError(`The envelope is nested deeper than ${MAX_DEPTH}`);
  const isArray = Array.isArray(json);
  let bits = isArray ? 0 : OBJECT;
  // Not `for … in` over an array, which makes a string of each index.
  for (const entry of isArray ? json : Object.values(json)) {
    if (typeof entry !== "string") bits |= inspectJson(entry, depth + 1);
  }
  return bits;
}

/** `JSON.parse`, but integers beyond 2^53 become bigints. It takes 4.6 times as long: only for text that has one. */
export function parseExactly(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? "")
      ? BigInt(context.source!)
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/** The parts that reading needs. */
export interface ReadOptions {
  /** The serializers of the App, by name. */
  readonly serializers: ReadonlyMap<string, AnyCodec>;
  /** The objects that the App's locator has found, by GlobalID; `undefined` without a locator. */
  readonly located: ReadonlyMap<string, unknown> | undefined;
  /** Whether the message of an error must have no value, since the values were encrypted. */
  readonly areSecret: boolean;
}

/**
 * Turns parsed JSON into values. The JSON is left alone.
 *
 * @param json a list of arguments, or current attributes by class name
 * @param field the envelope's field, which begins each path in a message
 * @throws {DeserializationError} for a value that cannot be read
 */
export function deserialize(json: unknown, field: string, options: ReadOptions): unknown {
  return read(json, { outer: null, key: field }, options);
}

/** Returns the GlobalIDs in parsed JSON, each once. */
export function collectGlobalIds(json: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof json !== "object" || json === null) return found;
  const uri = globalIdOf(json);
  if (uri !== undefined) return found.add(uri);
  for (const entry of Object.values(json)) collectGlobalIds(entry, found);
  return found;
}

/** Finds the object of a GlobalID: `undefined` or `null` if there is none. */
export type GlobalIdLocator = (id: GlobalId) => unknown;

/**
 * Finds the objects of GlobalIDs, all at once.
 *
 * @param areSecret whether the message of an error must not have the id
 * @throws {DeserializationError} if one is not found
 */
export async function locateAll(
  ids: ReadonlySet<string>,
  locate: GlobalIdLocator,
  areSecret: boolean,
): Promise<ReadonlyMap<string, unknown>> {
  const locateId = async (uri: string) => [uri, await locateOne(uri, locate, areSecret)] as const;
  return new Map(await Promise.all(Array.from(ids, locateId)));
}

async function locateOne(uri: string, locate: GlobalIdLocator, isSecret: boolean): Promise<unknown> {
  const id = isSecret ? "an encrypted GlobalID" : show(uri);
  let found: unknown;
  try {
    found = await locate(new GlobalId(uri));
  } catch (error) {
    throw new DeserializationError(`Cannot find ${id}: ${reasonOf(error)}`, { cause: error });
  }
  if (found === undefined || found === null) {
    throw new DeserializationError(`Cannot find ${id}: the App's locator returned ${found}`);
  }
  // So that the object can be enqueued again.
  if (typeof found === "object") setOrigin(found, { ...originOf(found), globalId: uri });
  return found;
}

function read(json: unknown, place: Place, options: ReadOptions): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((entry, key) => read(entry, { outer: place, key }, options));
  const uri = globalIdOf(json);
  if (uri !== undefined) return readGlobalId(uri, place, options);
  if (Object.hasOwn(json, "_aj_serialized")) return readSerialized(json as Record<string, unknown>, place, options);
  return readHash({ ...json }, place, options);
}

/** Rails takes an object for a GlobalID only if it has no other key. */
function globalIdOf(json: object): string | undefined {
  if (!Object.hasOwn(json, "_aj_globalid") || Object.keys(json).length !== 1) return undefined;
  return String((json as { _aj_globalid: unknown })._aj_globalid);
}

function readGlobalId(uri: string, place: Place, options: ReadOptions): unknown {
  if (options.located !== undefined) return options.located.get(uri);
  return orFailure(place, options, () => new GlobalId(uri));
}

function readSerialized(json: Record<string, unknown>, place: Place, options: ReadOptions): unknown {
  const { _aj_serialized: name, ...fields } = json;
  const serializer = options.serializers.get(name as string) ?? BUILT_IN.get(name as string);
  if (serializer === undefined) {
    throw failure(place, `no serializer is called ${show(name)}; list it in the App's "serializers"`);
  }
  const values = readEntries(fields, place, options);
  return orFailure(place, options, () => serializer.deserialize(values), `${serializer.name}: `);
}

const MARKERS = ["_aj_symbol_keys", "_aj_ruby2_keywords", "_aj_hash_with_indifferent_access"] as const;

/** Reads a hash. The marker that says how Ruby sees its keys becomes its origin. */
function readHash(copy: Record<string, unknown>, place: Place, options: ReadOptions): unknown {
  const marker = MARKERS.find((key) => Object.hasOwn(copy, key));
  if (marker === undefined) return readEntries(copy, place, options);
  const names = copy[marker];
  delete copy[marker];
  const hash: HashMark = { marker, names: Array.isArray(names) ? names : [] };
  const values = readEntries(copy, place, options);
  setOrigin(values, { hash });
  return values;
}

/** Reads the entries of an object in place. */
function readEntries(copy: Record<string, unknown>, place: Place, options: ReadOptions): Record<string, unknown> {
  for (const key of Object.keys(copy)) copy[key] = read(copy[key], { outer: place, key }, options);
  return copy;
}

/** A function that fails on a value may quote it: then neither its message nor its error is passed on. */
function orFailure<T>(place: Place, { areSecret }: ReadOptions, make: () => T, prefix = ""): T {
  try {
    return make();
  } catch (error) {
    if (areSecret) throw failure(place, `${prefix}${describeError(error).errorClass}`);
    throw failure(place, `${prefix}${reasonOf(error)}`, error);
  }
}

function failure(place: Place, why: string, cause?: unknown): DeserializationError {
  return new DeserializationError(`Cannot deserialize ${pathOf(place)}: ${why}`, { cause });
}
