/**
 * Adds a job to `jobs/mod.ts`: an import, and an entry of the list `jobs`, both in alphabetical order. The file belongs to
 * the user: comments, order and other code are kept. A file that cannot be parsed is not changed, and the error has the lines
 * to add by hand.
 */
import { CommandError } from "../command.ts";
import { applyEdits, blankComments, type Edit } from "./edits.ts";
import type { JobName } from "./job_name.ts";
import { formatImport } from "./templates.ts";

/** The file. */
export const JOB_LIST = "jobs/mod.ts";

interface Import {
  readonly start: number;
  readonly end: number;
  readonly specifier: string;
  /** The text between its braces. */
  readonly names: string;
}

interface Entry {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A list: the range between its brackets, and its entries. */
interface List {
  readonly start: number;
  readonly end: number;
  readonly entries: readonly Entry[];
}

/**
 * Adds a job to the list.
 *
 * @param module the text of `jobs/mod.ts`
 * @returns the new text; the same text if it has the job
 * @throws {CommandError} if it cannot be parsed, or another job has the name
 */
export function addToJobList(module: string, job: JobName): string {
  const code = blankComments(module);
  const imports = parseImports(code);
  const own = imports.find(({ specifier }) => specifier === formatSpecifier(job));
  const name = own === undefined ? job.localName : findLocalName(own, job.className);
  if (name === undefined) {
    throw createRefusal(job, findFreeName(job, code), `it imports something else from "${formatSpecifier(job)}"`);
  }
  // In "RefreshJob as AdminRefreshJob" only the second name belongs to this file.
  const used = code.match(new RegExp(`\\b${name}\\b(?!\\s+as\\b)`, "g"))?.length ?? 0;
  // The user may have listed it in another way.
  if (own !== undefined && used > 1) return module;
  if (own === undefined && used > 0) {
    throw createRefusal(job, findFreeName(job, code), `the name "${name}" is taken there`);
  }
  const list = parseList(code);
  if (list === undefined) {
    throw createRefusal(job, name, "there is no list of plain names, such as: export const jobs = [AJob, BJob]");
  }
  const edits = planEntry(code, module, list, name);
  return applyEdits(module, own === undefined ? [planImport(code, imports, job), ...edits] : edits);
}

function formatSpecifier({ path }: JobName): string {
  return `./${path}.ts`;
}

function parseImports(code: string): Import[] {
  const statements = /^import\b([^;"'`]*?)\bfrom\s*(["'])([^"'\n]+)\2[^\S\n]*;?/gm;
  return Array.from(code.matchAll(statements), ({ index, 0: whole, 1: clause = "", 3: specifier = "" }) => ({
    start: index,
    end: index + whole.length,
    specifier,
    names: /\{([^}]*)\}/.exec(clause)?.[1] ?? "",
  }));
}

/** Finds the local name of an imported class; `undefined` if the import does not have it. */
function findLocalName({ names }: Import, className: string): string | undefined {
  for (const part of names.split(",")) {
    const [, exported, local = exported] = /^\s*(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(part) ?? [];
    if (exported === className) return local;
  }
  return undefined;
}

/** Parses the list `jobs`; `undefined` unless there is exactly one, with plain names only. */
function parseList(code: string): List | undefined {
  const [found, another] = code.matchAll(/\bjobs\b\s*(?::[^=;]*)?=\s*\[([^[\]]*)\]/g);
  if (found === undefined || another !== undefined) return undefined;
  const inside = found[1]!;
  const end = found.index + found[0].length - 1;
  const start = end - inside.length;
  const entries = Array.from(inside.matchAll(/(?:\.\.\.)?[\w$.]+/g), ({ index, 0: name }) => ({
    name,
    start: start + index,
    end: start + index + name.length,
  }));
  const isPlain = /^\s*(?:(?:\.\.\.)?[\w$.]+\s*(?:,\s*|$))*$/.test(inside);
  return isPlain ? { start, end, entries } : undefined;
}

function planImport(code: string, imports: readonly Import[], job: JobName): Edit {
  const line = formatImport(job.className, formatSpecifier(job), job.localName);
  const files = imports.filter(({ specifier }) => specifier.startsWith("."));
  const before = files.findLast(({ specifier }) => specifier < formatSpecifier(job)) ??
    (files.length === 0 ? imports.at(-1) : undefined);
  if (before !== undefined) return { at: findLineEnd(code, before.end), text: `\n${line}` };
  return files.length > 0 ? { at: files[0]!.start, text: `${line}\n` } : { at: 0, text: `${line}\n\n` };
}

function planEntry(code: string, module: string, { start, end, entries }: List, name: string): Edit[] {
  const before = entries.findLast((entry) => entry.name < name);
  if (!code.slice(start, end).includes("\n") && code.slice(start, end) === module.slice(start, end)) {
    const names = entries.map((entry) => entry.name);
    const sorted = names.toSpliced(before === undefined ? 0 : entries.indexOf(before) + 1, 0, name);
    return [{ at: start, to: end, text: `\n${sorted.map((name) => `  ${name},\n`).join("")}` }];
  }
  const comma = before === undefined ? undefined : /^\s*,/.exec(code.slice(before.end, end));
  const at = before === undefined ? start : before.end + (comma?.[0].length ?? 0);
  const edits: Edit[] = before !== undefined && comma == null ? [{ at, text: "," }] : [];
  const newLineAt = findLineEnd(code, at);
  // After a comment on the same line, which is about the entry before.
  if (newLineAt < end && code.slice(at, newLineAt).trim() === "") {
    return [...edits, { at: newLineAt, text: `\n${readIndent(code, entries[0])}${name},` }];
  }
  return [...edits, { at, text: before === undefined ? `${name}, ` : ` ${name},` }];
}

function findLineEnd(code: string, from: number): number {
  const end = code.indexOf("\n", from);
  return end < 0 ? code.length : end;
}

function readIndent(code: string, entry: Entry | undefined): string {
  return entry === undefined ? "  " : /[ \t]*$/.exec(code.slice(0, entry.start))![0] || "  ";
}

/** Finds a free name for the job's class: `"AdminRefreshJob"`, or `"AdminRefreshJob2"` if that is taken. */
function findFreeName({ localName }: JobName, code: string): string {
  const isTaken = (name: string) => new RegExp(`\\b${name}\\b`).test(code);
  let free = localName;
  for (let number = 2; isTaken(free); number++) free = `${localName}${number}`;
  return free;
}

/** @param name the name of the class when it is added by hand */
function createRefusal(job: JobName, name: string, reason: string): CommandError {
  return new CommandError(
    `Cannot add ${job.jobName} to "${JOB_LIST}": ${reason}. Nothing was written. Add this by hand, then run it again: ` +
      `${formatImport(job.className, formatSpecifier(job), name).replaceAll(/\s+/g, " ")} ` +
      `and the entry ${name} in the App's jobs`,
  );
}
