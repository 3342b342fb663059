/**
 * The runtime that the command line runs in: Deno, or Node and Bun. In Deno its own functions are used: `node:process` takes
 * 15 ms to load there. Everything else in `src/cli` uses this file or `node:` modules, never `Deno`.
 */
import type process from "node:process";
import { nodeBuiltin } from "../support/node_builtin.ts";

type Process = typeof process;

/** A signal that the command line listens to. Windows has only INT and BREAK. */
export type Signal = "SIGINT" | "SIGTERM" | "SIGQUIT" | "SIGTSTP" | "SIGBREAK";

/** Called with errors that no code has caught. */
export interface UncaughtListeners {
  /** Called with the reason of a rejection that is not handled. The process continues. */
  rejection(reason: unknown): void;
  /** Called before an error ends the process. */
  crash(): void;
}

/** The size of a terminal, in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** The functions of a runtime. */
export interface Runtime {
  readonly name: "deno" | "node" | "bun";
  readonly isWindows: boolean;
  /** The arguments of the program. */
  readonly args: readonly string[];
  /** The size of the terminal that standard output is; `null` if it is none. */
  readonly terminalSize: TerminalSize | null;
  /** Whether standard output is a terminal that shows colors. */
  readonly hasColors: boolean;
  /** Returns the working directory. */
  cwd(): string;
  /** Ends the process. */
  exit(code: number): never;
  /** Listens to a signal; that keeps no process alive. */
  addSignalListener(signal: Signal, listener: () => void): void;
  /** Listens to a signal no longer. */
  removeSignalListener(signal: Signal, listener: () => void): void;
  /** Writes to standard output, for a command that goes on. @returns whether there is still a reader: a pipe may be closed */
  writeOutput(text: string): boolean;
  /** Reads a variable of the environment. */
  readEnv(name: string): string | undefined;
  /** Lets the process end although a timer waits. */
  unrefTimer(timer: ReturnType<typeof setTimeout>): void;
  /** Reads a file; `null` if it cannot be read. It never prompts for a permission. */
  readTextIfAllowed(path: string): string | null;
  /** Listens to uncaught errors. @returns a function that ends it */
  listenToUncaughtErrors(listeners: UncaughtListeners): () => void;
}

function openDeno(): Runtime {
  return {
    name: "deno",
    isWindows: Deno.build.os === "windows",
    get args() {
      return Deno.args;
    },
    get terminalSize() {
      return Deno.stdout.isTerminal() ? Deno.consoleSize() : null;
    },
    get hasColors() {
      return Deno.stdout.isTerminal() && !Deno.noColor;
    },
    cwd: () => Deno.cwd(),
    writeOutput: (text) => writeAll(text, (bytes) => Deno.stdout.writeSync(bytes)),
    readEnv: (name) => Deno.env.get(name),
    exit: (code) => Deno.exit(code),
    addSignalListener: (signal, listener) => Deno.addSignalListener(signal, listener),
    removeSignalListener: (signal, listener) => Deno.removeSignalListener(signal, listener),
    unrefTimer: (timer) => Deno.unrefTimer(timer as unknown as number),
    readTextIfAllowed(path) {
      try {
        const { state } = Deno.permissions.querySync({ name: "read", path });
        return state === "granted" ? Deno.readTextFileSync(path) : null;
      } catch {
        return null;
      }
    },
    listenToUncaughtErrors({ rejection, crash }) {
      const listening = new AbortController();
      const { signal } = listening;
      globalThis.addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        rejection(event.reason);
      }, { signal });
      // The event is not prevented: Deno prints the error and exits with 1.
      globalThis.addEventListener("error", ({ defaultPrevented }) => {
        if (!defaultPrevented) crash();
      }, { signal });
      return () => listening.abort();
    },
  };
}

function openNode(process: Process): Runtime {
  const isBun = "bun" in process.versions;
  return {
    name: isBun ? "bun" : "node",
    isWindows: process.platform === "win32",
    args: process.argv.slice(2),
    get terminalSize() {
      return process.stdout.isTTY === true ? process.stdout : null;
    },
    get hasColors() {
      return process.stdout.isTTY === true && !process.env.NO_COLOR;
    },
    cwd: () => process.cwd(),
    writeOutput: (text) => writeAll(text, (bytes) => nodeBuiltin("node:fs").writeSync(process.stdout.fd, bytes)),
    readEnv: (name) => process.env[name],
    exit: (code) => process.exit(code),
    addSignalListener: (signal, listener) => void process.on(signal, listener),
    removeSignalListener: (signal, listener) => void process.off(signal, listener),
    unrefTimer: (timer) => (timer as unknown as { unref(): void }).unref(),
    readTextIfAllowed(path) {
      try {
        return nodeBuiltin("node:fs").readFileSync(path, "utf8");
      } catch {
        return null;
      }
    },
    listenToUncaughtErrors({ rejection, crash }) {
      process.on("unhandledRejection", rejection);
      const [event, listener] = isBun
        // Bun prints the error, but does not exit while the main module waits in an `await`.
        ? ["uncaughtException", (error: unknown) => {
          crash();
          console.error(error);
          process.exit(1);
        }]
        // The monitor does not catch the error: Node prints it and exits with 1.
        : ["uncaughtExceptionMonitor", crash];
      process.on(event, listener);
      return () => {
        process.off("unhandledRejection", rejection);
        process.off(event, listener);
      };
    },
  };
}

/** `console.log` ignores that a pipe is closed. */
function writeAll(text: string, write: (bytes: Uint8Array) => number): boolean {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += write(bytes.subarray(written));
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === "EPIPE") return false;
    throw error;
  }
}

/** The runtime of this process. */
export const runtime: Runtime = "Deno" in globalThis ? openDeno() : openNode(Reflect.get(globalThis, "process"));

/**
 * Returns whether a module is the main module of this process.
 *
 * @param meta the `import.meta` of the module; Node 22 has no `import.meta.main`
 */
export function isMainModule({ url, main }: { readonly url: string; readonly main?: boolean }): boolean {
  if (main !== undefined) return main;
  const [, started] = (Reflect.get(globalThis, "process") as Process).argv;
  if (started === undefined) return false;
  try {
    return nodeBuiltin("node:fs").realpathSync(started) === nodeBuiltin("node:url").fileURLToPath(url);
  } catch {
    return false;
  }
}
