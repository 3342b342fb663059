/**
 * A child process for tests: a `deno`, or another program, whose output is read line by line as it comes, so that a test waits for a line,
 * never for a time. It is killed when it is disposed of.
 */
import { root } from "../../tasks/process.ts";
import { afterPatience } from "./patience.ts";

/** The longest wait for a line or the end, in ms: some children check types first. Only a test that fails takes so long. */
const LIMIT_MS = 120_000;

/** Options of a child. */
export interface ChildOptions {
  /** Its working directory. @default the folder of the project */
  readonly cwd?: string | URL;
  /** Environment variables to add. */
  readonly env?: Readonly<Record<string, string>>;
  /** The command of Deno. @default "run" */
  readonly command?: "run" | "task" | "test";
  /** Another program instead of Deno; then there are no command and no options. */
  readonly program?: string;
  /** Permissions and other options of the command. @default ["-A"]; none for a task */
  readonly options?: readonly string[];
  /** The limit of its file descriptors. @default as in this process */
  readonly maxOpenFiles?: number;
}

/** The end of a child. */
export interface ChildEnd {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string[];
  readonly stderr: string[];
}

/** A running child. */
export class Child implements AsyncDisposable {
  /** The lines of both streams, in the order of their arrival. */
  readonly lines: string[] = [];
  readonly #process: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: string[] = [];
  readonly #stderr: string[] = [];
  readonly #ended: Promise<ChildEnd>;
  #changed = Promise.withResolvers<void>();
  #isOver = false;

  /** @param args the module and its arguments, behind `deno run` and its options */
  constructor(args: readonly string[], { cwd = root, env = {}, command = "run", ...given }: ChildOptions = {}) {
    const options = given.options ?? (command === "task" ? [] : ["-A"]);
    const line = given.program === undefined
      ? [Deno.execPath(), command, ...options, ...args]
      : [given.program, ...args];
    const limited = ["bash", "-c", `ulimit -n ${given.maxOpenFiles}; exec "$0" "$@"`, ...line];
    const [program, ...rest] = given.maxOpenFiles === undefined ? line : limited;
    this.#process = new Deno.Command(program!, {
      args: rest,
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdin = this.#process.stdin.getWriter();
    this.#ended = this.#end();
  }

  /** Waits for a line, which may have come before. @returns the first line that matches */
  async line(pattern: RegExp): Promise<string> {
    return (await this.count(pattern, 1))[0]!;
  }

  /** Waits for a number of lines that match. @returns the lines */
  async count(pattern: RegExp, wanted: number): Promise<string[]> {
    const expired = Promise.withResolvers<void>();
    let isExpired = false;
    void expired.promise.then(() => isExpired = true);
    const endWait = afterPatience(LIMIT_MS, expired.resolve);
    try {
      while (true) {
        const found = this.lines.filter((line) => pattern.test(line));
        if (found.length >= wanted) return found;
        if (this.#isOver || isExpired) {
          throw new Error(
            `Waited for ${wanted} lines like ${pattern}, but ${
              this.#isOver ? "it ended" : "time is over"
            } with ${found.length}:\n${this.lines.join("\n")}`,
          );
        }
        await Promise.race([this.#changed.promise, expired.promise]);
      }
    } finally {
      endWait();
    }
  }

  /** Writes one line to its standard input. */
  async writeLine(line: string): Promise<void> {
    await this.#stdin.write(new TextEncoder().encode(`${line}\n`));
  }

  /** Sends it a signal, if it still runs. */
  signal(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch (error) {
      // It ended a moment ago.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Whether it has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Waits for its end. */
  async ended(): Promise<ChildEnd> {
    const expired = Promise.withResolvers<never>();
    const endWait = afterPatience(
      LIMIT_MS,
      () => expired.reject(new Error(`The child did not end:\n${this.lines.join("\n")}`)),
    );
    try {
      return await Promise.race([this.#ended, expired.promise]);
    } finally {
      endWait();
    }
  }

  /** Kills it if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.#ended;
  }

  async #end(): Promise<ChildEnd> {
    const [status] = await Promise.all([
      this.#process.status,
      this.#read(this.#process.stdout, this.#stdout),
      this.#read(this.#process.stderr, this.#stderr),
    ]);
    this.#isOver = true;
    this.#changed.resolve();
    await this.#stdin.close().catch(() => {});
    return { code: status.code, signal: status.signal, stdout: this.#stdout, stderr: this.#stderr };
  }

  async #read(stream: ReadableStream<Uint8Array>, into: string[]): Promise<void> {
    let rest = "";
    const decoder = new TextDecoderStream();
    for await (const part of stream.pipeThrough(decoder as unknown as TransformStream<Uint8Array, string>)) {
      const lines = (rest + part).split("\n");
      rest = lines.pop()!;
      if (lines.length > 0) this.#add(lines, into);
    }
    if (rest !== "") this.#add([rest], into);
  }

  #add(lines: readonly string[], into: string[]): void {
    into.push(...lines);
    this.lines.push(...lines);
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** The command line of this checkout. */
export const CLI = new URL("src/cli/mod.ts", root).pathname;

/** Runs a command of this checkout to its end. */
export async function cli(args: readonly string[], options: ChildOptions = {}): Promise<ChildEnd> {
  await using child = new Child([CLI, ...args], options);
  return await child.ended();
}
