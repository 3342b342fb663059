/**
 * The command line that started this program, as far as it can be known. Help and remedies begin with it: they work when
 * they are typed again in the same directory.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { quoteForShell } from "../support/shell.ts";
import { runtime } from "./runtime.ts";

/** The name of this entry point in the import map of a project. */
const ENTRY_POINT = "@activejob/kafka/cli";

/**
 * Formats the command line up to the command's name.
 *
 * @param main the URL of the program's main module
 * @returns for example `"deno run -A jsr:@activejob/kafka@0.1.0/cli"`, or in Node
 * `"node node_modules/@activejob/kafka/src/cli/mod.js"`
 */
export function formatProgram(main: string): string {
  if (runtime.name !== "deno") return `${runtime.name} ${quoteForShell(formatPath(fileURLToPath(main)))}`;
  return `deno run -A ${quoteForShell(formatModule(main))}`;
}

/** The path from the working directory, if it is in there. */
function formatPath(path: string): string {
  const inside = relative(runtime.cwd(), path);
  return inside.startsWith("..") ? path : inside;
}

function formatModule(main: string): string {
  const version = /^https:\/\/jsr\.io\/@activejob\/kafka\/([^/]+)\//.exec(main)?.[1];
  if (version !== undefined) return `jsr:@activejob/kafka@${version}/cli`;
  if (resolve(ENTRY_POINT) === main && isImportedHere()) return ENTRY_POINT;
  return main.startsWith("file:") ? fileURLToPath(main) : main;
}

/** Resolves a name by the import map; `null` if the map does not have it. */
function resolve(name: string): string | null {
  try {
    return import.meta.resolve(name);
  } catch {
    return null;
  }
}

/**
 * Whether the project around the working directory imports the package. A checkout resolves its own name wherever it is
 * started, but `deno run` resolves names by the configuration around the working directory only.
 */
function isImportedHere(): boolean {
  for (let folder = runtime.cwd(), parent; folder !== parent; [parent, folder] = [folder, dirname(folder)]) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const config = runtime.readTextIfAllowed(join(folder, name));
      if (config !== null) return config.includes('"@activejob/kafka');
    }
  }
  return false;
}
