/**
 * The other runtimes of the tests in `tests/runtimes`, Node 22, Node 24 and Bun, and the compilers of their users, from npm.
 * They are installed once, beside the Kafka of the tests, by `deno run -A tasks/runtimes.ts` (about 350 MB).
 */
import { runTask } from "./requirements.ts";

/** The folder whose tests need them. */
export const RUNTIMES_FOLDER = "tests/runtimes";

/** A runtime that is not Deno. */
export interface OtherRuntime {
  /** `"Node 22"`. */
  readonly name: string;
  /** The path of its program. */
  readonly program: string;
}

/** Each with its package on npm, and its program in there. */
const RUNTIMES = [
  { name: "Node 22", spec: "node@22", program: "node/bin/node" },
  { name: "Node 24", spec: "node@24", program: "node/bin/node" },
  { name: "Bun", spec: "bun@1", program: "bun/bin/bun.exe" },
] as const;

/** The compilers: the oldest that the documentation names, and the newest. */
const COMPILERS = [
  { name: "TypeScript 5.9", spec: "typescript@5.9", program: "typescript/bin/tsc" },
  { name: "TypeScript 7", spec: "typescript@7", program: "typescript/bin/tsc" },
] as const;

/** The types of Node, installed beside each compiler. */
const NODE_TYPES = "@types/node@22";

function folderOf(spec: string): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/activejob-kafka/${spec}`;
}

/** The runtimes, whether they are installed or not. */
export const otherRuntimes: readonly OtherRuntime[] = RUNTIMES.map(({ name, spec, program }) => ({
  name,
  program: `${folderOf(spec)}/node_modules/${program}`,
}));

/** A compiler: a program of Node, with the folder of the types of Node. */
export interface Compiler extends OtherRuntime {
  readonly typeRoot: string;
}

/** The compilers, whether they are installed or not. */
export const compilers: readonly Compiler[] = COMPILERS.map(({ name, spec, program }) => ({
  name,
  program: `${folderOf(spec)}/node_modules/${program}`,
  typeRoot: `${folderOf(spec)}/node_modules/@types`,
}));

/** Returns why the runtimes and the compilers are missing; `null` if all of them are there. */
export async function findMissingRuntimes(): Promise<string | null> {
  for (const { name, program } of [...otherRuntimes, ...compilers]) {
    try {
      await Deno.stat(program);
    } catch {
      return `there is no ${name}: deno run -A tasks/runtimes.ts`;
    }
  }
  return null;
}

/** Installs a package of npm into a folder, or what the `package.json` of the folder names. */
export async function npmInstall(folder: string, ...packages: readonly string[]): Promise<void> {
  const args = ["install", "--prefix", folder, "--no-fund", "--no-audit", "--prefer-offline", ...packages];
  const { success, stderr } = await new Deno.Command("npm", { args, stdin: "null", cwd: folder }).output();
  if (!success) throw new Error(`npm ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
}

async function installRuntimes(): Promise<boolean> {
  const packages = [...RUNTIMES.map(({ spec }) => [spec]), ...COMPILERS.map(({ spec }) => [spec, NODE_TYPES])];
  for (const [spec, ...others] of packages) {
    await Deno.mkdir(folderOf(spec!), { recursive: true });
    await npmInstall(folderOf(spec!), spec!, ...others);
  }
  return true;
}

if (import.meta.main) {
  await runTask(async () => await findMissingRuntimes() === null || await installRuntimes());
}
