/**
 * Checks of options. Each options object is described by a table: one check for each key. A message names the key, the value
 * and the allowed values; for an unknown key it suggests the nearest one.
 */
import { InvalidConfigurationError } from "../errors.ts";

/** Checks a value. Returns `null` if it is right, else the allowed values in words, such as `"a positive integer"`. */
export type Check = (value: unknown) => string | null;

/** The checks of an options object, by key. */
export type Checks<Options> = { readonly [Key in keyof Required<Options>]: Check };

/**
 * Checks an options object. A key whose value is `undefined` counts as absent.
 *
 * @param what the owner of the options, for the message, such as `activeJobTopic("default")`
 * @throws {InvalidConfigurationError} for the first key that is unknown or has a wrong value
 */
export function checkOptions<Options extends object>(what: string, options: Options, checks: Checks<Options>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new InvalidConfigurationError(`The options of ${what} must be an object, but they are ${show(options)}`);
  }
  for (const [key, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, key) ? checks[key as keyof Options] : undefined;
    if (check === undefined) {
      throw new InvalidConfigurationError(
        `Unknown option ${show(key)} of ${what}${didYouMean(key, Object.keys(checks))}`,
      );
    }
    const wanted = value === undefined ? null : check(value);
    if (wanted !== null) {
      throw new InvalidConfigurationError(`Option "${key}" of ${what} must be ${wanted}, but it is ${show(value)}`);
    }
  }
}

/** Returns the check of an integer that is at least `minimum`. */
export function integerFrom(minimum: number): Check {
  return (value) =>
    Number.isSafeInteger(value) && (value as number) >= minimum ? null : `an integer from ${minimum} up`;
}

/** Checks milliseconds: an integer from 0 to {@linkcode MAX_TIMER_MS}. */
export const milliseconds: Check = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_TIMER_MS
    ? null
    : `milliseconds, an integer from 0 to ${MAX_TIMER_MS}`;

/** Checks a time limit in milliseconds, which must not be 0. */
export const timeLimit: Check = (value) => value === 0 ? "more than 0 milliseconds" : milliseconds(value);

/** Longest time of a timer, in milliseconds: about 24 days. With a longer one `setTimeout` fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Checks a boolean. */
export const boolean: Check = (value) => typeof value === "boolean" ? null : "true or false";
/** Checks that a value is a function. */
export const callback: Check = (value) => typeof value === "function" ? null : "a function";
/** Checks that a value is an `AbortSignal`. */
export const abortSignal: Check = (value) => value instanceof AbortSignal ? null : "an AbortSignal";

/** Checks a string that is not empty. */
export const nonEmptyString: Check = (value) =>
  typeof value === "string" && value !== "" ? null : "a string that is not empty";

/** Returns the check of a string that is one of a few words. */
export function oneOf(...words: readonly string[]): Check {
  return (value) => words.includes(value as string) ? null : `one of ${words.map((word) => `"${word}"`).join(", ")}`;
}

/** Checks a fraction: a number from 0 to 1. */
export const fraction: Check = (value) =>
  typeof value === "number" && value >= 0 && value <= 1 ? null : "a number from 0 to 1";

/** Checks a name that Kafka accepts for a topic. */
export const topicName: Check = (value) =>
  typeof value === "string" && /^[A-Za-z0-9._-]{1,249}$/.test(value) && value !== "." && value !== ".."
    ? null
    : "a topic name: 1 to 249 letters, digits, dots, dashes and underscores";

/** Describes the type of a value and not the value, which may be a secret: for example `"a value of type number"`. */
export function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return value instanceof Promise ? "a promise" : `a value of type ${typeof value}`;
}

/** Returns the check of a nested options object with its own table. */
export function optionsOf<Options extends object>(what: string, checks: Checks<Options>): Check {
  return (value) => {
    checkOptions(what, value as Options, checks);
    return null;
  };
}

/**
 * Returns a frozen copy of an options object, so that it cannot change after it was checked. Its arrays and plain objects are
 * frozen copies as well; other values (classes, functions, instances) are not copied.
 */
export function copyFrozen<Options extends object>(options: Options): Readonly<Options> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) copy[key] = copyPart(value);
  return Object.freeze(copy) as Readonly<Options>;
}

function copyPart(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze([...value]);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.freeze({ ...value });
}

/** Formats a value for an error message: a string is quoted and cut, of an object only the class is shown. It never throws. */
export function show(value: unknown): string {
  try {
    return format(value);
  } catch {
    // A revoked proxy lets nothing be read, not even whether it is an array.
    return typeof value === "function" ? "a function" : "an object";
  }
}

function format(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (typeof value === "function") {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    const kind = isClass ? "class" : "function";
    return value.name === "" ? `an anonymous ${kind}` : `the ${kind} ${show(value.name)}`;
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : formatObject(value);
  return String(value);
}

function formatObject(value: object): string {
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name !== "string" || name === "" || name === "Object" ? "an object" : `an instance of ${show(name)}`;
}

/** Returns the end of a message about an unknown word: `; did you mean "x"?` if a known one is near, and all known ones. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = findNearest(word, known);
  const list = known.length === 0 ? "none is declared" : `declared: ${known.map((name) => `"${name}"`).join(", ")}`;
  return nearest === undefined ? ` (${list})` : `; did you mean "${nearest}"? (${list})`;
}

/** Returns the known word that is nearest to an unknown one; `undefined` if none is near. */
export function findNearest(word: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    const farthest = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    if (distance <= farthest && distance < least) [nearest, least] = [candidate, distance];
  }
  return nearest;
}

/** Returns the number of letters to change, insert, delete, or swap with the next one (Damerau–Levenshtein). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const distance = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(swapped ? Math.min(distance, beforeLast[j - 2]! + 1) : distance);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
