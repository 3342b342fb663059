/**
 * Where in the user's own code something came about: the first line of a stack that is not the library's. For messages
 * about what is far away from where it is noticed.
 */

/** Where this library is: the frames below are its own. */
const LIBRARY = new URL("../", import.meta.url).href;
/** Another copy of it, from a registry or in `node_modules`. */
const ANOTHER_COPY = /\/@activejob\/kafka\/|\/@jsr\/activejob__kafka\//;

/**
 * The first frame outside of the library.
 *
 * @param stack an error's stack; anything else has no frames
 * @returns such as `"file:///shop/app.ts:12:9"`; `null` where there is none
 */
export function findUserFrame(stack: unknown): string | null {
  if (typeof stack !== "string") return null;
  for (const line of stack.split("\n")) {
    // Not what the runtime has of its own: "ext:core/01_core.js:1:2", "node:events:1:2".
    const at = /^\s+at (?:async )?(?:.* \()?((?:[a-z]+:\/\/|\/|[A-Z]:\\).*:\d+:\d+)\)?$/.exec(line)?.[1];
    if (at !== undefined && !at.startsWith(LIBRARY) && !ANOTHER_COPY.test(at)) return at;
  }
  return null;
}
