/**
 * Splits a command line into flags and words. `@std/cli` does it; where its name leads nowhere (a checkout of this library
 * under another project's import map), `node:util` does the same. So the name is looked up when it is needed.
 */

/** What a command line may have. */
export interface Grammar {
  /** Flags that are followed by a text. */
  readonly texts: readonly string[];
  /** Flags that stand alone. */
  readonly switches: readonly string[];
}

/** What it has. */
export interface Parts {
  /** The words between the flags, and all that stands behind `--`. */
  readonly words: readonly string[];
  /** The flags of the grammar that were given: their texts, `""` where none stands there, and for switches. The last counts. */
  readonly given: ReadonlyMap<string, string>;
  /** What looks like a flag and is none, as it was typed, without its value. */
  readonly unknown: readonly string[];
}

type Splitter = (args: readonly string[], grammar: Grammar) => Parts;

/** Splits a command line. */
export async function splitArguments(args: readonly string[], grammar: Grammar): Promise<Parts> {
  return (await splitter())(args, grammar);
}

async function splitter(): Promise<Splitter> {
  try {
    return withStd((await import("@std/cli/parse-args")).parseArgs);
  } catch {
    return withNode((await import("node:util")).parseArgs);
  }
}

/** Exported for its test: both must split alike. */
export function withStd(parseArgs: typeof import("@std/cli/parse-args").parseArgs): Splitter {
  return (args, { texts, switches }) => {
    const unknown: string[] = [];
    const parsed = parseArgs([...args], {
      string: ["_", ...texts],
      boolean: [...switches],
      unknown(arg, key) {
        if (key === undefined) return true;
        unknown.push(arg.replace(/=.*$/s, ""));
        return false;
      },
    });
    const given = new Map<string, string>();
    for (const name of texts) {
      if (parsed[name] !== undefined) given.set(name, String(parsed[name]));
    }
    for (const name of switches) {
      if (parsed[name] === true) given.set(name, "");
    }
    return { words: parsed._.map(String), given, unknown };
  };
}

/** Exported for its test: both must split alike. */
export function withNode(parseArgs: typeof import("node:util").parseArgs): Splitter {
  return (args, { texts, switches }) => {
    const options = Object.fromEntries([
      ...texts.map((name) => [name, { type: "string" }] as const),
      ...switches.map((name) => [name, { type: "boolean" }] as const),
    ]);
    const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
    const words: string[] = [];
    const given = new Map<string, string>();
    const unknown: string[] = [];
    for (const token of tokens) {
      if (token.kind === "positional") words.push(token.value);
      else if (token.kind === "option" && !Object.hasOwn(options, token.name)) unknown.push(token.rawName);
      else if (token.kind === "option") given.set(token.name, token.value ?? "");
    }
    return { words, given, unknown };
  };
}
