/**
 * `worker --print-permissions`: prints the flags of `deno run` that this App's worker needs instead of `-A`.
 *
 * 1. Starts this program again with a record: Deno writes each permission that is used into a file, whose name it reads
 *    from the environment only as a process starts.
 * 2. Loads the App in that process, so that the record has what its modules need.
 * 3. Adds what the App's broker and the health server need, and prints one line.
 */
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerPermissions } from "../broker/broker.ts";
import { EXIT } from "./exit_codes.ts";
import { formatAddress, type HealthAddress } from "./health.ts";
import { findMissingPermission, formatPermissionFlag } from "../support/permissions.ts";
import { CommandError, UsageError } from "./command.ts";
import { loadApp } from "./load_app.ts";
import { runtime } from "./runtime.ts";

/** The variable that names Deno's record: a file of JSON lines, `{"permission":"env","value":"NODE_ENV"}`. */
const RECORD_VARIABLE = "DENO_AUDIT_PERMISSIONS";

/** Every permission. With a bare `-A` Deno records each file that is read as written as well. */
const ALL_PERMISSIONS = ["--no-prompt", "--allow-all", "--deny-read=/never/read", "--deny-write=/never/written"];

/** Reads of this program itself that it does not need: its name in the project's configuration, and the record. */
const OWN_READS = new RegExp(`^${RECORD_VARIABLE}$|[/\\\\]deno\\.jsonc?$`);

/** The order of the flags: the ones that matter most for security come first. */
const KINDS = ["net", "env", "read", "write", "run", "sys", "ffi", "import"];

/** The hosts from which Deno imports without a flag. */
const COMMON_HOSTS = ["jsr.io", "deno.land", "esm.sh", "raw.esm.sh", "cdn.jsdelivr.net"]
  .concat("raw.githubusercontent.com", "gist.githubusercontent.com").map((host) => `${host}:443`);

/** A permission that was used, as a line of Deno's record has it. The value `null` is everything of its kind. */
export interface RecordedPermission {
  readonly permission: string;
  readonly value: string | null;
}

/**
 * Prints the flags in one line.
 *
 * @param module the module of the App
 * @param health the address of the health server; `null` without one
 * @returns the exit code
 * @throws {CommandError} if this program lacks a permission itself
 */
export async function printPermissions(module: string, health: HealthAddress | null): Promise<number> {
  if (runtime.name !== "deno") {
    throw new UsageError(`Option "--print-permissions" is for Deno: a program of ${runtime.name} has no permissions`);
  }
  let record: string | undefined;
  try {
    record = Deno.env.get(RECORD_VARIABLE);
    if (record === undefined) return await restartWithRecord();
  } catch (error) {
    throw explainRefusal(error);
  }
  const started = readRecord(record);
  const app = await loadApp(module);
  const loading = [
    // A program of the user's that imports the App has loaded it before this function is called.
    ...started.filter(({ value }) => !OWN_READS.test(value ?? "")),
    ...readRecord(record).slice(started.length),
  ].filter(({ value }) => value !== record);
  const served = health === null ? [] : [{ permission: "net", value: formatAddress(health) }];
  console.log(
    formatPermissionFlags([...listBrokerPermissions(app.brokerPermissions), ...served, ...loading], Deno.cwd()),
  );
  await app.close(0);
  return EXIT.ok;
}

/** This program needs every permission itself: it runs modules to see what they need. */
function explainRefusal(error: unknown): unknown {
  const missing = findMissingPermission(error);
  if (missing === null) return error;
  return new CommandError(
    `"--print-permissions" loads the App with every permission, to see what it needs: start it with -A (${missing.reason})`,
  );
}

function readRecord(file: string): RecordedPermission[] {
  return Deno.readTextFileSync(file).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Starts this program again, with a record. @returns its exit code */
async function restartWithRecord(): Promise<number> {
  const record = Deno.makeTempFileSync();
  try {
    const args = ["run", ...ALL_PERMISSIONS, Deno.mainModule, ...Deno.args];
    const child = new Deno.Command(Deno.execPath(), { args, env: { [RECORD_VARIABLE]: record } }).spawn();
    return (await child.status).code;
  } finally {
    Deno.removeSync(record);
  }
}

function listBrokerPermissions(permissions: BrokerPermissions): RecordedPermission[] {
  return Object.entries(permissions).flatMap(([permission, values]) =>
    (values as readonly string[]).map((value) => ({ permission, value }))
  );
}

/**
 * Formats permissions as flags, each once.
 *
 * @param folder the working directory: paths in it become relative
 * @returns for example `"--allow-net=a:9092 --allow-read=app.ts,jobs"`
 */
export function formatPermissionFlags(needed: readonly RecordedPermission[], folder: string): string {
  const kinds = Map.groupBy(needed, ({ permission }) => permission);
  return KINDS.flatMap((kind) => {
    const values = kinds.get(kind)?.map(({ value }) => value) ?? [];
    if (values.includes(null)) return [`--allow-${kind}`];
    const listed = formatValues(kind, values as string[], folder);
    return listed.length === 0 ? [] : [formatPermissionFlag(kind, listed)];
  }).join(" ");
}

function formatValues(kind: string, values: readonly string[], folder: string): string[] {
  const unique = (list: readonly string[]) => [...new Set(list)];
  switch (kind) {
    case "net":
      return unique(values.map(toHostPort));
    case "import": {
      const hosts = unique(values.map(toHostPort));
      // A list of this program replaces Deno's own.
      return hosts.every((host) => COMMON_HOSTS.includes(host)) ? [] : hosts;
    }
    case "read":
    case "write":
    case "ffi": {
      const paths = unique(values.map((value) => toFlagPath(folder, value)));
      return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)));
    }
    default:
      return unique(values);
  }
}

/** `"https://a.example/b"` → `"a.example:443"`; anything that is not an HTTP URL is returned as it is. */
function toHostPort(value: string): string {
  if (!/^https?:/.test(value)) return value;
  const { hostname, port, protocol } = new URL(value);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/**
 * Formats a path for a flag. A module in a folder becomes the folder, so that a new module beside it does not need other
 * flags: `"/shop/jobs/mail/welcome_job.ts"` → `"jobs"`.
 */
function toFlagPath(folder: string, value: string): string {
  const path = value.startsWith("file:") ? fileURLToPath(value) : value;
  const relativePath = isAbsolute(path) ? relative(folder, path) : path;
  const isModule = /\.[cm]?[jt]sx?$/.test(path);
  if (isAbsolute(relativePath) || /^\.\.(?:[/\\]|$)/.test(relativePath)) {
    return isModule ? path.replace(/[/\\][^/\\]*$/, "") : path;
  }
  return isModule ? relativePath.replace(/[/\\].*$/, "") : relativePath || ".";
}
