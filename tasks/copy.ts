/**
 * A copy of the project in a temporary folder. Mutants and the tests of the tasks change files in a copy, never in the
 * project itself.
 */
import { root } from "./process.ts";

/** The folder of a copy. It is removed when the copy is disposed of; processes that still run its programs are ended. */
export interface ProjectCopy extends AsyncDisposable {
  readonly url: URL;
}

const LEFT_OUT = new Set([".git", ".kafka", "node_modules", "coverage"]);

/** Copies the project, including uncommitted changes. */
export async function copyProject(): Promise<ProjectCopy> {
  const path = await Deno.makeTempDir({ prefix: "activejob-kafka-" });
  const url = new URL(`file://${path}/`);
  copyFolder(root, url);
  return {
    url,
    async [Symbol.asyncDispose]() {
      endProcessesOf(path);
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** Ends the processes that a test has left behind, as one that fails may. Only Linux lists them as files. */
function endProcessesOf(path: string): void {
  if (Deno.build.os !== "linux") return;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Deno.readTextFileSync(`/proc/${name}/cmdline`).includes(`${path}/`)) Deno.kill(Number(name), "SIGKILL");
    } catch {
      // It has just ended, or is not ours.
    }
  }
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
