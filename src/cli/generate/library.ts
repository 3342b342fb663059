/**
 * Where a project gets this library from: the copy that runs now. From JSR that is a version range; from a checkout, or any
 * other place, the URLs of its doors. So a project that `init` made works at once, whatever `init` ran from.
 */
import { fileURLToPath } from "node:url";
import { VERSION } from "../version.ts";
import { PACKAGE } from "./templates.ts";

/** The doors, as `deno.json` of this library has them. */
const DOORS = {
  "": "mod.ts",
  "/cli": "src/cli/mod.ts",
  "/testing": "src/testing/mod.ts",
  "/web": "src/web/mod.ts",
};

/**
 * The imports of a project.
 *
 * @param here the URL of this module
 */
export function libraryImports(here: string = import.meta.url): Record<string, string> {
  if (here.startsWith(`https://jsr.io/${PACKAGE}/`)) return { [PACKAGE]: `jsr:${PACKAGE}@^${VERSION}` };
  const root = new URL("../../../", here);
  return Object.fromEntries(
    Object.entries(DOORS).map(([door, file]) => [PACKAGE + door, new URL(file, root).href]),
  );
}

/**
 * The folder that the library's modules are read from, where it is a checkout.
 *
 * @param here the URL of this module
 * @returns `null` where they come from the web: Deno keeps them, and reading them needs no permission
 */
export function libraryFolder(here: string = import.meta.url): string | null {
  return here.startsWith("file:") ? fileURLToPath(new URL("../../..", here)).replace(/[/\\]$/, "") : null;
}
