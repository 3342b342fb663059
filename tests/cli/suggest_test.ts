/** The words that a shell completes are those of the help pages. */
import { assert, assertEquals } from "@std/assert";
import { COMMON_FLAGS } from "../../src/cli/arguments.ts";
import { APP_FLAG, type Command } from "../../src/cli/command.ts";
import { formatCommandHelp, formatProgramHelp } from "../../src/cli/help.ts";
import { loadCommands } from "../../src/cli/commands.ts";
import { suggest } from "../../src/cli/suggest.ts";

const COMMANDS = await loadCommands();

function wordsOf(...typed: string[]): string[] | "files" {
  const found = suggest(COMMANDS, typed);
  return found === "files" ? found : found.map(({ word }) => word);
}

/** The first words of the lines of a section of a help page. */
function rowsOf(help: string, section: string): string[] {
  const [, rows = ""] = help.split(`${section}:\n`);
  return rows.split("\n\n")[0]!.split("\n").map((row) => row.trim().split(" ")[0]!);
}

Deno.test("the suggested commands are those of the help", () => {
  const shown = rowsOf(formatProgramHelp("x", COMMANDS), "Commands");
  assert(shown.length > 10);
  assertEquals(wordsOf(""), [...shown, "help", "--version"]);
  assertEquals(wordsOf("help", ""), shown);
  assertEquals(wordsOf("re"), ["resume", "recurring"]);
});

Deno.test("the suggested options of a command are those of its help, each once, and the actions are in its usage", () => {
  for (const command of COMMANDS) {
    const help = formatCommandHelp("x", command);
    assertEquals(wordsOf(command.name, "--"), rowsOf(help, "Options"));
    const actions = wordsOf(command.name, "");
    assertEquals(actions, [...command.actions?.keys() ?? []]);
    for (const action of actions) assert(command.words.includes(action), `${command.name} ${action}`);
  }
  assertEquals(wordsOf("status", "--json", "--watch", "--"), ["--app", "--timeout-ms", "--debug", "--help"]);
});

Deno.test("an action is suggested its own options and the common ones", () => {
  const listed = wordsOf("dlq", "--app", "app.ts", "list", "--");
  for (const word of ["--class", "--limit", "--json", "--help"]) assert(listed.includes(word), word);
  for (const word of ["--app", "--force", "--arguments"]) assert(!listed.includes(word), word);
  assertEquals(wordsOf("dlq", "show", "--a"), ["--app", "--arguments"]);
  assertEquals(wordsOf("dlq", "list", ""), []);
});

Deno.test("the value of --app is a file, and nothing is suggested for other values, unknown commands and behind --", () => {
  assertEquals(wordsOf("worker", "--app", ""), "files");
  assertEquals(wordsOf("worker", "--app", "--"), "files");
  assertEquals(wordsOf("dlq", "--class", ""), []);
  assertEquals(wordsOf("dlq", "--class", "list", ""), ["list", "show", "requeue", "dismiss"]);
  assertEquals(wordsOf("nothing", ""), []);
  assertEquals(wordsOf("dlq", "--", ""), []);
});

Deno.test("an option without an action is suggested to each", () => {
  const command = { name: "x", words: "", flags: [APP_FLAG], actions: new Map([["a", []]]) } as unknown as Command;
  assertEquals(suggest([command], ["x", "a", "--"]), [
    { word: "--app", help: APP_FLAG.help },
    ...COMMON_FLAGS.map(({ name, help }) => ({ word: `--${name}`, help })),
  ]);
});
