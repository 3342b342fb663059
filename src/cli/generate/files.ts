/**
 * The files of a project on the disk. Reading refuses a path that leads out of the project by a link, and every file is read
 * before it is written.
 */
import { lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { show } from "../../support/validation.ts";
import { CommandError } from "../command.ts";
import { type Decision, isWritten } from "./plan.ts";

/** The folder of a project; it may not exist yet. */
export class ProjectFiles {
  readonly #root: string;

  /** @param folder relative to the working directory */
  constructor(folder: string) {
    this.#root = resolve(folder);
  }

  /** The name of the folder. */
  get name(): string {
    return this.#root.split(sep).at(-1)!;
  }

  /**
   * Reads a file, with `\n` as line breaks.
   *
   * @returns `null` if it does not exist
   * @throws {CommandError} if it cannot be read, or is outside of the project
   */
  readonly read = (path: string): string | null => {
    return this.#readText(path)?.replaceAll("\r\n", "\n") ?? null;
  };

  /**
   * Writes the files that were decided to be written.
   *
   * @throws {CommandError} if one cannot be written; the files before it are `identical` the next time
   */
  write(decisions: readonly Decision[]): void {
    for (const decision of decisions.filter(isWritten)) {
      const { path, text, action } = decision;
      const usesCrlf = this.#readText(path)?.includes("\r\n") ?? false;
      try {
        mkdirSync(dirname(join(this.#root, path)), { recursive: true });
        // A file that was created since the decision is not overwritten.
        writeFileSync(join(this.#root, path), usesCrlf ? text.replaceAll("\n", "\r\n") : text, {
          flag: action === "create" ? "wx" : "w",
        });
      } catch (cause) {
        throw new CommandError(`Cannot write "${path}"`, { cause });
      }
    }
  }

  #readText(path: string): string | null {
    this.#refuseOutside(path);
    try {
      return readFileSync(join(this.#root, path), "utf8");
    } catch (cause) {
      if (codeOf(cause) === "ENOENT") return null;
      throw new CommandError(`Cannot read "${path}"`, { cause });
    }
  }

  #refuseOutside(path: string): void {
    const root = resolveLinks(this.#root);
    if (root === null) return;
    let at = join(this.#root, path);
    let real = resolveLinks(at);
    while (real === null) {
      if (isLink(at)) throw new CommandError(`"${path}" is a link to a file that does not exist`);
      real = resolveLinks(at = dirname(at));
    }
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
    throw new CommandError(`"${path}" leads out of the project, to ${show(real)}`);
  }
}

function resolveLinks(path: string): string | null {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(codeOf(cause))) return null;
    throw new CommandError(`Cannot read ${show(path)}`, { cause });
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** The code of the system's error: `"ENOENT"`. */
function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}
