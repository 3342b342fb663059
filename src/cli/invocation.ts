/**
 * How this program was started, as far as that can be known: the start of a command line that works when it is typed again
 * in the same directory.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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
  const version = /^https:\/\/jsr\.io\/@activejob\/kafka\/([^/]+)\//.exec(main)?.[1];
  if (version !== undefined) return `jsr:@activejob/kafka@${version}/cli`;
  if (resolve(DOOR) === main && isKnownHere()) return DOOR;
  return main.startsWith("file:") ? fileURLToPath(main) : main;
}

/** What the import map has under a name. */
function resolve(name: string): string | null {
  try {
    return import.meta.resolve(name);
  } catch {
    return null;
  }
}

/**
 * Whether the project around the working directory knows the package. A checkout resolves its own name wherever it is
 * started from, but `deno run` looks for names in the project around the working directory only.
 */
function isKnownHere(): boolean {
  for (let folder = Deno.cwd(), parent; folder !== parent; [parent, folder] = [folder, dirname(folder)]) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = readText(join(folder, name));
      if (config !== null) return config.includes('"@activejob/kafka');
    }
  }
  return false;
}

/** Without a permission nothing is read, and nobody is asked for one. */
function readText(path: string): string | null {
  try {
    const { state } = Deno.permissions.querySync({ name: "read", path });
    return state === "granted" ? Deno.readTextFileSync(path) : null;
  } catch {
    return null;
  }
}

/** A word as a shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
