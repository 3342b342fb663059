/**
 * Copies any value into plain data that `JSON.stringify` can write: for what jobs and clients give as details of a log
 * line. The copy is bounded in depth, in number and in length, and copying never throws.
 *
 * | Value                         | Copy                                                                              |
 * | ----------------------------- | --------------------------------------------------------------------------------- |
 * | error                         | `errorClass`, `message`, `stack`, `cause`, and its own properties, such as `code`   |
 * | `Map`, `Set`, typed array     | array (a `Map`: of pairs)                                                         |
 * | bigint, symbol, function      | string                                                                            |
 * | `NaN`, `Infinity`, bad `Date` | string                                                                            |
 * | object with `toJSON`          | the result, copied likewise                                                       |
 * | circle, too deep, unreadable  | a note in parentheses                                                             |
 */
import { describeError } from "../errors.ts";

/** Objects within objects, at most. */
const MAX_DEPTH = 6;
/** Entries of one object or array. */
const MAX_ENTRIES = 100;
/** Values of the whole copy. */
const MAX_VALUES = 1000;
/** Characters of one string. */
export const MAX_TEXT = 8192;
/** Characters of all strings together. */
const MAX_TOTAL_TEXT = 65_536;

/**
 * Copies a value.
 *
 * @returns plain data; `undefined` only for `undefined`
 */
export function toPlainData(value: unknown): unknown {
  return new Copy().value(value, 0);
}

/** Returns whether a value is an error; `false` where it does not even let that be read. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/** Cuts a string to a number of characters. */
export function cutText(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max)}…` : text;
}

/** One copy, and how much of it is left. */
class Copy {
  readonly #ancestors: object[] = [];
  #values = MAX_VALUES;
  #text = MAX_TOTAL_TEXT;

  value(value: unknown, depth: number): unknown {
    if (this.#values-- <= 0) return "(too many values)";
    switch (typeof value) {
      case "string":
        return this.#cut(value);
      case "number":
        return Number.isFinite(value) ? value : String(value);
      case "object":
        return value === null ? null : this.#guarded(value, depth);
      case "function":
        return this.#cut(functionName(value));
      case "boolean":
      case "undefined":
        return value;
      default: // A bigint or a symbol.
        return this.#cut(String(value));
    }
  }

  /** Reading may throw at any point: getters, `toJSON`, a revoked proxy. */
  #guarded(value: object, depth: number): unknown {
    if (this.#ancestors.includes(value)) return "(circular)";
    if (depth >= MAX_DEPTH) return "(too deep)";
    this.#ancestors.push(value);
    try {
      return this.#object(value, depth + 1);
    } catch (error) {
      return this.#cut(`(cannot be read: ${describeError(error).message})`);
    } finally {
      this.#ancestors.pop();
    }
  }

  #object(value: object, depth: number): unknown {
    if (isError(value)) return this.#error(value, depth);
    if (Array.isArray(value)) return this.#list(value, value.length, depth);
    if (value instanceof Map) return this.#list(value.entries(), value.size, depth);
    if (value instanceof Set) return this.#list(value.values(), value.size, depth);
    if (value instanceof DataView) return `[DataView of ${value.byteLength} bytes]`;
    if (ArrayBuffer.isView(value)) {
      const numbers = value as Uint8Array;
      return this.#list(numbers.values(), numbers.length, depth);
    }
    if (value instanceof ArrayBuffer) return `[ArrayBuffer of ${value.byteLength} bytes]`;
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return this.#cut(String(value));
    if (value instanceof Number || value instanceof String || value instanceof Boolean) {
      return this.value(value.valueOf(), depth);
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === "function") return this.value(toJSON.call(value, ""), depth);
    return this.#properties(value, depth, {}) ?? `[${value.constructor.name}]`;
  }

  #error(error: Error, depth: number): unknown {
    if (this.#text <= 0) return "(too much text)";
    const info: Record<string, unknown> = { ...describeError(error) };
    this.#text -= JSON.stringify(info).length;
    const { errors } = error as AggregateError;
    if (Array.isArray(errors)) info.errors = this.#list(errors, errors.length, depth);
    return this.#properties(error, depth, info);
  }

  #list(items: Iterable<unknown>, length: number, depth: number): unknown[] {
    const copies: unknown[] = [];
    for (const item of items) {
      if (copies.length >= MAX_ENTRIES || this.#values <= 0) {
        copies.push(`(${length - copies.length} more)`);
        break;
      }
      copies.push(this.value(item, depth));
    }
    return copies;
  }

  /** Adds an object's own properties to `onto`. @returns `null` where a class keeps its properties to itself */
  #properties(value: object, depth: number, onto: object): object | null {
    // Without a prototype, since a property may be called "__proto__".
    const copies: Record<string, unknown> = Object.assign(Object.create(null), onto);
    const names = Object.keys(value);
    if (names.length === 0 && !isPlain(value) && !isError(value)) return null;
    for (const [index, name] of names.entries()) {
      if (index >= MAX_ENTRIES || this.#values <= 0) {
        copies["…"] = `(${names.length - index} more)`;
        break;
      }
      // The description of an error has these, bounded.
      if (Object.hasOwn(onto, name)) continue;
      copies[this.#cut(name)] = this.#property(value, name, depth);
    }
    return copies;
  }

  #property(value: object, name: string, depth: number): unknown {
    try {
      return this.value(value[name as never], depth);
    } catch (error) {
      return this.#cut(`(cannot be read: ${describeError(error).message})`);
    }
  }

  #cut(text: string): string {
    const cut = cutText(text, Math.min(MAX_TEXT, Math.max(0, this.#text)));
    this.#text -= cut.length;
    return cut;
  }
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function functionName(value: { readonly name?: unknown }): string {
  try {
    const { name } = value;
    return typeof name === "string" && name !== "" ? `[function ${name}]` : "[function]";
  } catch {
    return "[function]";
  }
}
