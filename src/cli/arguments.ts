/**
 * Parses the arguments of one command by the flags that it declares. Nothing is guessed: an unknown flag is an error that
 * names the nearest known one.
 */
import { findNearest, show } from "../support/validation.ts";
import { type Arguments, type Command, type Flag, UsageError } from "./command.ts";
import { splitArguments } from "./split_arguments.ts";

/** The flags of every command. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: "debug", help: "show the stack of an error" },
  { name: "help", help: "show this help" },
];

/**
 * Parses the arguments that follow the name of a command.
 *
 * @param command its flags are the ones that are allowed, besides {@linkcode COMMON_FLAGS}
 * @param args such as `["--app", "app.ts", "WelcomeJob"]`
 * @throws {UsageError} if the command does not have a flag, a flag lacks its value, or a switch has one
 */
export async function readArguments(command: Command, args: readonly string[]): Promise<Arguments> {
  const flags = new Map([...command.flags, ...COMMON_FLAGS].map((flag) => [flag.name, flag]));
  const [switches, texts] = [true, false].map((alone) =>
    Array.from(flags.values()).filter(({ value }) => (value === undefined) === alone).map(({ name }) => name)
  ) as [string[], string[]];
  refuseSwitchValues(args, switches);
  const { words, values, unknown } = await splitArguments(args, { switches, texts });
  for (const flag of unknown) {
    const known = Array.from(flags.keys(), (name) => `--${name}`);
    throw new UsageError(`Unknown option ${show(flag)} of "${command.name}"${nearestOf(flag, known)}`);
  }
  for (const [name, text] of values) {
    const { value } = flags.get(name)!;
    if (value !== undefined && text === "") {
      throw new UsageError(`Option "--${name}" needs a value: --${name} ${value}`);
    }
  }
  return new ParsedArguments(words, values, flags);
}

/** Returns the end of a message about an unknown word: the known word that is near, or all known words. */
export function nearestOf(word: string, known: readonly string[]): string {
  const nearest = findNearest(word, known);
  return nearest === undefined ? ` (${joinWords(known)})` : `; did you mean "${nearest}"?`;
}

/** Joins words, such as `list, show or dismiss`. */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** The largest number: a timer with a longer time, in milliseconds, would fire at once. */
const MAX_COUNT = 2 ** 31 - 1;

/** Refuses `--once=yes`, which a parser would accept as `--once`. */
function refuseSwitchValues(args: readonly string[], switches: readonly string[]): void {
  const end = args.indexOf("--");
  for (const arg of args.slice(0, end < 0 ? args.length : end)) {
    const [, name, value] = /^--([^=]+)=(.*)$/s.exec(arg) ?? [];
    if (name !== undefined && switches.includes(name)) {
      throw new UsageError(`Option "--${name}" does not take a value, but it is ${show(value)}`);
    }
  }
}

class ParsedArguments implements Arguments {
  readonly words: readonly string[];
  readonly #values: ReadonlyMap<string, string>;
  readonly #flags: ReadonlyMap<string, Flag>;

  constructor(words: readonly string[], values: ReadonlyMap<string, string>, flags: ReadonlyMap<string, Flag>) {
    this.words = words;
    this.#values = values;
    this.#flags = flags;
  }

  isSet(name: string): boolean {
    return this.#values.has(name);
  }

  getText(name: string): string | undefined {
    return this.#values.get(name);
  }

  requireText(name: string): string {
    const text = this.getText(name);
    if (text !== undefined) return text;
    const { value, help } = this.#flags.get(name)!;
    throw new UsageError(`Option "--${name} ${value}" is missing: ${help}`);
  }

  getCount(name: string): number | undefined {
    const text = this.getText(name);
    if (text === undefined) return undefined;
    const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (count >= 1 && count <= MAX_COUNT) return count;
    throw new UsageError(`Option "--${name}" must be an integer from 1 to ${MAX_COUNT}, but it is ${show(text)}`);
  }
}
