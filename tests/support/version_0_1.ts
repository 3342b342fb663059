/** Version 0.1 of the library, from the repository's history. */

/** The last commit of version 0.1. */
export const VERSION_0_1 = "316d89a";

const root = new URL("../../", import.meta.url).pathname.replace(/\/$/, "");

/** Whether the repository's history is there: not in a shallow clone, nor in a copy without `.git`. */
export function hasHistory(): boolean {
  try {
    const args = ["-C", root, "cat-file", "-e", VERSION_0_1];
    return new Deno.Command("git", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Returns a file of version 0.1. @param path from the root of the repository */
export async function readFileOf0_1(path: string): Promise<string> {
  const { success, stdout } = await new Deno.Command("git", { args: ["-C", root, "show", `${VERSION_0_1}:${path}`] })
    .output();
  if (!success) throw new Error(`Version 0.1 has no file ${path}`);
  return new TextDecoder().decode(stdout);
}
