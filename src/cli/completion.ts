/**
 * `completion`: prints a script for a shell, which then completes commands, actions, options and the file of `--app`. At each
 * Tab the script calls this command with the words that are typed. Scripts and their protocol are those of Optique, loaded here
 * only; the words come from the descriptions of the commands.
 */
import { readAction } from "./actions.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { show } from "../support/validation.ts";
import { suggest } from "./suggest.ts";

type Shell = "bash" | "zsh" | "fish";
const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** The files that can be an App. */
const EXTENSIONS = [".ts", ".js", ".mts", ".mjs"];

/** `completion`. @param loadCommands returns every command */
export function createCompletion(loadCommands: () => Promise<readonly Command[]>): Command {
  const completion: Command = {
    name: "completion",
    words: SHELLS.join("|"),
    summary: "Print a script that completes words in a shell",
    details: [
      "For a program with a name of its own: deno install -g -A -n activejob jsr:@activejob/kafka/cli",
      'Put the line of the example into ~/.bashrc; in zsh "source <(activejob completion zsh)" behind compinit in ~/.zshrc;',
      'in fish "activejob completion fish | source" in its config.fish.',
    ],
    flags: [{ name: "name", value: "NAME", help: "the name of the program (activejob)" }],
    actions: new Map(SHELLS.map((shell) => [shell, []])),
    examples: ["completion bash", "completion zsh --name jobs"],
    async run(args: Arguments): Promise<number> {
      const [shell, ...words] = readAction(completion, args);
      const { [shell as Shell]: generator } = await import("npm:@optique/core@1.3.6/completion");
      if (words.length === 0) {
        console.log(generator.generateScript(readName(args), ["completion", shell, "--"]));
        return EXIT.ok;
      }
      const found = suggest(await loadCommands(), words);
      const suggestions = found === "files"
        ? [{ kind: "file", type: "file", extensions: EXTENSIONS } as const]
        : found.map(({ word, help }) =>
          ({ kind: "literal", text: word, description: [{ type: "text", text: help }] }) as const
        );
      console.log([...generator.encodeSuggestions(suggestions)].join(""));
      return EXIT.ok;
    },
  };
  return completion;
}

/** The name becomes a part of the script. */
function readName(args: Arguments): string {
  const name = args.getText("name") ?? "activejob";
  if (/^\w[\w.-]*$/.test(name)) return name;
  throw new UsageError(
    `Option "--name" must be the name of a program, of letters, digits, "_", "-" and ".", but it is ${show(name)}`,
  );
}
