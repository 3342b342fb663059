/**
 * A copy of the project in a temporary folder. Mutants and the tests of the tasks change files in a copy, never in the
 * project itself.
 */
import { root } from "./process.ts";

/** The folder of a copy. It is removed when the copy is disposed of. */
export interface ProjectCopy extends AsyncDisposable {
  readonly url: URL;
}

const LEFT_OUT = new Set([".git", ".kafka", "node_modules", "coverage"]);

/** Copies the project, including uncommitted changes. */
export async function copyProject(): Promise<ProjectCopy> {
  const path = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const url = new URL(`file://${path}/`);
  copyFolder(root, url);
  return { url, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

function copyFolder(from: URL, to: URL): void {
  for (const { name, isDirectory, isFile } of Deno.readDirSync(from)) {
    if (LEFT_OUT.has(name) || /\.db(?:-\w+)?$/.test(name)) continue;
    // A relative URL would end at "?" or "#", and read "x:y" as a scheme.
    const path = `./${encodeURIComponent(name)}`;
    if (isDirectory) {
      Deno.mkdirSync(new URL(path, to));
      copyFolder(new URL(`${path}/`, from), new URL(`${path}/`, to));
    } else if (isFile) {
      Deno.copyFileSync(new URL(path, from), new URL(path, to));
    }
  }
}
