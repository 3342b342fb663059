/**
 * How this program was started, as far as that can be known: the start of a command line that works when it is typed again
 * in the same directory.
 */

/** The name under which projects know this door. */
const DOOR = "@activejob/kafka/cli";

/**
 * The command line up to the command's name.
 *
 * @param main the URL of the program's main module
 * @returns such as `"deno run -A jsr:@activejob/kafka@0.1.0/cli"`
 */
export function invocation(main: string): string {
  return `deno run -A ${quoted(moduleName(main))}`;
}

function moduleName(main: string): string {
  if (resolves(DOOR) === main) return DOOR;
  const version = /^https:\/\/jsr\.io\/@activejob\/kafka\/([^/]+)\//.exec(main)?.[1];
  if (version !== undefined) return `jsr:@activejob/kafka@${version}/cli`;
  return main;
}

/** What the project's import map, or the project itself, has under a name. */
function resolves(name: string): string | null {
  try {
    return import.meta.resolve(name);
  } catch {
    return null;
  }
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
