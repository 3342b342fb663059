/**
 * Permissions of `deno run`: finds a refusal behind other errors, and writes the flag that would have allowed it. Deno
 * names one missing permission at a time and advises a flag without a value, which allows more than is needed.
 */
import { quoteForShell } from "./shell.ts";

/** Deno's own message: `Requires env access to "NODE_ENV", run again with the --allow-env flag`. */
const REFUSAL = /Requires (\w+) access(?: to (?:"([^"]*)"|<\w+>))?, run again with the --allow-\w+ flag/;

/** A cause may be circular; wrapped errors are searched this deep. */
const MAX_DEPTH = 10;

/** A permission that the process lacks. */
export interface MissingPermission {
  /** Deno's sentence without its advice: `Requires env access to "NODE_ENV"`. */
  readonly reason: string;
  /** The flag that allows it, as a shell takes it: `--allow-env=NODE_ENV`. */
  readonly flag: string;
}

/**
 * Finds a missing permission in an error or in what caused it.
 *
 * @param thrown anything
 * @returns `null` if no permission is missing
 */
export function findMissingPermission(thrown: unknown): MissingPermission | null {
  let next = thrown;
  for (let depth = 0; depth < MAX_DEPTH && next !== undefined && next !== null; depth++) {
    const missing = parseMissingPermission(read(next, "message"));
    if (missing !== null) return missing;
    next = read(next, "cause") ?? (read(next, "errors") as unknown[] | undefined)?.[0];
  }
  return null;
}

/**
 * Parses Deno's message about a missing permission.
 *
 * @returns `null` for any other message
 */
export function parseMissingPermission(message: unknown): MissingPermission | null {
  const match = typeof message === "string" ? REFUSAL.exec(message) : null;
  if (match === null) return null;
  const [whole, kind, value] = match as unknown as [string, string, string | undefined];
  return {
    reason: whole.replace(/, run again.*$/, ""),
    flag: formatPermissionFlag(kind, value === undefined ? [] : [value]),
  };
}

/**
 * Formats one flag.
 *
 * @param kind for example `"env"`
 * @param values what is allowed; none for everything of this kind. A comma in a value is doubled, as Deno reads it
 * @returns for example `--allow-env=HOME,NODE_ENV`, quoted where a shell needs it
 */
export function formatPermissionFlag(kind: string, values: readonly string[]): string {
  if (values.length === 0) return `--allow-${kind}`;
  return quoteForShell(`--allow-${kind}=${values.map((value) => value.replaceAll(",", ",,")).join(",")}`);
}

/** Reads a property of anything; a getter that throws counts as absent. */
function read(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}
