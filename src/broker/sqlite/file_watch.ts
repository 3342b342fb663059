/** The watch of a file until its first write, on Linux: elsewhere a watch costs more, or reports late. */
import { watch } from "node:fs";
import process from "node:process";

/**
 * Watches a file until its first write. It may begin a few milliseconds later.
 *
 * @param written called at the first write, if the watch was not disposed of before
 * @param failed called if it turns out later that it cannot be watched, such as a file that is missing
 * @returns `null` if it cannot be watched: on another system, without the permission, or beyond the system's limit
 */
export function watchFile(path: string, written: () => void, failed: () => void): Disposable | null {
  if (process.platform !== "linux") return null;
  try {
    const watcher = watch(path, { persistent: false });
    watcher.once("change", written);
    watcher.on("error", failed);
    return { [Symbol.dispose]: () => watcher.close() };
  } catch {
    return null;
  }
}
