/**
 * Executes the blocks of a Markdown page. Each page has a folder of its own, in which `@activejob/kafka` is this
 * checkout and `BROKER_URL` is not set; its blocks are taken in the order of the page:
 *
 * - `ts`: a file, named by its first line if that is a comment such as `// jobs/welcome_job.ts`. It is written,
 *   type-checked, and run: alone if a `text` block right after it has its output, else it is loaded together with all
 *   others.
 * - `sh`: commands; a `text` block right after it is their output.
 * - `console`: commands after `$`, with their output.
 *
 * In an expected output `…` matches any part of a line, and alone any lines. The output is standard output and
 * standard error, the latter without Deno's own `Task`, `Check` and `Download` lines. A block after an HTML comment
 * `<!-- not run: reason -->` is not run; a `ts` block is type-checked all the same.
 */
import { dirname } from "node:path";
import { root } from "../../tasks/process.ts";

/** A block of a page that is to be executed. */
export interface Block {
  readonly language: "ts" | "sh" | "console";
  /** The line it begins at, counted from 1. */
  readonly line: number;
  readonly text: string;
  /** Expected output, `null` where the page has none. */
  readonly output: string | null;
  /** Reason for which it is not run, `null` if it is run. */
  readonly notRun: string | null;
}

/** Finds the blocks of a page that can be executed. */
export function blocksOf(page: string): Block[] {
  const fences = /(?:<!-- not run: ([^\n]*?) -->\n\s*)?^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;
  const blocks: Block[] = [];
  let end = -1;
  for (const match of page.matchAll(fences)) {
    const [whole, notRun = null, language, text = ""] = match;
    const before = blocks.at(-1);
    if (language === "text" && before?.output === null && page.slice(end, match.index).trim() === "") {
      blocks[blocks.length - 1] = { ...before, output: text };
    } else if (language === "ts" || language === "sh" || language === "console") {
      const start = match.index + whole.indexOf("```");
      blocks.push({ language, line: page.slice(0, start).split("\n").length, text, output: null, notRun });
      end = match.index + whole.length;
    }
  }
  return blocks;
}

/** Whether the output is the one that the page shows. */
export function shows(expected: string, printed: string): boolean {
  const source = expected.trimEnd().split("\n").map((line) =>
    line.trim() === "…" ? "(?:.*\n)*?" : `${line.trimEnd().split("…").map(RegExp.escape).join(".*")}[ \\t]*\n`
  ).join("");
  return new RegExp(`^${source}$`).test(`${printed.trimEnd()}\n`);
}

/** A folder in which the blocks of one page run. */
export class Playground implements AsyncDisposable {
  readonly #path: string;
  readonly #env: Env;
  /** Files that blocks wrote, and those of them that are not loaded yet. */
  readonly #files = new Map<string, { isToLoad: boolean }>();
  readonly #below: [name: string, playground: Playground][] = [];

  /** @internal */
  constructor(path: string, env: Env) {
    this.#path = path;
    this.#env = env;
  }

  /** A playground in a folder of this one. */
  async folder(name: string): Promise<Playground> {
    const path = `${this.#path}/${name}`;
    await Deno.mkdir(path);
    const playground = new Playground(path, this.#env);
    this.#below.push([name, playground]);
    return playground;
  }

  /** @throws {Error} if the block fails, or its output is not the one that the page shows */
  async run({ language, line, text, output, notRun }: Block): Promise<void> {
    if (language === "console") {
      for (const [command, expected] of commandsOf(text, line)) await this.#command(command, expected, line);
    } else if (language === "sh") {
      await this.#command(text, output, line);
    } else {
      const file = /^\/\/ ([\w./-]+\.ts)\b/.exec(text)?.[1] ?? `line_${line}.ts`;
      await this.write(file, text, notRun === null && output === null);
      if (notRun === null && output !== null) await this.#command(`deno run -A ${file}`, output, line);
    }
  }

  /** Writes a file; with `isToLoad` it is run by {@linkcode Playground.load}. @returns its path */
  async write(path: string, text: string, isToLoad = false): Promise<string> {
    // A file that a later block replaces must be right, too.
    if (this.#files.has(path)) await this.#command(`deno check --quiet ${path}`, null, 0);
    this.#files.set(path, { isToLoad });
    await Deno.mkdir(dirname(`${this.#path}/${path}`), { recursive: true });
    await Deno.writeTextFile(`${this.#path}/${path}`, text);
    return path;
  }

  /** Type-checks all files at once: a check for each would cost seconds. */
  async check(): Promise<void> {
    const files = this.#all().map(([path]) => path);
    await this.#command(`deno check --quiet ${files.join(" ")}`, null, 0);
  }

  /** Runs all files without an expected output in turn, in one process, and names the one that fails. */
  async load(): Promise<void> {
    const files = this.#all().filter(([, { isToLoad }]) => isToLoad).map(([path]) => path);
    const main = files.map((path) => `console.log("${path}");\nawait import("./${path}");\n`).join("");
    await Deno.writeTextFile(`${this.#path}/load.ts`, `${main}console.log("all ran");\n`);
    await this.#command("deno run -A load.ts", "…\nall ran\n…\n", 0);
  }

  /** Removes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.#path, { recursive: true });
  }

  #all(): [path: string, file: { isToLoad: boolean }][] {
    const below = this.#below.flatMap(([name, playground]) =>
      playground.#all().map(([path, file]) => [`${name}/${path}`, file] as [string, { isToLoad: boolean }])
    );
    return [...this.#files, ...below];
  }

  async #command(command: string, expected: string | null, line: number): Promise<void> {
    await runCommand(command, expected, this.#path, this.#env, line);
  }
}

/** Makes a playground. The tasks of the checkout can be called in it. */
export async function openPlayground(): Promise<Playground> {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-docs-" });
  const { name, exports, imports, compilerOptions, tasks } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const doors = Object.entries<string>(exports).map(([door, file]) => [name + door.slice(1), new URL(file, root).href]);
  const home = decodeURIComponent(root.pathname);
  const config = {
    imports: { ...imports, ...Object.fromEntries(doors) },
    // An example may declare a name without using it.
    compilerOptions: { ...compilerOptions, noUnusedLocals: false },
    vendor: true,
    nodeModulesDir: "none",
    lock: false,
    tasks: Object.fromEntries(Object.entries(tasks).map(([task, command]) => [task, `cd "${home}" && ${command}`])),
  };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config, null, 2));
  await linkStandIns(folder);
  const env = { ...Deno.env.toObject(), NO_COLOR: "1", PATH: `${folder}/.bin:${Deno.env.get("PATH")}` };
  delete (env as Record<string, string>).BROKER_URL;
  // The commands of a page say "deno"; where it is not on the PATH, the Deno that runs this test takes its place.
  await Deno.mkdir(`${folder}/.bin`);
  await Deno.symlink(Deno.execPath(), `${folder}/.bin/deno`);
  return new Playground(folder, env);
}

async function linkStandIns(folder: string): Promise<void> {
  const standIns = decodeURIComponent(new URL("vendor/jsr.io", root).pathname);
  const there = await Deno.stat(standIns).then(() => true, () => false);
  await Deno.mkdir(`${folder}/vendor`);
  if (there) await Deno.symlink(standIns, `${folder}/vendor/jsr.io`);
}

type Env = Record<string, string>;

/** The commands of a `console` block, each with its expected output. */
function commandsOf(text: string, line: number): (readonly [command: string, expected: string])[] {
  const [before, ...parts] = `\n${text}`.split("\n$ ");
  if (before?.trim() !== "" || parts.length === 0) throw new Error(`The block at line ${line} must begin with "$ "`);
  return parts.map((part) => {
    const [command = "", ...expected] = part.split("\n");
    return [command, expected.join("\n")];
  });
}

/** The longest time of a command: on a busy machine a check of types takes minutes. Only a page that is wrong takes so long. */
const LIMIT_MS = 300_000;

async function runCommand(
  command: string,
  expected: string | null,
  cwd: string,
  env: Env,
  line: number,
): Promise<void> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  // This checkout takes the place of the package from JSR, under the name in the import map.
  const args = ["-ec", `{ ${command.replaceAll("jsr:@activejob/kafka", "@activejob/kafka")}\n} 2>&1`];
  const ended = await new Deno.Command("sh", { args, cwd, env, clearEnv: true, stdin: "null", signal }).output();
  const printed = new TextDecoder().decode(ended.stdout).replaceAll(/^(?:Task|Check|Download|Initialize) .*\n/gm, "");
  const what = `${line === 0 ? "The command" : `The block at line ${line},`} "${command.trim()}"`;
  if (signal.aborted) throw new Error(`${what} did not end within ${LIMIT_MS} ms. It printed:\n${printed}`);
  if (ended.code !== 0) throw new Error(`${what} ended with exit code ${ended.code}. It printed:\n${printed}`);
  if (expected !== null && !shows(expected, printed)) {
    throw new Error(`${what} printed something else.\n--- The page shows:\n${expected}\n--- It printed:\n${printed}`);
  }
}
