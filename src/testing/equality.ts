/**
 * Equality of arguments: by type, deeply, as their serializers see them. The equality of `node:util` would not do: it does
 * not see the private fields of a class, nor the contents of a value of Temporal.
 */
import type { SerializedValue } from "../job/envelope_data.ts";
import { nodeBuiltin } from "../support/node_builtin.ts";

/** Returns the fields of a value that is neither an array nor plain data; `undefined` if no serializer takes it. */
export type FieldsOf = (value: object) => SerializedValue | undefined;

/** Returns whether two values are of the same type and have the same contents. The order in a Map or a Set does not matter. */
export function isEqual(one: unknown, other: unknown, fieldsOf: FieldsOf): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) return false;
  const same = (a: unknown, b: unknown) => isEqual(a, b, fieldsOf);
  if (Array.isArray(one) || Array.isArray(other)) return haveSameElements(one, other, same);
  if (isPlainObject(one) || isPlainObject(other)) return haveSameEntries(one, other, same);
  if (one instanceof Map && other instanceof Map) return isPermutation([...one], [...other], same);
  if (one instanceof Set && other instanceof Set) return isPermutation([...one], [...other], same);
  const [a, b] = [fieldsOf(one), fieldsOf(other)];
  if (a === undefined || b === undefined) return nodeBuiltin("node:util").isDeepStrictEqual(one, other);
  return a.name === b.name && same(a.fields, b.fields);
}

/** Returns whether a value is an object that is neither an array nor an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

type Same = (a: unknown, b: unknown) => boolean;

function haveSameElements(one: object, other: object, same: Same): boolean {
  return Array.isArray(one) && Array.isArray(other) && one.length === other.length &&
    one.every((element, index) => same(element, other[index]));
}

function haveSameEntries(one: object, other: object, same: Same): boolean {
  if (!isPlainObject(one) || !isPlainObject(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && same(one[key], other[key]));
}

function isPermutation(one: readonly unknown[], other: unknown[], same: Same): boolean {
  if (one.length !== other.length) return false;
  return one.every((element) => {
    const at = other.findIndex((candidate) => same(element, candidate));
    if (at >= 0) other.splice(at, 1);
    return at >= 0;
  });
}
