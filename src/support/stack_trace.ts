/** Finds the line of the user's code in a stack trace, for messages about a mistake that is noticed far away from it. */

/** The folder of this library, as a URL. */
const LIBRARY = new URL("../", import.meta.url).href;
/** Another copy of this library, from a registry or in `node_modules`. */
const ANOTHER_COPY = /\/@activejob\/kafka\/|\/@jsr\/activejob__kafka\//;

/**
 * Returns the first frame outside of the library.
 *
 * @param stack the stack of an error; any other value has no frames
 * @returns for example `"file:///shop/app.ts:12:9"`; `null` if there is none
 */
export function findUserFrame(stack: unknown): string | null {
  if (typeof stack !== "string") return null;
  for (const line of stack.split("\n")) {
    // This passes over the frames of the runtime: "ext:core/01_core.js:1:2", "node:events:1:2".
    const at = /^\s+at (?:async )?(?:.* \()?((?:[a-z]+:\/\/|\/|[A-Z]:\\).*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (at !== undefined && !at.startsWith(LIBRARY) && !ANOTHER_COPY.test(at)) return at;
  }
  return null;
}

/** An error of Bun for a module that it cannot parse: it has no stack. */
interface BuildMessage {
  readonly name: "BuildMessage";
  readonly position: { readonly file: string; readonly line: number; readonly column: number } | null;
}

/**
 * Returns the place of a syntax error in a module, which Node and Bun leave out of its message.
 *
 * @returns for example `"file:///shop/jobs/pay_job.ts:12"`; `null` if the error does not have it
 */
export function findSyntaxError(error: object): string | null {
  const position = "name" in error && error.name === "BuildMessage" ? (error as BuildMessage).position : null;
  if (position !== null) return `${position.file}:${position.line}:${position.column}`;
  // Node writes it before the stack, with the line of the source below it.
  return error instanceof SyntaxError
    ? /^((?:file:\/\/|\/|[A-Z]:\\).*:\d+)\n/.exec(error.stack ?? "")?.[1] ?? null
    : null;
}
