/**
 * Reads the arguments of one command against its flags: nothing is guessed, and what is not known is refused with the
 * nearest thing that is.
 *
 * It stands on `node:util`, not on `@std/cli`: a command line that imports no package also runs from a checkout under
 * another project's import map.
 */
import { parseArgs } from "node:util";
import { didYouMean, show } from "../options.ts";
import { type Arguments, type Command, type Flag, UsageError } from "./command.ts";

/** The flags of every command. */
export const COMMON_FLAGS: readonly Flag[] = [
  { name: "debug", help: "show the stack of an error" },
  { name: "help", help: "show this help" },
];

/**
 * Reads the arguments that stand behind a command's name.
 *
 * @throws {UsageError} for a flag that the command does not have, and for one without its value or with one too many
 */
export function readArguments(command: Command, args: readonly string[]): Arguments {
  const flags = new Map([...command.flags, ...COMMON_FLAGS].map((flag) => [flag.name, flag]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(Array.from(flags.values(), ({ name, value }) => [name, { type: typeOf(value) }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words: string[] = [];
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    const flag = rawName === "-h" ? flags.get("help") : rawName.startsWith("--") ? flags.get(name) : undefined;
    if (flag === undefined) {
      const known = Array.from(flags.keys(), (other) => `--${other}`);
      throw new UsageError(`Unknown option ${show(rawName)} of "${command.name}"${didYouMean(rawName, known)}`);
    }
    if (flag.value === undefined && value !== undefined) {
      throw new UsageError(`Option "${rawName}" takes no value, but it is ${show(value)}`);
    }
    if (flag.value !== undefined && (value === undefined || value === "")) {
      throw new UsageError(`Option "${rawName}" needs a value: ${rawName} ${flag.value}`);
    }
    values.set(flag.name, value ?? "");
  }
  return new Given(words, values, flags);
}

function typeOf(value: string | undefined): "boolean" | "string" {
  return value === undefined ? "boolean" : "string";
}

class Given implements Arguments {
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

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  required(name: string): string {
    const text = this.text(name);
    if (text !== undefined) return text;
    const { value, help } = this.#flags.get(name)!;
    throw new UsageError(`Option "--${name} ${value}" is missing: ${help}`);
  }

  count(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const count = /^\d{1,10}$/.test(text) ? Number(text) : 0;
    if (count >= 1) return count;
    throw new UsageError(`Option "--${name}" must be an integer from 1 up, but it is ${show(text)}`);
  }
}
