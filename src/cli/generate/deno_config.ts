/**
 * Puts imports and tasks into a `deno.json` or `deno.jsonc`: by inserting text, so that comments, order and formatting of
 * what is there survive. An entry that is there already stays as it is.
 */
import { CommandError } from "../command.ts";
import { applyEdits, type Edit, withoutComments } from "./edits.ts";

/** What a project needs in its configuration. */
export interface ConfigEntries {
  readonly tasks: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** The text of a new configuration. */
export function newConfig(entries: ConfigEntries): string {
  return `${JSON.stringify(entries, null, 2)}\n`;
}

/** A configuration with what was missing. */
export interface MergedConfig {
  readonly text: string;
  /** What is there already, with another value, such as `tasks "test"`. */
  readonly kept: readonly string[];
}

/**
 * Puts in what is missing.
 *
 * @param path the file, for messages
 * @throws {CommandError} if it is no JSON object, or imports from a map in another file
 */
export function mergeConfig(path: string, text: string, entries: ConfigEntries): MergedConfig {
  const code = withoutComments(text);
  const config = parse(path, code);
  if (config.importMap !== undefined) {
    throw new CommandError(
      `Cannot add to "${path}": it has an "importMap" of its own, next to which "imports" counts for nothing. ` +
        "Move that map into the configuration, then run it again",
    );
  }
  const edits: Edit[] = [];
  const kept: string[] = [];
  const unit = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  const sections: string[] = [];
  for (const [section, wanted] of Object.entries(entries)) {
    const there = config[section];
    if (there === undefined) {
      sections.push(`${JSON.stringify(section)}: ${JSON.stringify(wanted, null, unit).replaceAll("\n", `\n${unit}`)}`);
      continue;
    }
    if (!isObject(there)) throw new CommandError(`Cannot add to "${path}": its "${section}" must be an object`);
    const missing: string[] = [];
    for (const [name, value] of Object.entries(wanted)) {
      if (!Object.hasOwn(there, name)) missing.push(`${JSON.stringify(name)}: ${JSON.stringify(value)}`);
      else if (there[name] !== value) kept.push(`${section} "${name}"`);
    }
    edits.push(...insertion(text, bracesOf(code, section), missing, unit.repeat(2), unit));
  }
  edits.push(...insertion(text, bracesOf(code, null), sections, unit, ""));
  return { text: applyEdits(text, edits), kept };
}

function parse(path: string, code: string): Record<string, unknown> {
  let config: unknown;
  try {
    config = JSON.parse(code.replace(/"(?:\\.|[^"\\])*"|,(?=\s*[}\]])/g, (part) => part === "," ? " " : part));
  } catch (cause) {
    throw new CommandError(`Cannot add to "${path}": it is no JSON: ${(cause as Error).message}`);
  }
  if (!isObject(config)) throw new CommandError(`Cannot add to "${path}": it must be a JSON object`);
  return config;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An object in the text: where it closes, and what stands last in it. */
interface Braces {
  readonly close: number;
  /** The last thing before the brace: an end of a value, a comma, or the opening brace. */
  readonly last: { readonly text: string; readonly end: number };
}

/** Finds the object of a section, or the whole one. The text is known to be valid. */
function bracesOf(code: string, section: string | null): Braces {
  const depth = section === null ? 1 : 2;
  const path: (string | null)[] = [];
  let last = { text: "", end: 0 };
  let key: string | null = null;
  let found: Braces | undefined;
  for (const { index, 0: token } of code.matchAll(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") path.push(key);
    else if (token === "}" || token === "]") {
      // Of a key that is there twice the last one counts.
      if (path.length === depth && (section === null || path[1] === section)) found = { close: index, last };
      path.pop();
    } else if (token === ":") key = JSON.parse(last.text);
    else if (token === ",") key = null;
    last = { text: token, end: index + token.length };
  }
  return found!;
}

function insertion(
  text: string,
  { close, last }: Braces,
  entries: readonly string[],
  indent: string,
  outer: string,
): Edit[] {
  if (entries.length === 0) return [];
  // A comment may stand behind the last value: the comma comes before it, the entries behind it.
  const at = text.slice(0, close).trimEnd().length;
  const added = entries.map((entry) => `\n${indent}${entry}`).join(",");
  const comma = last.text === "{" || last.text === "," ? [] : [{ at: last.end, text: "," }];
  return text.slice(at, close).includes("\n")
    ? [...comma, { at, text: added }]
    : [...comma, { at, to: close, text: `${added}\n${outer}` }];
}
