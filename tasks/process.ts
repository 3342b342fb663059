/**
 * Shared by the tasks: the project's folder and files, and child processes of Deno. A child is always the same `deno`
 * that runs the task (`Deno.execPath()`), so that `npx -y deno task …` needs no `deno` on the PATH.
 */

/** The project's folder, with a slash at its end. */
export const root = new URL("../", import.meta.url);

/** The exit code and the output of a process. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `deno` without a terminal and waits for its end.
 *
 * @param args its arguments
 * @param options `cwd`: its folder, by default the project's; `echo`: whether its output is also shown as it comes;
 *   `env`: variables to add, or to remove if `undefined`; `signal`: ends it early; `ownsGroup`: whether it has a process
 *   group of its own, all of which is killed at its end: for tests that may leave processes behind
 */
export async function deno(
  args: readonly string[],
  options: {
    readonly cwd?: URL | string;
    readonly echo?: boolean;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly signal?: AbortSignal;
    readonly ownsGroup?: boolean;
  } = {},
): Promise<Ended> {
  const env: Record<string, string> = Deno.env.toObject();
  for (const [name, value] of Object.entries(options.env ?? {})) {
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  if (!options.echo || !Deno.stdout.isTerminal()) env.NO_COLOR = "1";
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: options.cwd ?? root,
    clearEnv: true,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    detached: options.ownsGroup ?? false,
  }).spawn();
  const status = child.status.finally(() => {
    if (options.ownsGroup) killGroup(child.pid);
  });
  const [stdout, stderr, { code }] = await Promise.all([
    text(child.stdout, options.echo ? Deno.stdout : undefined),
    text(child.stderr, options.echo ? Deno.stderr : undefined),
    status,
  ]);
  return { code, stdout, stderr };
}

/** Kills what is left of a process group. Windows has none. */
function killGroup(pid: number): void {
  try {
    if (Deno.build.os !== "windows") Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function text(
  stream: ReadableStream<Uint8Array>,
  echo?: { writeSync(part: Uint8Array): number },
): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const part of stream) {
    for (let at = 0; echo !== undefined && at < part.length;) at += echo.writeSync(part.subarray(at));
    all += decoder.decode(part, { stream: true });
  }
  return all + decoder.decode();
}

/** Returns a signal that aborts at INT, and at TERM where the system has it: a task then stops what it has started. */
export function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const signals = Deno.build.os === "windows" ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  for (const name of signals) Deno.addSignalListener(name, () => controller.abort());
  return controller.signal;
}

/** Lists the files in a folder whose names end with `ending`, by path relative to the root, sorted. */
export function filesUnder(folder: string, ending: string, base: URL = root): string[] {
  const files: string[] = [];
  for (const entry of Deno.readDirSync(new URL(folder, base))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) files.push(...filesUnder(`${path}/`, ending, base));
    else if (entry.name.endsWith(ending)) files.push(path);
  }
  return files.sort();
}
