/** The help: made of the commands' own descriptions, so that it cannot say anything else than what they do. */
import { COMMON_FLAGS } from "./arguments.ts";
import type { Command, Flag } from "./command.ts";
import { EXIT_CODE_LINES } from "./exit_codes.ts";

/**
 * The help of the whole program.
 *
 * @param program the command line up to the command's name
 */
export function programHelp(program: string, commands: readonly Command[]): string {
  return page([
    ["Background jobs on Kafka."],
    ["Usage:", `  ${program} <command> [options]`],
    ["Commands:", ...table(commands.map(({ name, summary }) => [name, summary]))],
    ["Options:", ...table([["--help", 'show this help; also "help <command>"'], ["--version", "show the version"]])],
    ["Exit codes:", ...table(EXIT_CODE_LINES)],
    ["Results go to standard output, logs and errors to standard error."],
  ]);
}

/** The help of one command. */
export function commandHelp(program: string, command: Command): string {
  const { name, words, summary, details, flags, examples } = command;
  const required = flags.filter((flag) => flag.required).map((flag) => ` ${usageOf(flag)}`).join("");
  return page([
    [`${summary}.`, ...details],
    ["Usage:", `  ${program} ${name}${required} [options]${words === "" ? "" : ` ${words}`}`],
    ["Options:", ...table([...flags, ...COMMON_FLAGS].map((flag) => [usageOf(flag), flag.help]))],
    ["Examples:", ...examples.map((example) => `  ${program} ${example}`)],
  ]);
}

function usageOf({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function page(paragraphs: readonly (readonly string[])[]): string {
  return paragraphs.map((lines) => lines.join("\n")).join("\n\n");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
