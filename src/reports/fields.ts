/** Reads single fields of a report, which any client may have written: each is checked, clamped or refused. Pure. */

import type { Budget } from "./budget.ts";

/** A JSON object that was parsed. */
export type Fields = Readonly<Record<string, unknown>>;

/** A field that a report must have is missing or wrong. */
export class FieldError extends Error {}

/** Returns an object. @throws {FieldError} for anything else */
export function readObject(value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new FieldError("not an object");
}

/** Returns a number that is not negative. @throws {FieldError} for anything else */
export function readNumber(value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new FieldError("not a number");
}

/** Returns an integer that is not negative. @throws {FieldError} for anything else */
export function readInteger(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new FieldError("not an integer");
}

/** Returns a string, cut to a length. @throws {FieldError} for anything else */
export function readString(value: unknown, maxLength: number): string {
  if (typeof value === "string") return value.slice(0, maxLength);
  throw new FieldError("not a string");
}

/** Returns `null` for `null`, else what `read` returns. */
export function readNullable<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

/**
 * Returns the sound entries of a list; `[]` for anything but a list.
 *
 * @param budget the entries that may be read, malformed ones included
 */
export function readList<T>(value: unknown, budget: Budget, read: (value: unknown) => T): T[] {
  if (!Array.isArray(value)) return [];
  const sound: T[] = [];
  for (const each of budget.take<unknown>(value)) {
    try {
      sound.push(read(each));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
    }
  }
  return sound;
}
