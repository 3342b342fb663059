/** The Chromium of the tests of the dashboard in a browser: whether this machine has one. */

/** The folder whose tests need it. */
export const BROWSER_FOLDER = "tests/web/browser";

/** Names of its program, of Debian and of others. */
const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];

/** Returns the path of the program; `null` if there is none. */
export async function findChromium(): Promise<string | null> {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  for (const program of PROGRAMS) {
    for (const folder of folders) {
      const path = `${folder}/${program}`;
      if (await isFile(path)) return path;
    }
  }
  return null;
}

/** Returns why there is no Chromium; `null` if there is one. */
export async function findMissingChromium(): Promise<string | null> {
  return await findChromium() === null ? "there is no Chromium: apt-get install chromium" : null;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}
