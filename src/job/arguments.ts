/**
 * Arguments on the wire: plain JSON. A value keeps its type and its contents, or it is refused where the job is enqueued.
 *
 * JSON alone would change some values silently: a Date becomes a string, a Map becomes `{}`, NaN becomes `null`, a property
 * of an array is dropped. Such a value is refused, and the message has its path. Numbers and bigints keep every digit: an
 * integer beyond 2^53 is read as a bigint, and the envelope lists the places of smaller bigints (see `envelope.ts`).
 *
 * Each object is copied before it is checked. A getter or a proxy is therefore read once, and what was checked is what is
 * written.
 */
import { PoisonError, SerializationError } from "../errors.ts";
import { show } from "../support/validation.ts";

/** Number of levels that values may be nested; the list of arguments is the first one. The reader has the same limit. */
export const MAX_DEPTH = 500;

/** Keys that Active Job reserves for its own serializers. */
const RESERVED = /^_aj_/;

/** Wraps JSON text that `JSON.stringify` must write as it is. TypeScript does not know this function yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** `JSON.stringify` alone would write 0. */
const NEGATIVE_ZERO = rawJson("-0.0");

/** The place of a value: a key inside an outer value. The outermost place is the name of the whole. */
interface Place {
  readonly outer: Place | null;
  readonly key: string | number;
}

/**
 * Prepares values for `JSON.stringify`.
 *
 * @param values the arguments of a job, or current attributes by class name; only their entries matter
 * @param field the envelope's field, which begins each path in a message
 * @param bigints receives the JSON pointer (RFC 6901) of each bigint that a reader would take for a number
 * @returns a copy with the same contents; integers that JSON writes otherwise are wrapped
 * @throws {SerializationError} for a value that JSON cannot hold; the message has its path, such as `arguments[0].at`
 */
export function serialize<Values extends readonly unknown[] | object>(
  values: Values,
  field: string,
  bigints: string[],
): Values {
  const root: Place = { outer: null, key: field };
  const copy: Record<string | number, unknown> | unknown[] = Array.isArray(values) ? [...values] : { ...values };
  for (const key of Array.isArray(copy) ? copy.keys() : Object.keys(copy)) {
    const entry = (copy as Record<string | number, unknown>)[key];
    (copy as Record<string | number, unknown>)[key] = serializeEntry(entry, { outer: root, key }, bigints);
  }
  return copy as Values;
}

function serializeEntry(value: unknown, place: Place, bigints: string[]): unknown {
  try {
    return write(value, place.outer, place.key, 1, bigints);
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    if (error === TOO_DEEP) throw nestedTooDeep(value, place);
    throw new SerializationError(`Cannot serialize ${pathOf(place)}: reading it failed`, { cause: error });
  }
}

/** Thrown beyond the depth, without a path, which would be that long. */
const TOO_DEEP: unique symbol = Symbol("too deep");

function write(value: unknown, outer: Place | null, key: string | number, depth: number, bigints: string[]): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw refusal({ outer, key }, `JSON has no ${value}`);
      return serializeNumber(value);
    case "bigint":
      if (isSafe(value)) bigints.push(pointerOf({ outer, key }));
      return rawJson(String(value));
    case "object":
      if (value === null) return value;
      if (depth >= MAX_DEPTH) throw TOO_DEEP;
      return Array.isArray(value)
        ? serializeArray(value, { outer, key }, depth, bigints)
        : serializeObject(value as Record<string, unknown>, { outer, key }, depth, bigints);
    case "undefined":
      throw refusal({ outer, key }, "unsupported type undefined; leave it out, or pass null");
    default:
      throw refusal({ outer, key }, `unsupported type ${show(value)}`);
  }
}

function serializeNumber(value: number): unknown {
  if (Object.is(value, -0)) return NEGATIVE_ZERO;
  // Digits alone would be read as an exact integer, a bigint here; with ".0" they are a float on every side.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) return rawJson(`${value}.0`);
  return value;
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}

function serializeArray(list: readonly unknown[], place: Place, depth: number, bigints: string[]): unknown[] {
  const prototype = Object.getPrototypeOf(list);
  if (prototype !== Array.prototype && !isForeignPrototype(prototype, Array.isArray)) {
    throw refusal(place, `unsupported type, an array of the class ${nameOf(prototype)}; pass a plain array: [...list]`);
  }
  checkMethod(list, place);
  // An index each, and "length". Checked before the copy: the length of an array with holes says nothing about its size.
  const keys = Reflect.ownKeys(list);
  if (keys.length !== list.length + 1) throw irregularArray(list, keys, place);
  const copy = [...list];
  for (let index = 0; index < copy.length; index++) copy[index] = write(copy[index], place, index, depth + 1, bigints);
  return copy;
}

function serializeObject(object: Record<string, unknown>, place: Place, depth: number, bigints: string[]): unknown {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype && !isForeignPrototype(prototype, isNotArray)) {
    throw refusal(place, `unsupported type, an instance of ${nameOf(prototype)}; pass plain data`);
  }
  checkMethod(object, place);
  const copy = { ...object };
  const names = Object.keys(copy);
  const keys = Reflect.ownKeys(object);
  if (keys.length !== names.length) throw irregularObject(names, keys, place);
  for (const name of names) {
    if (RESERVED.test(name)) throw refusal(place, `its key "${name}" is reserved`);
    copy[name] = write(copy[name], place, name, depth + 1, bigints);
  }
  return copy;
}

/** `JSON.stringify` would call it. An inherited one too: libraries have added `toJSON` to built-in prototypes. */
function checkMethod(object: object, place: Place): void {
  if (typeof (object as { toJSON?: unknown }).toJSON !== "function") return;
  throw refusal(place, `unsupported type, an ${Array.isArray(object) ? "array" : "object"} with a toJSON method`);
}

/** Returns whether a prototype is the built-in one of another realm, such as a `node:vm` context. */
function isForeignPrototype(prototype: object | null, isOfKind: (value: unknown) => boolean): boolean {
  if (prototype === null || !isOfKind(prototype)) return false;
  const top = Array.isArray(prototype) ? Object.getPrototypeOf(prototype) : prototype;
  return top !== null && Object.getPrototypeOf(top) === null && Object.hasOwn(top, "isPrototypeOf");
}

function isNotArray(value: unknown): boolean {
  return !Array.isArray(value);
}

function nameOf(prototype: object | null): string {
  return show(String(prototype?.constructor?.name));
}

function irregularArray(list: readonly unknown[], keys: readonly PropertyKey[], place: Place): SerializationError {
  for (const key of keys) {
    if (key === "length" || (typeof key === "string" && /^\d+$/.test(key))) continue;
    return refusal(place, `unsupported type, an array with the property ${show(key)}; pass a plain array: [...list]`);
  }
  const hole = list.findIndex((_, index) => !Object.hasOwn(list, index));
  return refusal({ outer: place, key: hole }, "unsupported type undefined, a hole in the array; pass null");
}

function irregularObject(names: readonly string[], keys: readonly PropertyKey[], place: Place): SerializationError {
  const symbol = keys.find((key) => typeof key === "symbol");
  if (symbol !== undefined) return refusal(place, `its key ${String(symbol)} is not a string`);
  const hidden = keys.find((key) => !names.includes(key as string));
  return refusal(place, `its property ${show(hidden)} is not enumerable, and JSON would drop it`);
}

function refusal(place: Place, why: string): SerializationError {
  return new SerializationError(`Cannot serialize ${pathOf(place)}: ${why}`);
}

/** Returns for example `arguments[0].user.at`. */
function pathOf(place: Place): string {
  if (place.outer === null) return String(place.key);
  return `${pathOf(place.outer)}${typeof place.key === "number" ? `[${place.key}]` : `.${place.key}`}`;
}

/** Returns for example `/arguments/0/user/at`: a JSON pointer (RFC 6901). */
function pointerOf(place: Place): string {
  const key = String(place.key).replaceAll("~", "~0").replaceAll("/", "~1");
  return `${place.outer === null ? "" : pointerOf(place.outer)}/${key}`;
}

function nestedTooDeep(value: unknown, place: Place): SerializationError {
  const circle = findCircle(value, place, []);
  if (circle === null || circle === TOO_DEEP) return refusal(place, `it is nested deeper than ${MAX_DEPTH}`);
  return refusal(circle, "it is circular");
}

/**
 * Finds the first object that is nested in itself. It goes the way that `write` went, and ends where that ended: to look
 * further would take for ever in a deep value whose parts are shared.
 *
 * @returns its place; `TOO_DEEP` at the end of a path without a circle; `null` if the value is not too deep
 */
function findCircle(value: unknown, place: Place, outerValues: readonly unknown[]): Place | typeof TOO_DEEP | null {
  if (typeof value !== "object" || value === null) return null;
  if (outerValues.includes(value)) return place;
  if (outerValues.length >= MAX_DEPTH) return TOO_DEEP;
  const around = [...outerValues, value];
  for (const [key, entry] of Object.entries(value)) {
    const inner = { outer: place, key: Array.isArray(value) ? Number(key) : key };
    const found = findCircle(entry, inner, around);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Checks values that were read: whether they are nested too deeply, and whether there is an integer that a number cannot
 * hold.
 *
 * @returns whether the text must be read again with {@linkcode parseExactly}
 * @throws {PoisonError} if they are nested deeper than {@linkcode MAX_DEPTH}
 */
export function hasUnsafeInteger(value: unknown, depth: number = 0): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return false;
  if (depth >= MAX_DEPTH) throw new PoisonError(`The envelope is nested deeper than ${MAX_DEPTH}`);
  let found = false;
  // Not `for … in` over an array, which makes a string of each index.
  for (const entry of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof entry !== "string" && hasUnsafeInteger(entry, depth + 1)) found = true;
  }
  return found;
}

/** `JSON.parse`, but integers beyond 2^53 become bigints. It takes 4.6 times as long: only for text that has one. */
export function parseExactly(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? "")
      ? BigInt(context.source!)
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

/**
 * Turns integers back into the bigints that they were. The pointers come from a record, so they are not trusted: a pointer
 * to anything but an integer is ignored.
 *
 * @param root the parsed envelope; changed in place
 * @param pointers JSON pointers of the bigints that {@linkcode serialize} listed
 */
export function restoreBigints(root: Record<string, unknown>, pointers: unknown): void {
  if (!Array.isArray(pointers)) return;
  for (const pointer of pointers) if (typeof pointer === "string") restoreBigint(root, pointer);
}

function restoreBigint(root: Record<string, unknown>, pointer: string): void {
  const keys = pointer.split("/").slice(1).map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop();
  let holder: unknown = root;
  for (const key of keys) holder = ownEntry(holder, key);
  if (last === undefined || holder === root || !Number.isSafeInteger(ownEntry(holder, last))) return;
  const entries = holder as Record<string, unknown>;
  entries[last] = BigInt(entries[last] as number);
}

/** Never an inherited entry, and not the length of an array. */
function ownEntry(holder: unknown, key: string): unknown {
  if (typeof holder !== "object" || holder === null || !Object.hasOwn(holder, key)) return undefined;
  return Array.isArray(holder) && key === "length" ? undefined : (holder as Record<string, unknown>)[key];
}
