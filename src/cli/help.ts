/** The help pages. They are generated from the descriptions of the commands. */
import { COMMON_FLAGS } from "./arguments.ts";
import type { Command, Flag } from "./command.ts";
import { EXIT_CODE_LINES } from "./exit_codes.ts";

/**
 * Formats the help of the program.
 *
 * @param program the command line up to the command's name
 * @param commands every command, in the order of the page
 */
export function formatProgramHelp(program: string, commands: readonly Command[]): string {
  return joinParagraphs([
    ["Background jobs on Kafka."],
    ["Usage:", `  ${program} <command> [options]`],
    ["Commands:", ...formatTable(commands.map(({ name, summary }) => [name, summary]))],
    [
      "Options:",
      ...formatTable([["--help", 'show this help; also "help <command>"'], ["--version", "show the version"]]),
    ],
    ["Exit codes:", ...formatTable(EXIT_CODE_LINES)],
    ["Results go to standard output, logs and errors to standard error."],
  ]);
}

/**
 * Formats the help of one command.
 *
 * @param program the command line up to the command's name
 */
export function formatCommandHelp(program: string, command: Command): string {
  const { name, words, summary, details, flags, examples } = command;
  const required = flags.filter((flag) => flag.required).map((flag) => ` ${formatUsage(flag)}`).join("");
  return joinParagraphs([
    [`${summary}.`, ...details],
    ["Usage:", `  ${program} ${name}${required} [options]${words === "" ? "" : ` ${words}`}`],
    ["Options:", ...formatTable([...flags, ...COMMON_FLAGS].map((flag) => [formatUsage(flag), flag.help]))],
    ["Examples:", ...examples.map((example) => `  ${program} ${example}`)],
  ]);
}

function formatUsage({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function joinParagraphs(paragraphs: readonly (readonly string[])[]): string {
  return paragraphs.map((lines) => lines.join("\n")).join("\n\n");
}

function formatTable(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
