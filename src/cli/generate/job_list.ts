/**
 * Puts a job into `jobs/mod.ts`: an import, and an entry of the list `jobs`, both where the alphabet wants them. The file is
 * the user's: comments, order and whatever else stands there survive. What cannot be understood is left alone, and the user
 * is told the lines.
 */
import { CommandError } from "../command.ts";
import { applyEdits, type Edit, withoutComments } from "./edits.ts";
import type { JobName } from "./job_name.ts";
import { importOf } from "./templates.ts";

/** The file. */
export const JOB_LIST = "jobs/mod.ts";

interface Import {
  readonly start: number;
  readonly end: number;
  readonly specifier: string;
  /** What stands in its braces. */
  readonly names: string;
}

interface Entry {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** A list: between its brackets, and what stands there. */
interface List {
  readonly start: number;
  readonly end: number;
  readonly entries: readonly Entry[];
}

/**
 * Puts a job into the list.
 *
 * @param module the text of `jobs/mod.ts`
 * @returns its new text; the same where the job is in it already
 * @throws {CommandError} if it cannot be understood, or another job has the name
 */
export function listJob(module: string, job: JobName): string {
  const code = withoutComments(module);
  const imports = importsOf(code);
  const own = imports.find(({ specifier }) => specifier === specifierOf(job));
  const name = own === undefined ? job.localName : localNameIn(own, job.className);
  if (name === undefined) {
    throw cannot(job, freeName(job, code), `it imports something else from "${specifierOf(job)}"`);
  }
  // In "RefreshJob as AdminRefreshJob" only the second one is a name of this file.
  const used = code.match(new RegExp(`\\b${name}\\b(?!\\s+as\\b)`, "g"))?.length ?? 0;
  // However it is used, by hand: it is.
  if (own !== undefined && used > 1) return module;
  if (own === undefined && used > 0) throw cannot(job, freeName(job, code), `something else is called "${name}" there`);
  const list = listIn(code);
  if (list === undefined) {
    throw cannot(job, name, "there is no list of plain names, such as: export const jobs = [AJob, BJob]");
  }
  const edits = entryEdits(code, module, list, name);
  return applyEdits(module, own === undefined ? [importEdit(code, imports, job), ...edits] : edits);
}

function specifierOf({ path }: JobName): string {
  return `./${path}.ts`;
}

function importsOf(code: string): Import[] {
  const statements = /^import\b([^;"'`]*?)\bfrom\s*(["'])([^"'\n]+)\2[^\S\n]*;?/gm;
  return Array.from(code.matchAll(statements), ({ index, 0: whole, 1: clause = "", 3: specifier = "" }) => ({
    start: index,
    end: index + whole.length,
    specifier,
    names: /\{([^}]*)\}/.exec(clause)?.[1] ?? "",
  }));
}

/** What a class is called that an import brings, as far as it does. */
function localNameIn({ names }: Import, className: string): string | undefined {
  for (const part of names.split(",")) {
    const [, exported, local = exported] = /^\s*(\w+)(?:\s+as\s+(\w+))?\s*$/.exec(part) ?? [];
    if (exported === className) return local;
  }
  return undefined;
}

/** The one list called `jobs`, if it has names only. */
function listIn(code: string): List | undefined {
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

function importEdit(code: string, imports: readonly Import[], job: JobName): Edit {
  const line = importOf(job.className, specifierOf(job), job.localName);
  const files = imports.filter(({ specifier }) => specifier.startsWith("."));
  const before = files.findLast(({ specifier }) => specifier < specifierOf(job)) ??
    (files.length === 0 ? imports.at(-1) : undefined);
  if (before !== undefined) return { at: lineEnd(code, before.end), text: `\n${line}` };
  return files.length > 0 ? { at: files[0]!.start, text: `${line}\n` } : { at: 0, text: `${line}\n\n` };
}

function entryEdits(code: string, module: string, { start, end, entries }: List, name: string): Edit[] {
  const before = entries.findLast((entry) => entry.name < name);
  if (!code.slice(start, end).includes("\n") && code.slice(start, end) === module.slice(start, end)) {
    const names = entries.map((entry) => entry.name);
    const sorted = names.toSpliced(before === undefined ? 0 : entries.indexOf(before) + 1, 0, name);
    return [{ at: start, to: end, text: `\n${sorted.map((name) => `  ${name},\n`).join("")}` }];
  }
  const comma = before === undefined ? undefined : /^\s*,/.exec(code.slice(before.end, end));
  const at = before === undefined ? start : before.end + (comma?.[0].length ?? 0);
  const edits: Edit[] = before !== undefined && comma == null ? [{ at, text: "," }] : [];
  const newLineAt = lineEnd(code, at);
  // Behind a comment on the line, which speaks of the entry before.
  if (newLineAt < end && code.slice(at, newLineAt).trim() === "") {
    return [...edits, { at: newLineAt, text: `\n${indentOf(code, entries[0])}${name},` }];
  }
  return [...edits, { at, text: before === undefined ? `${name}, ` : ` ${name},` }];
}

function lineEnd(code: string, from: number): number {
  const end = code.indexOf("\n", from);
  return end < 0 ? code.length : end;
}

function indentOf(code: string, entry: Entry | undefined): string {
  return entry === undefined ? "  " : /[ \t]*$/.exec(code.slice(0, entry.start))![0] || "  ";
}

/** A name that the job's class can have there: `"AdminRefreshJob"`, or `"AdminRefreshJob2"` where that one is taken. */
function freeName({ localName }: JobName, code: string): string {
  const isTaken = (name: string) => new RegExp(`\\b${name}\\b`).test(code);
  let free = localName;
  for (let number = 2; isTaken(free); number++) free = `${localName}${number}`;
  return free;
}

/** @param name what the class is called where it is added by hand */
function cannot(job: JobName, name: string, reason: string): CommandError {
  return new CommandError(
    `Cannot put ${job.jobName} into "${JOB_LIST}": ${reason}. Nothing was written. Add by hand, then run it again: ` +
      `${importOf(job.className, specifierOf(job), name).replaceAll(/\s+/g, " ")} ` +
      `and the entry ${name} in the App's jobs`,
  );
}
