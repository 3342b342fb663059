/**
 * The imports by which a new project gets this library: the copy that runs now. From JSR that is a version range; from a
 * checkout, or anywhere else, the URLs of its entry points. So a new project works at once, wherever `init` was started from.
 */
import { fileURLToPath } from "node:url";
import { VERSION } from "../../support/version.ts";
import { PACKAGE } from "./templates.ts";

/** The entry points, as the `deno.json` of this library has them. */
const ENTRY_POINTS = {
  "": "mod.ts",
  "/cli": "src/cli/mod.ts",
  "/recurring": "src/recurring/mod.ts",
  "/testing": "src/testing/mod.ts",
  "/web": "src/web/mod.ts",
};

/**
 * Returns the imports of a project.
 *
 * @param here the URL of this module
 */
export function getLibraryImports(here: string = import.meta.url): Record<string, string> {
  if (here.startsWith(`https://jsr.io/${PACKAGE}/`)) return { [PACKAGE]: `jsr:${PACKAGE}@^${VERSION}` };
  const root = new URL("../../../", here);
  return Object.fromEntries(
    Object.entries(ENTRY_POINTS).map(([name, file]) => [PACKAGE + name, new URL(file, root).href]),
  );
}

/**
 * Finds the folder of the library, if it runs from a checkout.
 *
 * @param here the URL of this module
 * @returns `null` if it comes from the web: reading Deno's cache does not need a permission
 */
export function findLibraryFolder(here: string = import.meta.url): string | null {
  return here.startsWith("file:") ? fileURLToPath(new URL("../../..", here)).replace(/[/\\]$/, "") : null;
}
