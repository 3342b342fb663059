/**
 * Adds imports and tasks to a `deno.json` or `deno.jsonc`. They are inserted into the text, so that comments, order and
 * formatting are kept. An entry that exists is not changed.
 */
import { CommandError } from "../command.ts";
import { applyEdits, blankComments, type Edit } from "./edits.ts";

/** The entries that a project needs in its configuration. */
export interface ConfigEntries {
  readonly tasks: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** Formats a new configuration. */
export function formatConfig(entries: ConfigEntries): string {
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/** A configuration with the added entries. */
export interface MergedConfig {
  readonly text: string;
  /** Entries that exist with another value, such as `tasks "test"`. */
  readonly kept: readonly string[];
}

/**
 * Adds the missing entries.
 *
 * @param path the file, for messages
 * @throws {CommandError} if it is not a JSON object, or has an import map in another file
 */
export function mergeConfig(path: string, text: string, entries: ConfigEntries): MergedConfig {
  const code = blankComments(text);
  const config = parseConfig(path, code);
  if (config.importMap !== undefined) {
    throw new CommandError(
      `Cannot add to "${path}": Deno ignores "imports" beside its "importMap". ` +
        "Move that map into the configuration, then run this again",
    );
  }
  const edits: Edit[] = [];
  const kept: string[] = [];
  const unit = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  const sections: string[] = [];
  for (const [section, wanted] of Object.entries(entries)) {
    const existing = config[section];
    if (existing === undefined) {
      sections.push(`${JSON.stringify(section)}: ${JSON.stringify(wanted, null, unit).replaceAll("\n", `\n${unit}`)}`);
      continue;
    }
    if (!isObject(existing)) throw new CommandError(`Cannot add to "${path}": its "${section}" must be an object`);
    const missing: string[] = [];
    for (const [name, value] of Object.entries(wanted)) {
      if (!Object.hasOwn(existing, name)) missing.push(`${JSON.stringify(name)}: ${JSON.stringify(value)}`);
      else if (existing[name] !== value) kept.push(`${section} "${name}"`);
    }
    edits.push(...planInsertion(text, findObject(code, section), missing, unit.repeat(2), unit));
  }
  edits.push(...planInsertion(text, findObject(code, null), sections, unit, ""));
  return { text: applyEdits(text, edits), kept };
}

function parseConfig(path: string, code: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(code.replace(/"(?:\\.|[^"\\])*"|,(?=\s*[}\]])/g, (part) => part === "," ? " " : part));
  } catch (cause) {
    throw new CommandError(`Cannot add to "${path}": it is not JSON: ${(cause as Error).message}`);
  }
  if (!isObject(config)) throw new CommandError(`Cannot add to "${path}": it must be a JSON object`);
  return config;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object in the text. */
interface ObjectSpan {
  /** The position of its closing brace. */
  readonly close: number;
  /** The last token before that brace: the end of a value, a comma, or the opening brace. */
  readonly last: { readonly text: string; readonly end: number };
}

/** Finds the object of a section, or the outermost one. The text must be valid JSON. */
function findObject(code: string, section: string | null): ObjectSpan {
  const depth = section === null ? 1 : 2;
  const path: (string | null)[] = [];
  let last = { text: "", end: 0 };
  let key: string | null = null;
  let found: ObjectSpan | undefined;
  for (const { index, 0: token } of code.matchAll(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") path.push(key);
    else if (token === "}" || token === "]") {
      // JSON allows a key twice; the last one counts.
      if (path.length === depth && (section === null || path[1] === section)) found = { close: index, last };
      path.pop();
    } else if (token === ":") key = JSON.parse(last.text);
    else if (token === ",") key = null;
    last = { text: token, end: index + token.length };
  }
  return found!;
}

function planInsertion(
  text: string,
  { close, last }: ObjectSpan,
  entries: readonly string[],
  indent: string,
  outer: string,
): Edit[] {
  if (entries.length === 0) return [];
  // A comment may follow the last value: the comma is inserted before it, the entries after it.
  const at = text.slice(0, close).trimEnd().length;
  const added = entries.map((entry) => `\n${indent}${entry}`).join(",");
  const comma = last.text === "{" || last.text === "," ? [] : [{ at: last.end, text: "," }];
  return text.slice(at, close).includes("\n")
    ? [...comma, { at, text: added }]
    : [...comma, { at, to: close, text: `${added}\n${outer}` }];
}
