/**
 * A copy of the project in a temporary folder, for whoever has to change it and look what happens: the check that the
 * house notices a planted import, the mutants.
 */
import { root } from "./process.ts";

/** A folder that is removed when it is disposed of. */
export interface ProjectCopy extends AsyncDisposable {
  readonly url: URL;
}

const LEFT_OUT = new Set([".git", ".kafka", "node_modules", "coverage"]);

/** Copies the project as it stands, uncommitted changes included. */
export async function copyProject(): Promise<ProjectCopy> {
  const path = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const url = new URL(`file://${path}/`);
  copyFolder(root, url);
  return { url, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

function copyFolder(from: URL, to: URL): void {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(from)) {
    if (LEFT_OUT.has(name) || /\.db(?:-\w+)?$/.test(name)) continue;
    // Relative URLs would drop what follows a "?" or "#", and read "x:y" as a scheme.
    const path = `./${encodeURIComponent(name)}`;
    if (isDirectory) {
      Deno.mkdirSync(new URL(path, to));
      copyFolder(new URL(`${path}/`, from), new URL(`${path}/`, to));
    } else if (isFile) {
      Deno.copyFileSync(new URL(path, from), new URL(path, to));
    }
  }
}
