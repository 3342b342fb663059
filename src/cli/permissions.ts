/**
 * `worker --print-permissions`: the flags of `deno run` with which this App's worker can do without `-A`. What its broker
 * needs the broker says. What it takes to load its modules is not guessed: Deno records it while they are loaded. The
 * name of that record is read only as a process starts, so this program starts itself once more.
 */
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { BrokerPermissions } from "../broker/broker.ts";
import { EXIT } from "./exit_codes.ts";
import { formatAddress, type HealthAddress } from "./health.ts";
import { quoted } from "./invocation.ts";
import { loadApp } from "./load_app.ts";

/** Where Deno is told to write its record: one JSON object a line, `{"permission":"env","value":"NODE_ENV"}`. */
const RECORD = "DENO_AUDIT_PERMISSIONS";

/** Everything, so that loading the App meets no limit. With a bare `-A` Deno records each file that is read as one written, too. */
const ALL = ["--no-prompt", "--allow-all", "--deny-read=/never/read", "--deny-write=/never/written"];

/** What this program looks at for itself, and can do without: its name in the project's configuration, and the record. */
const OUR_OWN = new RegExp(`^${RECORD}$|[/\\\\]deno\\.jsonc?$`);

/** The order of the flags: what matters most comes first. */
const KINDS = ["net", "env", "read", "write", "run", "sys", "ffi", "import"];

/** From where Deno imports without being asked. */
const COMMON_HOSTS = ["jsr.io", "deno.land", "esm.sh", "raw.esm.sh", "cdn.jsdelivr.net"]
  .concat("raw.githubusercontent.com", "gist.githubusercontent.com").map((host) => `${host}:443`);

/** A line of Deno's record: a permission that was needed. A value of `null` is all there is of it. */
export interface Needed {
  readonly permission: string;
  readonly value: string | null;
}

/**
 * Prints the flags, in one line.
 *
 * @param module the App's
 * @param health where the worker's health is served, `null` where it is not
 * @returns the exit code
 */
export async function printPermissions(module: string, health: HealthAddress | null): Promise<number> {
  const record = Deno.env.get(RECORD);
  if (record === undefined) return await startRecorded();
  const started = readRecord(record);
  const app = await loadApp(module);
  const loading = [
    // A program of the user's own that imports the App has loaded it before it came here.
    ...started.filter(({ value }) => !OUR_OWN.test(value ?? "")),
    ...readRecord(record).slice(started.length),
  ].filter(({ value }) => value !== record);
  const served = health === null ? [] : [{ permission: "net", value: formatAddress(health) }];
  console.log(permissionFlags([...neededBy(app.brokerPermissions), ...served, ...loading], Deno.cwd()));
  await app.close(0);
  return EXIT.ok;
}

function readRecord(file: string): Needed[] {
  return Deno.readTextFileSync(file).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Starts this program once more, with a record. @returns its exit code */
async function startRecorded(): Promise<number> {
  const record = Deno.makeTempFileSync();
  try {
    const args = ["run", ...ALL, Deno.mainModule, ...Deno.args];
    const child = new Deno.Command(Deno.execPath(), { args, env: { [RECORD]: record } }).spawn();
    return (await child.status).code;
  } finally {
    Deno.removeSync(record);
  }
}

function neededBy(permissions: BrokerPermissions): Needed[] {
  return Object.entries(permissions).flatMap(([permission, values]) =>
    (values as readonly string[]).map((value) => ({ permission, value }))
  );
}

/**
 * Writes permissions as flags, each once: `"--allow-net=a:9092 --allow-read=app.ts,jobs"`.
 *
 * @param folder the working directory: paths in it are written relative to it
 */
export function permissionFlags(needed: readonly Needed[], folder: string): string {
  const kinds = Map.groupBy(needed, ({ permission }) => permission);
  return KINDS.flatMap((kind) => {
    const values = kinds.get(kind)?.map(({ value }) => value) ?? [];
    if (values.includes(null)) return [`--allow-${kind}`];
    const listed = valuesOf(kind, values as string[], folder);
    return listed.length === 0 ? [] : [quoted(`--allow-${kind}=${listed.join(",")}`)];
  }).join(" ");
}

function valuesOf(kind: string, values: readonly string[], folder: string): string[] {
  const unique = (list: readonly string[]) => [...new Set(list)];
  switch (kind) {
    case "net":
      return unique(values.map(address));
    case "import": {
      const hosts = unique(values.map(address));
      // A list of our own takes the place of Deno's.
      return hosts.every((host) => COMMON_HOSTS.includes(host)) ? [] : hosts;
    }
    case "read":
    case "write":
    case "ffi": {
      const paths = unique(values.map((value) => pathIn(folder, value)));
      return paths.filter((path) => !paths.some((other) => path.startsWith(`${other}/`)))
        .map((path) => path.replaceAll(",", ",,"));
    }
    default:
      return unique(values);
  }
}

/** `"https://a.example/b"` → `"a.example:443"`; what is no URL of the web stays as it is. */
function address(value: string): string {
  if (!/^https?:/.test(value)) return value;
  const { hostname, port, protocol } = new URL(value);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

/**
 * A path as a flag has it. Of a module in a folder it is the folder, so that tomorrow's module beside it needs no other
 * flags: `"/shop/jobs/mail/welcome_job.ts"` → `"jobs"`.
 */
function pathIn(folder: string, value: string): string {
  const path = value.startsWith("file:") ? fileURLToPath(value) : value;
  const within = isAbsolute(path) ? relative(folder, path) : path;
  const isModule = /\.[cm]?[jt]sx?$/.test(path);
  if (isAbsolute(within) || /^\.\.(?:[/\\]|$)/.test(within)) return isModule ? path.replace(/[/\\][^/\\]*$/, "") : path;
  return isModule ? within.replace(/[/\\].*$/, "") : within || ".";
}
