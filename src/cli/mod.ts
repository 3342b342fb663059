/**
 * The command line: the worker, the commands of an operator, and generators. `--help` lists them.
 *
 * ```sh
 * deno run -A jsr:@activejob/kafka/cli worker --app app.ts
 * ```
 *
 * @module
 */
import { show } from "../support/validation.ts";
import { nearestOf, readArguments } from "./arguments.ts";
import { type Command, CommandError, UsageError } from "./command.ts";
import { COMMANDS, loadCommands } from "./commands.ts";
import { EXIT } from "./exit_codes.ts";
import { formatCommandHelp, formatProgramHelp } from "./help.ts";
import { printLine, printThrown } from "./print_error.ts";
import { isMainModule, runtime } from "./runtime.ts";
import { stderr } from "../support/stderr.ts";
import { VERSION } from "../support/version.ts";

/** The wait for the last lines on standard error, in milliseconds. */
const FLUSH_MS = 1000;

/**
 * Runs one command line.
 *
 * A program of the user's that imports the App and passes `import.meta.resolve("./app.ts")` as `--app` does not need the
 * permission to read modules: static imports do not require it.
 *
 * @param args the arguments of the program, such as `["worker", "--app", "app.ts"]`
 * @returns the exit code: `0` done, `1` failed, `2` jobs did not end in time, `3` a partition is stuck (`--once`), `64` the
 * command line is wrong. A worker that is forced by a second signal exits with 130, 131 or 143 and does not return
 *
 * @example
 * ```ts
 * import { main } from "@activejob/kafka/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["help", "worker"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const { formatProgram } = await import("./invocation.ts");
  const program = formatProgram(import.meta.url);
  try {
    return await dispatch(args, program);
  } catch (error) {
    printThrown(error, args.includes("--debug"));
    if (error instanceof UsageError) printLine(`Help: ${program}${formatCommandOf(args)} --help`);
    return error instanceof CommandError ? error.code : EXIT.failed;
  } finally {
    await stderr.flush(FLUSH_MS);
  }
}

async function dispatch([first, ...rest]: readonly string[], program: string): Promise<number> {
  if (first === "--version" || first === "-V") {
    console.log(`@activejob/kafka ${VERSION}`);
    return EXIT.ok;
  }
  if (first === undefined || first === "--help" || first === "-h" || (first === "help" && rest.length === 0)) {
    const help = formatProgramHelp(program, await loadCommands());
    if (first !== undefined) console.log(help);
    else printLine(help);
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  const isHelp = first === "help";
  const command = await loadCommand(isHelp ? rest[0]! : first);
  if (isHelp || hasHelpFlag(rest)) {
    console.log(formatCommandHelp(program, command));
    return EXIT.ok;
  }
  return await command.run(await readArguments(command, rest), program);
}

/** Formats the command that the arguments name, after a space; empty if there is none. */
function formatCommandOf([first, second]: readonly string[]): string {
  const name = first === "help" ? second : first;
  return name !== undefined && COMMANDS.has(name) ? ` ${name}` : "";
}

async function loadCommand(name: string): Promise<Command> {
  const load = COMMANDS.get(name);
  if (load !== undefined) return await load();
  if (name.startsWith("-")) throw new UsageError(`Unknown option ${show(name)}: the command comes first`);
  throw new UsageError(`Unknown command ${show(name)}${nearestOf(name, [...COMMANDS.keys()])}`);
}

/** Whether help is wanted: also if other arguments are wrong. */
function hasHelpFlag(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === "--help" || arg === "-h");
}

if (isMainModule(import.meta)) runtime.exit(await main(runtime.args));
