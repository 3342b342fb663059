/**
 * Writes arguments: prepares values for `JSON.stringify` in Active Job's format. A value keeps its type and its contents, or
 * it is refused where the job is enqueued, and the message has its path.
 *
 * JSON alone would change some values silently: a Date becomes a string, a Map becomes `{}`, NaN becomes `null`, a property
 * of an array is dropped. Plain data is written as it is, and everything else by a serializer. Numbers and bigints keep
 * every digit: an integer beyond 2^53 is read as a bigint. The places of smaller bigints, and of `undefined`, are noted for
 * the envelope (see `envelope.ts`).
 *
 * Each object is copied before it is checked. A getter or a proxy is therefore read once, and what was checked is what is
 * written.
 */
import { reasonOf, SerializationError } from "../../errors.ts";
import { describeType, show } from "../../support/validation.ts";
import { findBuiltIn, Float, kindOf } from "./built_in.ts";
import { type Origin, originOf } from "./origins.ts";
import { pathOf, type Place, pointerOf } from "./place.ts";
import type { AnyCodec, AnySerializer, Fields } from "./serializer.ts";
import type { GlobalId } from "./values.ts";

/** Number of levels that values may be nested; the list of arguments is the first one. The reader has the same limit. */
export const MAX_DEPTH = 500;

/** Keys that Active Job reserves for its own format. */
const RESERVED: ReadonlySet<string> = new Set([
  "_aj_serialized",
  "_aj_globalid",
  "_aj_symbol_keys",
  "_aj_ruby2_keywords",
  "_aj_hash_with_indifferent_access",
]);

/** Wraps JSON text that `JSON.stringify` must write as it is. TypeScript does not know this function yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
if (rawJson === undefined) {
  throw new Error("This runtime is too old for @activejob/kafka: use Deno 2.9, Node 22.18, Bun 1.4, or a later one");
}

/** `JSON.stringify` alone would write 0. */
const NEGATIVE_ZERO = rawJson("-0.0");

/** The state of writing one envelope. */
export interface Session {
  /** The serializers of the App. */
  readonly serializers: readonly AnySerializer[];
  /** Whether only plain JSON is accepted, without serializers and markers. */
  readonly isPlainOnly: boolean;
  /** Whether the values are serialized already, by Rails or by this library. */
  readonly isSerialized: boolean;
  /** The JSON pointers (RFC 6901) of bigints that a reader would take for numbers. */
  bigints: string[] | undefined;
  /** The JSON pointers of `undefined`, which is written as null. */
  undefineds: string[] | undefined;
}

/**
 * Prepares values for `JSON.stringify`.
 *
 * @param values the arguments of a job, or current attributes by class name; only their entries matter
 * @param field the envelope's field, which begins each path in a message
 * @param session receives what JSON cannot hold
 * @returns a copy with the same contents; integers that JSON writes otherwise are wrapped
 * @throws {SerializationError} for a value that no serializer takes; the message has its path, such as `arguments[0].at`
 */
export function serialize<Values extends readonly unknown[] | object>(
  values: Values,
  field: string,
  session: Session,
): Values {
  const root: Place = { outer: null, key: field };
  if (Array.isArray(values)) {
    const copy: unknown[] = [...values];
    for (let index = 0; index < copy.length; index++) copy[index] = serializeEntry(copy[index], root, index, session);
    return copy as unknown as Values;
  }
  const copy: Record<string, unknown> = { ...values };
  for (const key of Object.keys(copy)) copy[key] = serializeEntry(copy[key], root, key, session);
  return copy as Values;
}

function serializeEntry(value: unknown, outer: Place, key: string | number, session: Session): unknown {
  try {
    return write(value, outer, key, 1, session);
  } catch (error) {
    if (error instanceof SerializationError) throw error;
    const place = { outer, key };
    if (error === TOO_DEEP) throw nestedTooDeep(value, place, session);
    throw new SerializationError(`Cannot serialize ${pathOf(place)}: reading it failed`, { cause: error });
  }
}

/** Thrown beyond the depth, without a path, which would be that long. */
const TOO_DEEP: unique symbol = Symbol("too deep");
function write(value: unknown, outer: Place | null, key: string | number, depth: number, session: Session): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) throw refusal({ outer, key }, `JSON has no ${value}`);
      return serializeNumber(value);
    case "bigint":
      if (isSafe(value)) (session.bigints ??= []).push(pointerOf({ outer, key }));
      return rawJson(String(value));
    case "object": {
      if (value === null) return value;
      if (depth >= MAX_DEPTH) throw TOO_DEEP;
      if (Array.isArray(value)) return serializeArray(value, { outer, key }, depth, session);
      const prototype = Object.getPrototypeOf(value);
      return prototype === null || prototype === Object.prototype
        ? serializeObject(value as Record<string, unknown>, { outer, key }, depth, session)
        : serializeInstance(value, { outer, key }, depth, session);
    }
    case "undefined":
      (session.undefineds ??= []).push(pointerOf({ outer, key }));
      return null;
    default:
      return serializeInstance(value, { outer, key }, depth, session);
  }
}

function serializeNumber(value: number): unknown {
  if (Number.isInteger(value)) {
    if (Object.is(value, -0)) return NEGATIVE_ZERO;
    // Digits alone would be read as an exact integer, a bigint here.
    return Number.isSafeInteger(value) ? value : rawJson(formatFloat(value));
  }
  return value > -1e-6 && value < 1e-6 ? rawJson(formatFloat(value)) : value;
}

/** Returns a float as Ruby writes it in JSON: always with a point or an exponent. */
function formatFloat(value: number): string {
  const [mantissa, power] = Math.abs(value).toExponential().split("e");
  const digits = mantissa!.replace(".", "");
  const exponent = Number(power);
  const sign = value < 0 ? "-" : "";
  if (exponent < -6 && exponent > -10) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (!Number.isInteger(value)) return String(value);
  return exponent < digits.length + 7 ? `${sign}${digits.padEnd(exponent + 1, "0")}.0` : value.toExponential();
}

function isSafe(value: bigint): boolean {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
}

function serializeArray(list: readonly unknown[], place: Place, depth: number, session: Session): unknown[] {
  const prototype = Object.getPrototypeOf(list);
  if (prototype !== Array.prototype && !isForeignPrototype(prototype, Array.isArray)) {
    throw refusal(place, `unsupported type, an array of the class ${nameOf(prototype)}; pass a plain array: [...list]`);
  }
  checkMethod(list, place);
  // An index each, and "length". Checked before the copy: the length of an array with holes says nothing about its size.
  const keys = Reflect.ownKeys(list);
  if (keys.length !== list.length + 1) throw irregularArray(list, keys, place);
  const copy = [...list];
  for (let index = 0; index < copy.length; index++) copy[index] = write(copy[index], place, index, depth + 1, session);
  return copy;
}

function serializeObject(
  object: Record<string, unknown>,
  place: Place,
  depth: number,
  session: Session,
): Record<string, unknown> {
  checkMethod(object, place);
  const origin = session.isPlainOnly ? undefined : originOf(object);
  if (origin?.globalId !== undefined) return { _aj_globalid: origin.globalId };
  const copy = { ...object };
  const names = Object.keys(copy);
  const keys = Reflect.ownKeys(object);
  if (keys.length !== names.length) throw irregularObject(names, keys, place);
  for (const name of names) {
    if (name.startsWith("_aj_") && RESERVED.has(name) && !session.isSerialized) {
      throw refusal(place, `its key "${name}" is reserved`);
    }
    copy[name] = write(copy[name], place, name, depth + 1, session);
  }
  return origin === undefined ? copy : markHash(copy, names, origin);
}

/** Adds the marker that Rails had written. */
function markHash(copy: Record<string, unknown>, names: readonly string[], { hash }: Origin): Record<string, unknown> {
  if (hash === undefined) return copy;
  const isIndifferent = hash.marker === "_aj_hash_with_indifferent_access";
  copy[hash.marker] = isIndifferent ? true : hash.names.filter((name) => names.includes(name));
  return copy;
}

/** Writes a value that is neither an array nor plain data: by the first serializer that handles it. */
function serializeInstance(value: unknown, place: Place, depth: number, session: Session): unknown {
  if (session.isPlainOnly) return serializeForeign(value, place, depth, session);
  if (value instanceof Float) return rawJson(formatFloat(value.value));
  if (kindOf(value) === "globalId") return { _aj_globalid: (value as GlobalId).uri };
  const globalId = typeof value === "object" ? originOf(value!)?.globalId : undefined;
  if (globalId !== undefined) return { _aj_globalid: globalId };
  const serializer = findSerializer(value, session);
  if (serializer === undefined) return serializeForeign(value, place, depth, session);
  const fields = fieldsOf(value, serializer, place);
  if (kindOf(fields) === "globalId") return { _aj_globalid: fields.uri };
  return { _aj_serialized: serializer.name, ...serializeObject({ ...fields }, place, depth, session) };
}

/** Returns the serializer of a value that is neither an array nor plain data, if one takes it. */
export function findSerializer(value: unknown, { serializers }: Pick<Session, "serializers">): AnyCodec | undefined {
  return serializers.find((serializer) => serializer.handles(value)) ??
    (typeof value === "object" && value !== null ? findBuiltIn(value) : undefined);
}

function fieldsOf(value: unknown, serializer: AnyCodec, place: Place): Fields {
  let fields: unknown;
  try {
    fields = serializer.serialize(value);
  } catch (error) {
    throw refusal(place, `${serializer.name}: ${reasonOf(error)}`, error);
  }
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) return fields as Fields;
  throw refusal(place, `${serializer.name} must return an object of fields, but it returned ${describeType(fields)}`);
}

/** Writes plain data of another realm; refuses everything else. */
function serializeForeign(value: unknown, place: Place, depth: number, session: Session): unknown {
  if (typeof value !== "object" || value === null) {
    throw refusal(place, `unsupported type, ${show(value)}; pass plain data`);
  }
  const prototype = Object.getPrototypeOf(value);
  if (isForeignPrototype(prototype, isNotArray)) {
    return serializeObject(value as Record<string, unknown>, place, depth, session);
  }
  const remedy = session.isPlainOnly ? "" : `, or list a serializer in the App's "serializers"`;
  throw refusal(place, `unsupported type, an instance of ${nameOf(prototype)}; pass plain data${remedy}`);
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

function refusal(place: Place, why: string, cause?: unknown): SerializationError {
  return new SerializationError(`Cannot serialize ${pathOf(place)}: ${why}`, { cause });
}

function nestedTooDeep(value: unknown, place: Place, session: Session): SerializationError {
  const circle = findCircle(value, place, [], session);
  if (circle === null || circle === TOO_DEEP) return refusal(place, `it is nested deeper than ${MAX_DEPTH}`);
  return refusal(circle, "it is circular");
}

/**
 * Finds the first object that is nested in itself. It goes the way that `write` went, and ends where that ended: to look
 * further would take for ever in a deep value whose parts are shared.
 *
 * @returns its place; `TOO_DEEP` at the end of a path without a circle; `null` if the value is not too deep
 */
function findCircle(
  value: unknown,
  place: Place,
  outerValues: readonly unknown[],
  session: Session,
): Place | typeof TOO_DEEP | null {
  if (typeof value !== "object" || value === null) return null;
  if (outerValues.includes(value)) return place;
  if (outerValues.length >= MAX_DEPTH) return TOO_DEEP;
  const around = [...outerValues, value];
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  const serializer = isPlain ? undefined : findSerializer(value, session);
  for (const [key, entry] of Object.entries(serializer === undefined ? value : fieldsOf(value, serializer, place))) {
    const inner = { outer: place, key: Array.isArray(value) ? Number(key) : key };
    const found = findCircle(entry, inner, around, session);
    if (found !== null) return found;
  }
  return null;
}
