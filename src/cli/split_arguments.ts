/**
 * Splits a command line into flags and words. `@std/cli` does it; where that name does not resolve (a checkout of this
 * library under the import map of another project), `node:util` does the same. So the parser is imported when it is needed.
 */

/** The flags that a command line may have. */
export interface Grammar {
  /** Flags that are followed by a value. */
  readonly texts: readonly string[];
  /** Flags without a value. */
  readonly switches: readonly string[];
}

/** A command line in its parts. */
export interface SplitArguments {
  /** The words between the flags, and everything after `--`. */
  readonly words: readonly string[];
  /** The flags of the grammar by name: the last value of each; `""` for a switch, or where the value is missing. */
  readonly values: ReadonlyMap<string, string>;
  /** Flags that are not in the grammar, as they were typed, without their values. */
  readonly unknown: readonly string[];
}

type Splitter = (args: readonly string[], grammar: Grammar) => SplitArguments;

/** Splits a command line. */
export async function splitArguments(args: readonly string[], grammar: Grammar): Promise<SplitArguments> {
  return (await loadSplitter())(args, grammar);
}

async function loadSplitter(): Promise<Splitter> {
  try {
    return createStdSplitter((await import("@std/cli/parse-args")).parseArgs);
  } catch {
    return createNodeSplitter((await import("node:util")).parseArgs);
  }
}

/** Creates a splitter on `@std/cli`. Exported for the test that both split alike. */
export function createStdSplitter(parseArgs: typeof import("@std/cli/parse-args").parseArgs): Splitter {
  return (args, { texts, switches }) => {
    const unknown: string[] = [];
    const parsed = parseArgs([...args], {
      string: ["_", ...texts],
      boolean: [...switches],
      // Typed, since a project that imports a checkout may not resolve `@std/cli`.
      unknown(arg: string, key?: string) {
        if (key === undefined) return true;
        unknown.push(arg.replace(/=.*$/s, ""));
        return false;
      },
    });
    const values = new Map<string, string>();
    for (const name of texts) {
      if (parsed[name] !== undefined) values.set(name, String(parsed[name]));
    }
    for (const name of switches) {
      if (parsed[name] === true) values.set(name, "");
    }
    return { words: parsed._.map(String), values, unknown };
  };
}

/** Creates a splitter on `node:util`. Exported for the test that both split alike. */
export function createNodeSplitter(parseArgs: typeof import("node:util").parseArgs): Splitter {
  return (args, { texts, switches }) => {
    const options = Object.fromEntries([
      ...texts.map((name) => [name, { type: "string" }] as const),
      ...switches.map((name) => [name, { type: "boolean" }] as const),
    ]);
    const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
    const words: string[] = [];
    const values = new Map<string, string>();
    const unknown: string[] = [];
    for (const token of tokens) {
      if (token.kind === "positional") words.push(token.value);
      else if (token.kind === "option" && !Object.hasOwn(options, token.name)) unknown.push(token.rawName);
      else if (token.kind === "option") values.set(token.name, token.value ?? "");
    }
    return { words, values, unknown };
  };
}
