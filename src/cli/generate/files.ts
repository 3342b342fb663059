/**
 * The files of a project on the disk. A path that leads out of the project, by a link, is refused when it is read; and all
 * that is written was read before.
 */
import { dirname, join, resolve, sep } from "node:path";
import { show } from "../../support/validation.ts";
import { CommandError } from "../command.ts";
import { type Decision, isWritten } from "./plan.ts";

/** The folder of a project, which need not be there yet. */
export class ProjectFiles {
  readonly #root: string;

  /** @param folder relative to the working directory */
  constructor(folder: string) {
    this.#root = resolve(folder);
  }

  /** Its last part. */
  get name(): string {
    return this.#root.split(sep).at(-1)!;
  }

  /**
   * Reads a file, with `\n` as line breaks.
   *
   * @returns `null` where there is none
   * @throws {CommandError} if there is something that cannot be read, or that lies elsewhere
   */
  readonly read = (path: string): string | null => {
    return this.#raw(path)?.replaceAll("\r\n", "\n") ?? null;
  };

  /**
   * Writes what was decided.
   *
   * @throws {CommandError} if the disk refuses; what was written until then is identical the next time
   */
  write(decisions: readonly Decision[]): void {
    for (const decision of decisions.filter(isWritten)) {
      const { path, text, fate } = decision;
      const usesCrlf = this.#raw(path)?.includes("\r\n") ?? false;
      try {
        Deno.mkdirSync(dirname(join(this.#root, path)), { recursive: true });
        // What came there since it was looked for is not overwritten.
        Deno.writeTextFileSync(join(this.#root, path), usesCrlf ? text.replaceAll("\n", "\r\n") : text, {
          createNew: fate === "create",
        });
      } catch (cause) {
        throw new CommandError(`Cannot write "${path}"`, { cause });
      }
    }
  }

  #raw(path: string): string | null {
    this.#refuseElsewhere(path);
    try {
      return Deno.readTextFileSync(join(this.#root, path));
    } catch (cause) {
      if (cause instanceof Deno.errors.NotFound) return null;
      throw new CommandError(`Cannot read "${path}"`, { cause });
    }
  }

  #refuseElsewhere(path: string): void {
    const root = realPath(this.#root);
    if (root === null) return;
    let at = join(this.#root, path);
    let real = realPath(at);
    while (real === null) {
      if (isLink(at)) throw new CommandError(`"${path}" is a link that leads nowhere`);
      real = realPath(at = dirname(at));
    }
    if (real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)) return;
    throw new CommandError(`"${path}" leads out of the project, to ${show(real)}`);
  }
}

function realPath(path: string): string | null {
  try {
    return Deno.realPathSync(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) return null;
    throw new CommandError(`Cannot read ${show(path)}`, { cause });
  }
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}
