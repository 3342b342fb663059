/**
 * A stand-in for `jsr:@std/assert`, on `node:assert/strict`: only what this project's tests use, with the same names and
 * the same meaning. See `vendor/README.md`.
 */
import nodeAssert from "node:assert/strict";

/** Thrown by every assertion that does not hold. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

function failure(what: string, message?: string): AssertionError {
  return new AssertionError(message === undefined ? what : `${message}: ${what}`);
}

/** Asserts that the value is truthy. */
export function assert(value: unknown, message = "Expected a truthy value"): asserts value {
  if (!value) throw new AssertionError(message);
}

/** Asserts that both are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    nodeAssert.deepStrictEqual(actual, expected);
  } catch (error) {
    throw failure((error as Error).message, message);
  }
}

/** Asserts that both are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void {
  try {
    nodeAssert.notDeepStrictEqual(actual, expected);
  } catch (error) {
    throw failure((error as Error).message, message);
  }
}

/** Asserts that both are the same value (`Object.is`). */
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): asserts actual is T {
  if (!Object.is(actual, expected)) throw failure("Expected the very same value", message);
}

/** Asserts that the string contains the part. */
export function assertStringIncludes(actual: string, expected: string, message?: string): void {
  if (!actual.includes(expected)) {
    throw failure(`Expected ${JSON.stringify(actual)} to contain ${JSON.stringify(expected)}`, message);
  }
}

/** Asserts that the string matches. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  if (!expected.test(actual)) throw failure(`Expected ${JSON.stringify(actual)} to match ${expected}`, message);
}

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

function check<E extends Error>(error: unknown, ErrorClass?: ErrorClass<E>, part?: string, message?: string): E {
  if (ErrorClass !== undefined && !(error instanceof ErrorClass)) {
    throw failure(`Expected an error of class ${ErrorClass.name}, but it was ${String(error)}`, message);
  }
  if (part !== undefined && !(error as Error).message.includes(part)) {
    throw failure(
      `Expected the error's message to contain ${JSON.stringify(part)}, but it was ${JSON.stringify((error as Error).message)}`,
      message,
    );
  }
  return error as E;
}

/** Asserts that the function throws, and returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass?: ErrorClass<E>,
  part?: string,
  message?: string,
): E {
  try {
    fn();
  } catch (error) {
    return check(error, ErrorClass, part, message);
  }
  throw failure("Expected the function to throw", message);
}

/** Asserts that the function's promise rejects, and returns the error. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass?: ErrorClass<E>,
  part?: string,
  message?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return check(error, ErrorClass, part, message);
  }
  throw failure("Expected the function to reject", message);
}
