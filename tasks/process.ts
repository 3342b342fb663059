/**
 * What the tasks share: where the project stands, and how another `deno` is run. The inner one is always the one that
 * runs the task (`Deno.execPath()`), so that `npx -y deno task …` needs no `deno` on the PATH.
 */

/** The project's folder, with a slash at its end. */
export const root = new URL("../", import.meta.url);

/** How a process ended, and what it said. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `deno` in the project's folder, without a terminal, and waits for its end.
 *
 * @param args its arguments
 * @param options `cwd` where it runs; `echo` whether its output is also shown as it comes; `env` what is added to the
 *   environment, `undefined` for what is taken away; `signal` that ends it early
 */
export async function deno(
  args: readonly string[],
  options: {
    readonly cwd?: URL | string;
    readonly echo?: boolean;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly signal?: AbortSignal;
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
  }).spawn();
  const [stdout, stderr, { code }] = await Promise.all([
    text(child.stdout, options.echo ? Deno.stdout : undefined),
    text(child.stderr, options.echo ? Deno.stderr : undefined),
    child.status,
  ]);
  return { code, stdout, stderr };
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

/** Every file under a folder of the project whose name ends so, by path relative to the root, in order. */
export function filesUnder(folder: string, ending: string, base: URL = root): string[] {
  const files: string[] = [];
  for (const entry of Deno.readDirSync(new URL(folder, base))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) files.push(...filesUnder(`${path}/`, ending, base));
    else if (entry.name.endsWith(ending)) files.push(path);
  }
  return files.sort();
}
