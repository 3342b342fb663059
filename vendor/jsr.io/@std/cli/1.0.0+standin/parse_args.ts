/**
 * A stand-in for `jsr:@std/cli/parse-args`, on `npm:minimist`: only the options that this project's command lines use, with
 * the same names and the same meaning. See `vendor/README.md`.
 *
 * Corrects the differences between minimist and the real function: a repeated flag keeps its last value unless it is
 * collected; `--no-x` is a flag called `no-x` unless `x` is negatable; `--x=` is `--x`; `unknown` is also called for words
 * that are not flags.
 */
import minimist from "npm:minimist@1.2.8";

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Names of true-or-false flags; `false` where they are not given. */
  boolean?: readonly string[];
  /** Names of flags that take a string; `"_"` keeps words that look like numbers as they are. */
  string?: readonly string[];
  /** Flags that may be repeated: always a list. */
  collect?: readonly string[];
  /** Flags that may be given as `--no-…`. */
  negatable?: readonly string[];
  /** Other names of a flag. */
  alias?: Record<string, string | readonly string[]>;
  /** Values of flags that are not given. */
  default?: Record<string, unknown>;
  /** Leaves everything after the first word that is not a flag as it is. */
  stopEarly?: boolean;
  /** Called with each flag that is not declared, and with each word that is not a flag; `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Reads a command line into flags and, under `_`, the words between them. */
export function parseArgs(
  args: string[],
  options: ParseOptions = {},
  // deno-lint-ignore no-explicit-any
): { _: (string | number)[]; [flag: string]: any } {
  const { collect = [], negatable = [], unknown, ...rest } = options;
  const names = (flag: string) => [flag, ...[options.alias?.[flag] ?? []].flat()];
  const collected = new Set(collect.flatMap(names));
  const mayBeNegated = new Set(negatable.flatMap(names));

  // A negated flag passes through minimist under a name and a value to which it gives no meaning.
  const denied = new Set<string>();
  const end = args.includes("--") ? args.indexOf("--") : args.length;
  const words = args.map((arg, index) => {
    if (index >= end) return arg;
    const bare = arg.replace(/^(--[^=]+)=$/, "$1");
    const name = /^--no-([^=]+)$/.exec(bare)?.[1];
    if (name === undefined || mayBeNegated.has(name)) return bare;
    denied.add(`no-${name}`);
    return `${bare}=true`;
  });

  const seen = minimist(words, {
    ...rest,
    boolean: [...(options.boolean ?? [])],
    string: [...(options.string ?? [])],
    ...(unknown === undefined ? {} : {
      unknown(arg: string) {
        if (!arg.startsWith("-") || arg === "-") return unknown(arg) !== false;
        const [key = "", ...value] = arg.replace(/^--?/, "").split("=");
        if (denied.has(key)) return unknown(`--${key}`, key, true) !== false;
        return unknown(arg, key, value.length > 0 ? value.join("=") : undefined) !== false;
      },
    }),
    // deno-lint-ignore no-explicit-any
  } as any) as any;
  for (const [name, value] of Object.entries(seen)) {
    if (name !== "_" && name !== "--" && !collected.has(name) && Array.isArray(value)) seen[name] = value.at(-1);
    if (denied.has(name)) seen[name] = true;
  }
  for (const name of collected) {
    if (!Array.isArray(seen[name])) seen[name] = seen[name] === undefined || seen[name] === false ? [] : [seen[name]];
  }
  return seen;
}
