/** The error that a test gets for a job that failed: the job's own error, with a note that names the job. */
import { nodeBuiltin } from "../support/node_builtin.ts";
import { isError } from "../monitor/plain_data.ts";

/** The most causes of an error that are followed, since they may form a circle. */
const MAX_CAUSES = 20;

/** The notes, by the error that has the note as its cause. */
const notes = new WeakMap<Error, string>();

/**
 * Returns the error to throw in the test. An error is returned as it is, also if it cannot be read. Any other value is
 * wrapped in an `Error`.
 *
 * @param thrown the value that the job threw
 * @param origin the job and its place; the note
 */
export function toTestError(thrown: unknown, origin: string): Error {
  if (isError(thrown)) {
    addNote(thrown, origin);
    return thrown;
  }
  return new Error(`${origin}, threw ${inspectSafely(thrown)}`, { cause: thrown });
}

/**
 * Puts a note where the causes of an error end: test runners print it below the error, which stays as it is. Another
 * job may throw the same object again: then the note is replaced. An error that cannot be read or changed gets none.
 */
function addNote(error: Error, note: string): void {
  try {
    let last = error;
    for (let depth = 0; isError(last.cause) && depth < MAX_CAUSES; depth++) last = last.cause;
    if (last.cause !== notes.get(last) || !Object.isExtensible(last)) return;
    Object.defineProperty(last, "cause", { value: note, configurable: true, writable: true, enumerable: false });
    notes.set(last, note);
  } catch {
    // A getter or a proxy threw.
  }
}

function inspectSafely(value: unknown): string {
  try {
    return nodeBuiltin("node:util").inspect(value);
  } catch {
    return "a value that cannot be read";
  }
}
