/** Suggests words for a command line that is being typed, from the descriptions that the help is generated from. Pure. */
import { COMMON_FLAGS } from "./arguments.ts";
import { type Command, type Flag, MODULE } from "./command.ts";

/** The words that may follow: these, or the names of files. */
export type Suggestions = readonly { readonly word: string; readonly help: string }[] | "files";

/**
 * Suggests the last word of a command line.
 *
 * @param commands every command
 * @param words the words so far; the last one is being typed, and may be empty
 */
export function suggest(commands: readonly Command[], words: readonly string[]): Suggestions {
  const [typed, ...before] = words.toReversed() as [string, ...string[]];
  const [first, ...rest] = before.toReversed();
  const names = commands.map(({ name, summary }) => ({ word: name, help: summary }));
  if (first === undefined) return startingWith(typed, [...names, HELP, VERSION]);
  if (first === HELP.word) return rest.length === 0 ? startingWith(typed, names) : [];
  const command = commands.find(({ name }) => name === first);
  if (command === undefined || rest.includes("--")) return [];
  const flags = [...command.flags, ...COMMON_FLAGS];
  const value = valueOf(flags, rest.at(-1));
  if (value !== undefined) return value === MODULE ? "files" : [];
  const actions = command.actions ?? new Map<string, readonly Flag[]>();
  const given = rest.filter((word, index) => !word.startsWith("-") && valueOf(flags, rest[index - 1]) === undefined);
  if (typed.startsWith("-")) {
    const others = [...actions.values()].flat();
    const own = actions.get(given[0] ?? "") ?? [];
    const allowed = flags.filter((flag) => own.includes(flag) || !others.includes(flag) || given.length === 0);
    const left = allowed.filter(({ name }) => !rest.includes(`--${name}`));
    return startingWith(typed, left.map(({ name, help }) => ({ word: `--${name}`, help })));
  }
  if (given.length > 0) return [];
  return startingWith(typed, [...actions.keys()].map((word) => ({ word, help: `${command.name} ${word}` })));
}

const HELP = { word: "help", help: "show the help of a command" };
const VERSION = { word: "--version", help: "show the version" };

/** The placeholder of the value that follows a word; `undefined` if none does. */
function valueOf(flags: readonly Flag[], word: string | undefined): string | undefined {
  return flags.find(({ name }) => word === `--${name}`)?.value;
}

function startingWith<T extends { readonly word: string }>(start: string, words: readonly T[]): T[] {
  return words.filter(({ word }) => word.startsWith(start));
}
