/**
 * A project for Node and Bun with this library from a package, made as JSR makes it: JavaScript and its declarations beside each
 * other, and the names of packages instead of `npm:` and `jsr:`. `deno pack` does nearly the same; the two differences are
 * corrected here. Beside it lie programs of `tests/`, which import the library by its name, or the files of the package.
 */
import { root } from "../../tasks/process.ts";
import { npmInstall } from "../../tasks/runtimes.ts";
import { blocksOf } from "../docs/snippets.ts";
import { Child, type ChildEnd, type ChildOptions } from "./child.ts";

/** The command line in the project. */
export const PACKED_CLI = "node_modules/@activejob/kafka/src/cli/mod.js";

/** The files of `tests/` that the project gets. */
const PROGRAMS = [
  "tests/runtimes/programs",
  "tests/broker/conformance",
  "tests/broker/sqlite/harness.ts",
  "tests/support/kafka/cluster.ts",
  "tests/support/kafka/harness.ts",
  "tests/support/kafka/kafkajs.ts",
  "tests/support/memory_harness.ts",
  "tests/support/patience.ts",
  "tests/support/skip.ts",
  "tests/support/until.ts",
];

/** A project in a folder of its own, until it is disposed of. */
export class OtherProject implements AsyncDisposable {
  /** Its folder. */
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the project. */
  static async create(): Promise<OtherProject> {
    const folder = await Deno.makeTempDir({ prefix: "other-runtimes-" });
    const project = new OtherProject(folder);
    try {
      const std = await packStandIn(`${folder}/std_cli`);
      await packLibrary(`${folder}/kafka`);
      const dependencies = { "@activejob/kafka": "file:kafka", ...std };
      await writeJson(`${folder}/package.json`, { private: true, type: "module", dependencies });
      // As `npx jsr add` does. With the stand-in it is left out: where JSR cannot be reached, npm tries for over a minute.
      if (std === null) await Deno.writeTextFile(`${folder}/.npmrc`, "@jsr:registry=https://npm.jsr.io\n");
      await npmInstall(folder, "--install-links");
      for (const path of PROGRAMS) await copyPrograms(path, folder);
      await Deno.symlink("node_modules/@activejob/kafka/src", `${folder}/src`);
      return project;
    } catch (error) {
      await project[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Writes the programs of a page that have a name, and are not for Deno alone, into a folder of the project.
   *
   * @returns their paths in the project
   */
  async writePrograms(page: string, folder: string): Promise<string[]> {
    const programs = blocksOf(await Deno.readTextFile(new URL(page, root))).flatMap(({ language, text }) => {
      const name = /^\/\/ ([\w./-]+\.ts)\b/.exec(text)?.[1];
      const forNode = text.replaceAll(/\bDeno\.env\.get\("(\w+)"\)/g, "process.env.$1");
      const isLeftOut = language !== "ts" || name === undefined || forNode.includes("Deno.");
      return isLeftOut ? [] : [[`${folder}/${name}`, forNode] as const];
    });
    await Deno.mkdir(`${this.folder}/${folder}`);
    for (const [path, text] of programs) await Deno.writeTextFile(`${this.folder}/${path}`, text);
    return programs.map(([path]) => path);
  }

  /** Starts a program in the project. */
  start(program: string, args: readonly string[], options: ChildOptions = {}): Child {
    return new Child(args, { program, cwd: this.folder, ...options });
  }

  /** Runs a program in the project to its end. */
  async run(program: string, args: readonly string[], options: ChildOptions = {}): Promise<ChildEnd> {
    await using child = this.start(program, args, options);
    return await child.ended();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Packs the published files. */
async function packLibrary(folder: string): Promise<void> {
  const tarball = `${folder}.tgz`;
  await run(Deno.execPath(), "pack", "--allow-dirty", "--no-source-maps", "--output", tarball);
  await Deno.mkdir(folder);
  await run("tar", "-xzf", tarball, "-C", folder, "--strip-components=1");
  // JSR keeps the requirement as it is written; `deno pack` makes a range of it.
  const manifest = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  for (const name of ["kafkajs", "croner", "@optique/core"]) {
    manifest.dependencies[name] = manifest.dependencies[name].replace("^", "");
  }
  await writeJson(`${folder}/package.json`, manifest);
  // JSR rewrites the names in `import()` as well.
  await edit(`${folder}/src/cli/split_arguments.js`, (text) => text.replace('"@std/cli/', '"@jsr/std__cli/'));
}

/** Packs the stand-in for `@std/cli`; `null` without a stand-in: then the published package comes from JSR. */
async function packStandIn(folder: string): Promise<Record<string, string> | null> {
  const vendored = new URL("vendor/jsr.io/@std/cli/1.0.0+standin/parse_args.ts", root);
  if (!await Deno.stat(vendored).then(() => true, () => false)) return null;
  await Deno.mkdir(folder);
  await run(Deno.execPath(), "transpile", "--output", `${folder}/parse_args.js`, vendored.pathname);
  const exports = { "./parse-args": "./parse_args.js" };
  await writeJson(`${folder}/package.json`, { name: "@jsr/std__cli", version: "1.0.0", type: "module", exports });
  return { "@jsr/std__cli": "file:std_cli" };
}

/** Copies a file or a folder. The files of the library have other names in the package, and packages no `npm:`. */
async function copyPrograms(path: string, to: string): Promise<void> {
  const from = new URL(path, root);
  if ((await Deno.stat(from)).isDirectory) {
    for await (const { name } of Deno.readDir(from)) await copyPrograms(`${path}/${name}`, to);
    return;
  }
  await Deno.mkdir(`${to}/${path.replace(/\/[^/]*$/, "")}`, { recursive: true });
  await Deno.copyFile(from, `${to}/${path}`);
  await edit(
    `${to}/${path}`,
    (text) =>
      text.replace(/(from "(?:\.\.\/)+src\/[^"]*)\.ts"/g, '$1.js"').replace(/from "npm:(\w+)@[\d.]+/g, 'from "$1'),
  );
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await Deno.writeTextFile(path, change(await Deno.readTextFile(path)));
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value, null, 2));
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args], cwd: root, stdin: "null" }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
}
