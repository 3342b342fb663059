/**
 * What a Markdown page shows, executed. All blocks of a page live in one temporary folder, in which `@activejob/kafka` is
 * this checkout and `BROKER_URL` is not set, and run in the order of the page:
 *
 * - `ts`: a file, named by its first line if that is a comment such as `// jobs/welcome_job.ts`; it is type-checked and run.
 * - `sh`: commands.
 * - `console`: commands behind `$`, with what they print. A `text` block right behind a `ts` or `sh` block is what that prints.
 *
 * In an expected output `…` stands for any part of a line, and alone for any lines. What is printed is standard output and
 * standard error, the latter without Deno's own `Task`, `Check` and `Download` lines. A block behind an HTML comment
 * `<!-- not run: reason -->` is left out.
 */
import { dirname } from "node:path";
import { root } from "../../tasks/process.ts";

/** A block of a page that is to be executed. */
export interface Block {
  readonly language: "ts" | "sh" | "console";
  /** The line it begins at, counted from 1. */
  readonly line: number;
  readonly text: string;
  /** What must be printed, `null` where the page does not say. */
  readonly output: string | null;
  /** Why it is not run, `null` if it is. */
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

/** Whether what was printed is what the page shows. */
export function shows(expected: string, printed: string): boolean {
  const source = expected.trimEnd().split("\n").map((line) =>
    line.trim() === "…" ? "(?:.*\n)*?" : `${line.trimEnd().split("…").map(RegExp.escape).join(".*")}[ \\t]*\n`
  ).join("");
  return new RegExp(`^${source}$`).test(`${printed.trimEnd()}\n`);
}

/** A folder in which the blocks of one page run. */
export interface Playground extends AsyncDisposable {
  /** @throws {Error} if the block fails, or prints something else than the page shows */
  run(block: Block): Promise<void>;
  /** Writes a file that blocks can import. @returns its path */
  write(path: string, text: string): Promise<string>;
}

/** Makes the folder. The tasks of the checkout can be called in it. */
export async function openPlayground(): Promise<Playground> {
  const folder = await Deno.makeTempDir({ prefix: "activejob-kafka-docs-" });
  const { name, exports, imports, compilerOptions, tasks } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const doors = Object.entries<string>(exports).map(([door, file]) => [name + door.slice(1), new URL(file, root).href]);
  const home = decodeURIComponent(root.pathname);
  const config = {
    imports: { ...imports, ...Object.fromEntries(doors) },
    // An example may name what it does not use.
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
  // The commands of a page say "deno"; where that is not on the PATH, it is the one that runs this.
  await Deno.mkdir(`${folder}/.bin`);
  await Deno.symlink(Deno.execPath(), `${folder}/.bin/deno`);
  return {
    run: (block) => runBlock(block, folder, env),
    write: (path, text) => writeFile(folder, path, text),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function linkStandIns(folder: string): Promise<void> {
  const standIns = decodeURIComponent(new URL("vendor/jsr.io", root).pathname);
  const there = await Deno.stat(standIns).then(() => true, () => false);
  await Deno.mkdir(`${folder}/vendor`);
  if (there) await Deno.symlink(standIns, `${folder}/vendor/jsr.io`);
}

async function runBlock({ language, line, text, output }: Block, folder: string, env: Env): Promise<void> {
  if (language === "console") {
    for (const [command, expected] of commandsOf(text, line)) await runCommand(command, expected, folder, env, line);
  } else if (language === "sh") {
    await runCommand(text, output, folder, env, line);
  } else {
    const file = /^\/\/ ([\w./-]+\.ts)\b/.exec(text)?.[1] ?? `line_${line}.ts`;
    await writeFile(folder, file, text);
    await runCommand(`deno run -A --check ${file}`, output, folder, env, line);
  }
}

async function writeFile(folder: string, path: string, text: string): Promise<string> {
  await Deno.mkdir(dirname(`${folder}/${path}`), { recursive: true });
  await Deno.writeTextFile(`${folder}/${path}`, text);
  return path;
}

type Env = Record<string, string>;

/** The commands of a `console` block, each with what it must print. */
function commandsOf(text: string, line: number): (readonly [command: string, expected: string])[] {
  const [before, ...parts] = `\n${text}`.split("\n$ ");
  if (before?.trim() !== "" || parts.length === 0) throw new Error(`The block at line ${line} must begin with "$ "`);
  return parts.map((part) => {
    const [command = "", ...expected] = part.split("\n");
    return [command, expected.join("\n")];
  });
}

async function runCommand(
  command: string,
  expected: string | null,
  cwd: string,
  env: Env,
  line: number,
): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  // What JSR would give is this checkout, under the name that the import map has.
  const args = ["-ec", `{ ${command.replaceAll("jsr:@activejob/kafka", "@activejob/kafka")}\n} 2>&1`];
  const ended = await new Deno.Command("sh", { args, cwd, env, clearEnv: true, stdin: "null", signal }).output();
  const printed = new TextDecoder().decode(ended.stdout).replaceAll(/^(?:Task|Check|Download|Initialize) .*\n/gm, "");
  const what = `The block at line ${line}, "${command.trim()}",`;
  if (signal.aborted) throw new Error(`${what} did not end within 60 s. It printed:\n${printed}`);
  if (ended.code !== 0) throw new Error(`${what} ended with exit code ${ended.code}. It printed:\n${printed}`);
  if (expected !== null && !shows(expected, printed)) {
    throw new Error(`${what} printed something else.\n--- The page shows:\n${expected}\n--- It printed:\n${printed}`);
  }
}
