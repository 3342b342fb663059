/**
 * Arguments on the wire: plain JSON for now. What JSON would change silently (a Date, a Map, NaN, a nested `undefined`, an
 * instance of a class) is refused where the job is enqueued, with its path; integers beyond 2^53 keep every digit. JSON has
 * one kind of integer: a bigint that a number can hold arrives as a number.
 */
import { PoisonError, SerializationError } from "../errors.ts";
import { show } from "../support/validation.ts";

/** Deeper values are refused on both sides. */
export const MAX_DEPTH = 500;

/** Keys that Active Job keeps for itself. */
const RESERVED = /^_aj_/;

/** Text that `JSON.stringify` writes as it stands. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** `JSON.stringify` alone would write 0. */
const NEGATIVE_ZERO = rawJson("-0.0");

/**
 * Makes a value ready for `JSON.stringify`.
 *
 * @param value anything
 * @param path how the value is called in messages, such as `arguments`
 * @returns the value itself, or a copy where bigints or large integers had to be written in another way
 * @throws {SerializationError} for what plain JSON cannot hold; the message has the path
 */
export function serialize(value: unknown, path: string): unknown {
  try {
    return write(value, path, 0);
  } catch (error) {
    if (error !== TOO_DEEP) throw error;
    const circle = circleIn(value, path, []);
    const why = circle == null ? `${path}: it is nested deeper than ${MAX_DEPTH}` : `${circle}: it is circular`;
    throw new SerializationError(`Cannot serialize ${why}`);
  }
}

/** What is thrown beyond the depth, whose path would be that long. */
const TOO_DEEP = Symbol("too deep");

/** The path to the first object that stands within itself; `null` where the depth ends first, `undefined` for neither. */
function circleIn(value: unknown, path: string, above: readonly unknown[]): string | null | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (above.includes(value)) return path;
  if (above.length >= MAX_DEPTH) return null;
  const around = [...above, value];
  for (const [key, entry] of Object.entries(value)) {
    const found = circleIn(entry, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, around);
    if (found !== undefined) return found;
  }
  return undefined;
}

function write(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return serializeNumber(value, path);
    case "bigint":
      return rawJson(String(value));
    case "object":
      if (value === null) return value;
      if (depth >= MAX_DEPTH) throw TOO_DEEP;
      return Array.isArray(value)
        ? serializeArray(value, path, depth)
        : serializeObject(value as Record<string, unknown>, path, depth);
    case "undefined":
      throw new SerializationError(`Cannot serialize ${path}: unsupported type undefined; leave it out, or pass null`);
    default:
      throw new SerializationError(`Cannot serialize ${path}: unsupported type ${show(value)}`);
  }
}

function serializeNumber(value: number, path: string): unknown {
  if (!Number.isFinite(value)) throw new SerializationError(`Cannot serialize ${path}: JSON has no ${value}`);
  if (Object.is(value, -0)) return NEGATIVE_ZERO;
  // Digits alone would be read as an exact integer, a bigint here; with ".0" they are a float on every side.
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21) return rawJson(`${value}.0`);
  return value;
}

function serializeArray(list: readonly unknown[], path: string, depth: number): unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const written = write(list[index], `${path}[${index}]`, depth + 1);
    if (written !== list[index]) (copy ??= [...list])[index] = written;
  }
  return copy ?? list as unknown[];
}

function serializeObject(object: Record<string, unknown>, path: string, depth: number): unknown {
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw new SerializationError(
      `Cannot serialize ${path}: unsupported type, an instance of "${prototype.constructor?.name}"; pass plain data`,
    );
  }
  if (typeof object.toJSON === "function") {
    throw new SerializationError(`Cannot serialize ${path}: unsupported type, an object with a toJSON method`);
  }
  let copy: Record<string, unknown> | undefined;
  for (const key of Reflect.ownKeys(object)) {
    if (typeof key === "symbol") {
      throw new SerializationError(`Cannot serialize ${path}: its key ${String(key)} is no text`);
    }
    if (RESERVED.test(key)) throw new SerializationError(`Cannot serialize ${path}: its key "${key}" is reserved`);
    const written = write(object[key], `${path}.${key}`, depth + 1);
    if (written !== object[key]) (copy ??= { ...object })[key] = written;
  }
  return copy ?? object;
}

/**
 * Looks through values that were read: are they nested too deeply, and is there an integer that a number cannot hold?
 *
 * @returns whether the text must be read again with {@linkcode parseExactly}
 * @throws {PoisonError} if they are nested deeper than {@linkcode MAX_DEPTH}
 */
export function holdsUnsafeInteger(value: unknown, depth: number = 0): boolean {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return false;
  if (depth >= MAX_DEPTH) throw new PoisonError(`The envelope is nested deeper than ${MAX_DEPTH}`);
  let found = false;
  // Not `for … in` over a list, which makes a text of each index.
  for (const entry of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof entry !== "string" && holdsUnsafeInteger(entry, depth + 1)) found = true;
  }
  return found;
}

/** `JSON.parse` in which integers beyond 2^53 become bigints. It is 4.6 times as slow: only for text that has one. */
export function parseExactly(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { source?: string }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? "")
      ? BigInt(context.source!)
      : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}
