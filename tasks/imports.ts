/**
 * `deno task check:imports`: checks that the modules import each other as `docs/architecture.md` says. It reads the
 * imports of every file (`deno info --json`) and prints each broken rule. A type import counts like any other import:
 * code that needs the types of another module depends on that module.
 *
 * A module is a folder of `src/`, or a file that lies directly in `src/`. The modules form layers.
 */
import { deno, filesUnder, root } from "./process.ts";

/** One import of one file. */
export interface Import {
  /** The file, relative to the root, or the package: `"npm:kafkajs"`, `"jsr:@std/cli"`, `"node:fs"`. */
  readonly to: string;
  /** Whether it is loaded later than the file (`await import()`) or never (`import type`). */
  readonly lazy: boolean;
}

/** A file of the project. */
export interface SourceFile {
  readonly text: string;
  readonly imports: readonly Import[];
}

/** The files by path, relative to the root: `"src/app/app.ts"`. */
export type Sources = ReadonlyMap<string, SourceFile>;

/**
 * The layers, lowest first. A file imports from lower layers and from its own module, never from another module of its
 * layer.
 */
const LAYERS = [
  ["errors"],
  ["support"],
  ["monitor"],
  ["broker", "job"],
  ["recurring", "routing"],
  ["dispatch", "worker"],
  ["control", "dead_letters", "reports", "scheduler"],
  ["status"],
  ["app"],
  ["testing", "web"],
  ["cli"],
];

/** The modules that use the broker interface, and no broker that implements it. */
const INTERFACE_ONLY = ["control", "dead_letters", "dispatch", "reports", "scheduler", "status", "worker"];

/** The packages that may be used, and the files that may use them. */
const PACKAGES: readonly (readonly [name: RegExp, users: RegExp])[] = [
  [/^node:/, /^src\//],
  [/^npm:kafkajs$/, /^src\/broker\/kafka\/wire\//],
  [/^npm:croner$/, /^src\/recurring\/cron\.ts$/],
  [/^npm:@optique\/core$/, /^src\/cli\/completion\.ts$/],
  [/^jsr:@std\/cli$/, /^src\/cli\//],
];

/** The files that may use `Deno`: the library and its command line also run in Node and Bun. */
const DENO_USERS = [
  // It checks an inode after each transaction: `Deno.statSync` takes 4 µs, `statSync` of `node:fs` takes 17.
  "src/broker/sqlite/file_identity.ts",
  "src/cli/permissions.ts",
  "src/cli/runtime.ts",
  "src/cli/tcp.ts",
  // It reads a permission before it reads the name of the host: without it Deno would ask the user.
  "src/support/process_info.ts",
];

/**
 * Checks the rules.
 *
 * @returns a sentence for each broken rule, none if all hold
 */
export function findBrokenRules(sources: Sources): string[] {
  const broken: string[] = [];
  for (const [file, { text, imports }] of sources) {
    if (!file.startsWith("src/")) continue;
    const module = moduleOf(file);
    if (layerOf(file) < 0) broken.push(`${file} belongs to no module: add it to LAYERS in tasks/imports.ts`);
    broken.push(...imports.flatMap((found) => checkImport(file, found)));
    const code = stripText(text);
    if (!DENO_USERS.includes(file) && /\bDeno\b/.test(code)) {
      broken.push(`${file} uses Deno, which Node and Bun do not have: use src/cli/runtime.ts or a module of Node`);
    }
    if (/\busing\s+\w+\s*=/.test(code)) {
      broken.push(`${file} uses "using", which Node 22 cannot read: use try and finally, or src/cli/disposing.ts`);
    }
    for (const { to } of imports) {
      const reached = collectReached(sources, to);
      if (reached.has(file)) broken.push(`${file} and ${to} are in an import cycle`);
      const broker = [...reached].find((other) => /^src\/broker\/\w+\//.test(other));
      if (broker !== undefined && INTERFACE_ONLY.includes(module)) {
        broken.push(`${file} reaches ${broker} through ${to}, but "${module}" may use only the broker interface`);
      }
    }
  }
  const atOnce = collectReached(sources, "mod.ts", (found) => !found.lazy);
  if (atOnce.has("npm:kafkajs")) broken.push(`mod.ts loads kafkajs at once: an "await import()" must lie between them`);
  if (collectReached(sources, "mod.ts").has("npm:croner")) {
    broken.push("mod.ts reaches croner: only the entry point src/recurring/mod.ts may");
  }
  return broken;
}

function checkImport(file: string, { to }: Import): string[] {
  if (to === "mod.ts") return [`${file} imports mod.ts, which is the entry point for users`];
  if (to.startsWith("src/")) {
    const isAllowed = moduleOf(to) === moduleOf(file) || layerOf(to) < layerOf(file);
    return isAllowed ? [] : [`${file} imports ${to}, but "${moduleOf(file)}" may not import "${moduleOf(to)}"`];
  }
  if (PACKAGES.some(([name, users]) => name.test(to) && users.test(file))) return [];
  return [`${file} imports ${to}, which may not be used there`];
}

/** `"src/broker/kafka/mod.ts"` → `"broker"`, `"src/errors.ts"` → `"errors"`. */
function moduleOf(file: string): string {
  return file.replace(/^src\//, "").replace(/[/.].*$/, "");
}

/** The number of the file's layer, -1 if it has none. */
function layerOf(file: string): number {
  return LAYERS.findIndex((modules) => modules.includes(moduleOf(file)));
}

/** All files and packages that a file imports, directly or through others, itself included. */
function collectReached(
  sources: Sources,
  file: string,
  follows: (found: Import) => boolean = () => true,
  reached: Set<string> = new Set(),
): Set<string> {
  if (reached.has(file)) return reached;
  reached.add(file);
  for (const found of sources.get(file)?.imports ?? []) {
    if (follows(found)) collectReached(sources, found.to, follows, reached);
  }
  return reached;
}

/** The text without comments and strings; of a template only its expressions. */
function stripText(text: string): string {
  const parts = /`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/.*/g;
  return text.replace(parts, (part) => part.startsWith("`") ? (part.match(/\$\{[^}]*\}/g) ?? []).join(" ") : " ");
}

/**
 * Reads the files of `src/` and `mod.ts` with their imports.
 *
 * @param base the project's folder, a copy of it in tests
 * @throws {Error} if Deno cannot read a file
 */
export async function readSources(base: URL = root): Promise<Sources> {
  const files = ["mod.ts", ...filesUnder("src/", ".ts", base)];
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, files.map((file) => `import "${new URL(file, base)}";\n`).join(""));
    const { code, stdout, stderr } = await deno(["info", "--json", "--config", "deno.json", entry], { cwd: base });
    if (code !== 0) throw new Error(`Cannot read the imports: ${stderr.trim()}`);
    const modules = new Map((JSON.parse(stdout).modules as Module[]).map((module) => [module.specifier, module]));
    return new Map(files.map((file) => {
      const imports = modules.get(new URL(file, base).href)?.dependencies?.map((found) => parseImport(found, base)) ??
        [];
      return [file, { text: Deno.readTextFileSync(new URL(file, base)), imports }];
    }));
  } finally {
    await Deno.remove(entry);
  }
}

/** A file in the output of `deno info --json`. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly Dependency[];
}

interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
  readonly isDynamic?: boolean;
}

function parseImport({ specifier, code, type, isDynamic }: Dependency, base: URL): Import {
  const target = code?.specifier ?? type?.specifier ?? specifier;
  const found = /^(npm:|jsr:)\/?((?:@[^/]+\/)?[^/@]+)/.exec(target);
  const to = found === null ? target.replace(base.href, "") : `${found[1]}${found[2]}`;
  return { to, lazy: code === undefined || isDynamic === true };
}

if (import.meta.main) {
  const broken = findBrokenRules(await readSources());
  for (const line of broken) console.error(line);
  if (broken.length > 0) Deno.exit(1);
  console.log("The imports keep every rule");
}
