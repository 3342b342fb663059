/**
 * `deno task arrows`: checks that the house stands as `docs/architecture.md` draws it. It reads what every file imports
 * (`deno info --json`) and prints each broken rule. Type imports count like any other: who needs another room's types
 * knows that room.
 */
import { deno, filesUnder, root } from "./process.ts";

/** One import of one file. */
export interface Import {
  /** The file, relative to the root, or the package: `"npm:kafkajs"`, `"jsr:@std/cli"`, `"node:fs"`. */
  readonly to: string;
  /** Whether it is not loaded together with the file: `await import()`, `import type`. */
  readonly lazy: boolean;
}

/** A file of the house. */
export interface SourceFile {
  readonly text: string;
  readonly imports: readonly Import[];
}

/** The files by path, relative to the root: `"src/app/app.ts"`. */
export type House = ReadonlyMap<string, SourceFile>;

/** The floors, lowest first. A file imports from lower floors and from its own room, never from the room beside it. */
const FLOORS = [
  ["errors"],
  ["lazily", "options", "user_frame", "within"],
  ["monitor"],
  ["broker", "job"],
  ["routing"],
  ["dispatch", "scheduler", "worker"],
  ["app"],
  ["testing", "web"],
  ["cli"],
];

/** The rooms that know the seam, but no broker that stands behind it. */
const KNOW_ONLY_THE_SEAM = ["dispatch", "scheduler", "worker"];

/** The packages that may be used, and where. */
const PACKAGES: readonly (readonly [name: RegExp, where: RegExp])[] = [
  [/^node:/, /^src\//],
  [/^npm:kafkajs$/, /^src\/broker\/kafka\//],
  [/^jsr:@std\/cli$/, /^src\/cli\//],
  [/^jsr:@std\/assert$/, /^src\/broker\/conformance\//],
];

/** Checks an inode after each transaction: `Deno.statSync` takes 4 µs, `node:fs` takes 17. */
const USES_DENO = "src/broker/sqlite/file_identity.ts";

/**
 * Says what stands wrong.
 *
 * @returns a sentence for each broken rule, none if all is well
 */
export function brokenRules(house: House): string[] {
  const broken: string[] = [];
  for (const [file, { text, imports }] of house) {
    if (!file.startsWith("src/")) continue;
    if (floor(file) < 0) broken.push(`${file} stands in no room of the house`);
    broken.push(...imports.flatMap((step) => wrongStep(file, step)));
    if (room(file) !== "cli" && file !== USES_DENO && /\bDeno\b/.test(codeOf(text))) {
      broken.push(`${file} uses Deno, which only src/cli may`);
    }
    const reached = imports.map(({ to }) => [to, reach(house, to)] as const);
    for (const [to, further] of reached) {
      if (further.has(file)) broken.push(`${file} and ${to} stand in a circle`);
      const concrete = [...further].find((other) => /^src\/broker\/\w+\//.test(other));
      if (concrete !== undefined && KNOW_ONLY_THE_SEAM.includes(room(file))) {
        broken.push(`${file} reaches ${concrete} through ${to}, but "${room(file)}" may know only the seam`);
      }
    }
  }
  return broken;
}

function wrongStep(file: string, { to, lazy }: Import): string[] {
  if (to === "mod.ts") return [`${file} imports mod.ts, which is the users' door`];
  if (to.startsWith("src/")) {
    const allowed = room(to) === room(file) || floor(to) < floor(file);
    return allowed ? [] : [`${file} imports ${to}, but "${room(file)}" may not know "${room(to)}"`];
  }
  if (!PACKAGES.some(([name, where]) => name.test(to) && where.test(file))) {
    return [`${file} imports ${to}, which may not be used there`];
  }
  return to === "npm:kafkajs" && !lazy ? [`${file} loads kafkajs at once, it must be an "await import()"`] : [];
}

/** `"src/broker/kafka/mod.ts"` → `"broker"`, `"src/errors.ts"` → `"errors"`. */
function room(file: string): string {
  return file.replace(/^src\//, "").replace(/[/.].*$/, "");
}

function floor(file: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room(file)));
}

function reach(house: House, from: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(from)) return seen;
  seen.add(from);
  for (const { to } of house.get(from)?.imports ?? []) reach(house, to, seen);
  return seen;
}

/** The text without comments and strings; of a template only what is computed in it. */
function codeOf(text: string): string {
  const parts = /`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[\s\S]*?\*\/|\/\/.*/g;
  return text.replace(parts, (part) => part.startsWith("`") ? (part.match(/\$\{[^}]*\}/g) ?? []).join(" ") : " ");
}

/**
 * Reads the house.
 *
 * @param base the project's folder, a copy of it in tests
 * @throws {Error} if Deno cannot read a file
 */
export async function readHouse(base: URL = root): Promise<House> {
  const files = ["mod.ts", ...filesUnder("src/", ".ts", base)];
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(entry, files.map((file) => `import "${new URL(file, base)}";\n`).join(""));
    const { code, stdout, stderr } = await deno(["info", "--json", "--config", "deno.json", entry], { cwd: base });
    if (code !== 0) throw new Error(`Cannot read the imports: ${stderr.trim()}`);
    const modules = new Map((JSON.parse(stdout).modules as Module[]).map((module) => [module.specifier, module]));
    return new Map(files.map((file) => {
      const imports = modules.get(new URL(file, base).href)?.dependencies?.map((found) => importOf(found, base)) ?? [];
      return [file, { text: Deno.readTextFileSync(new URL(file, base)), imports }];
    }));
  } finally {
    await Deno.remove(entry);
  }
}

/** What `deno info` says of a file. */
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

function importOf({ specifier, code, type, isDynamic }: Dependency, base: URL): Import {
  const target = code?.specifier ?? type?.specifier ?? specifier;
  const found = /^(npm:|jsr:)\/?((?:@[^/]+\/)?[^/@]+)/.exec(target);
  const to = found === null ? target.replace(base.href, "") : `${found[1]}${found[2]}`;
  return { to, lazy: code === undefined || isDynamic === true };
}

if (import.meta.main) {
  const broken = brokenRules(await readHouse());
  for (const line of broken) console.error(line);
  if (broken.length > 0) Deno.exit(1);
  console.log("The house stands: every arrow points the right way");
}
