/**
 * A stand-in for `jsr:@std/cli/parse-args`, on `npm:minimist`: only the options that this project's command line uses, with
 * the same names and the same meaning. See `vendor/README.md`.
 */
import minimist from "npm:minimist@1.2.8";

/** What may be asked of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** Names of true-or-false flags. */
  boolean?: readonly string[];
  /** Names of flags that take text. */
  string?: readonly string[];
  /** Flags that may stand several times: always a list. */
  collect?: readonly string[];
  /** Other names of a flag. */
  alias?: Record<string, string | readonly string[]>;
  /** Values of flags that are not given. */
  default?: Record<string, unknown>;
  /** Everything behind the first word that is no flag stays as it is. */
  stopEarly?: boolean;
  /** Called with each flag that is not declared; `false` leaves it out. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** Reads a command line into flags and, under `_`, the words between them. */
export function parseArgs(
  args: readonly string[],
  options: ParseOptions = {},
  // deno-lint-ignore no-explicit-any
): { _: (string | number)[]; [flag: string]: any } {
  const { collect = [], unknown, ...rest } = options;
  const seen = minimist([...args], {
    ...rest,
    boolean: [...(options.boolean ?? [])],
    string: [...(options.string ?? []), "_"],
    ...(unknown === undefined ? {} : {
      unknown(arg: string) {
        if (!arg.startsWith("-")) return true;
        const [key, value] = arg.replace(/^--?/, "").split("=");
        return unknown(arg, key, value) !== false;
      },
    }),
    // deno-lint-ignore no-explicit-any
  } as any) as any;
  for (const name of collect) {
    if (seen[name] === undefined) seen[name] = [];
    else if (!Array.isArray(seen[name])) seen[name] = [seen[name]];
  }
  return seen;
}
