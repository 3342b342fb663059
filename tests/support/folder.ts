/** A temporary folder with files, for tests of commands that read and write a project. */
import { type ChildEnd, cli } from "./child.ts";

/** A folder with files, removed when it is disposed of. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Creates a folder with these files: their contents by their paths. */
  static async create(files: Readonly<Record<string, string>>): Promise<Folder> {
    const folder = new Folder(await Deno.makeTempDir({ prefix: "activejob-kafka-" }));
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(`${folder.path}/${name.replace(/[^/]*$/, "")}`, { recursive: true });
      await Deno.writeTextFile(`${folder.path}/${name}`, text);
    }
    return folder;
  }

  /** Runs a command of this checkout in the folder. */
  run(...args: string[]): Promise<ChildEnd> {
    return cli(args, { cwd: this.path });
  }

  /** Returns the content of each file by its path. */
  files(under = ""): Record<string, string> {
    const found: Record<string, string> = {};
    for (const { name, isDirectory } of Deno.readDirSync(`${this.path}/${under}`)) {
      if (isDirectory) Object.assign(found, this.files(`${under}${name}/`));
      else found[`${under}${name}`] = Deno.readTextFileSync(`${this.path}/${under}${name}`);
    }
    return found;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.path, { recursive: true });
  }
}

/** Returns what a generator printed, with one space between an action and its path. */
export function normalizeActions(lines: readonly string[]): string[] {
  return lines.map((line) => line.trim().replace(/ +/, " "));
}

/** A project with an App and one job. */
export const SMALL_PROJECT: Readonly<Record<string, string>> = {
  "app.ts": 'import { jobs } from "./jobs/mod.ts"; // "low"\n',
  "jobs/mod.ts": 'import { AJob } from "./a_job.ts";\n\nexport const jobs = [\n  AJob,\n];\n',
  "jobs/application_job.ts": "export abstract class ApplicationJob {}\n",
};
