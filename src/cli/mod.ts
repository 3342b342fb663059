/**
 * The command line: a worker, and what an operator needs beside it. `--help` says it all.
 *
 * ```sh
 * deno run -A jsr:@activejob/kafka/cli worker --app app.ts
 * ```
 *
 * @module
 */
import { didYouMean, show } from "../support/validation.ts";
import { readArguments } from "./arguments.ts";
import { type Command, CommandError, UsageError } from "./command.ts";
import { enqueue } from "./enqueue.ts";
import { EXIT } from "./exit_codes.ts";
import { generate } from "./generate.ts";
import { commandHelp, programHelp } from "./help.ts";
import { init } from "./init.ts";
import { invocation } from "./invocation.ts";
import { printThrown } from "./print_error.ts";
import { skip } from "./skip.ts";
import { topics } from "./topics.ts";
import { VERSION } from "./version.ts";
import { worker } from "./worker.ts";

const COMMANDS: readonly Command[] = [worker, topics, skip, enqueue, init, generate];

/**
 * Runs one command line.
 *
 * A program of one's own that imports the App and hands `import.meta.resolve("./app.ts")` to `--app` needs no permission to
 * read modules: what a program imports statically is not asked for.
 *
 * @param args what stands behind the program, such as `["worker", "--app", "app.ts"]`
 * @returns the exit code: `0` done, `1` failed, `2` jobs did not end in time, `3` partitions stand still (`--once`), `64` the
 * command line cannot be understood. A worker that is forced by a second signal does not come back: 130, 131, 143
 */
export async function main(args: readonly string[]): Promise<number> {
  const program = invocation(import.meta.url);
  try {
    return await dispatch(args, program);
  } catch (error) {
    printThrown(error, args.includes("--debug"));
    if (error instanceof UsageError) console.error(`Help: ${program}${commandIn(args)} --help`);
    return error instanceof CommandError ? error.code : EXIT.failed;
  }
}

async function dispatch([first, ...rest]: readonly string[], program: string): Promise<number> {
  if (first === "--version" || first === "-V") {
    console.log(`@activejob/kafka ${VERSION}`);
    return EXIT.ok;
  }
  if (first === undefined || first === "--help" || first === "-h" || (first === "help" && rest.length === 0)) {
    const help = programHelp(program, COMMANDS);
    if (first !== undefined) console.log(help);
    else console.error(help);
    return first === undefined ? EXIT.usage : EXIT.ok;
  }
  const isHelp = first === "help";
  const command = find(isHelp ? rest[0]! : first);
  if (isHelp || asksForHelp(rest)) {
    console.log(commandHelp(program, command));
    return EXIT.ok;
  }
  return await command.run(await readArguments(command, rest), program);
}

/** The command that is asked for, behind a space; empty where there is none. */
function commandIn([first, second]: readonly string[]): string {
  const name = first === "help" ? second : first;
  return COMMANDS.some((command) => command.name === name) ? ` ${name}` : "";
}

function find(name: string): Command {
  const command = COMMANDS.find((command) => command.name === name);
  if (command !== undefined) return command;
  if (name.startsWith("-")) throw new UsageError(`Unknown option ${show(name)}: the command comes first`);
  throw new UsageError(`Unknown command ${show(name)}${didYouMean(name, COMMANDS.map((command) => command.name))}`);
}

/** Also beside what is wrong otherwise. */
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === "--help" || arg === "-h");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
