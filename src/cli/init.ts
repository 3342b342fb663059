/** `init`: makes a project, or completes one: from an empty folder to a performed job. */
import { show } from "../options.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { carryOut, WRITING_FLAGS } from "./generate/carry_out.ts";
import { ProjectFiles } from "./generate/files.ts";
import { planProject } from "./generate/project.ts";
import { quoted } from "./invocation.ts";

/** `init`. */
export const init: Command = {
  name: "init",
  words: "[directory]",
  summary: "Make a project: an App, a first job with its test, and tasks to perform and enqueue it",
  details: [
    "In a folder that is no project yet, or in one that is: a deno.json keeps all it has, and gets what is missing.",
    "All files are written or none; none is overwritten without --force.",
  ],
  flags: WRITING_FLAGS,
  examples: ["init shop", "init --dry-run"],
  run(given: Arguments): number {
    const [folder = ".", ...rest] = given.words;
    if (rest.length > 0 || folder === "") {
      throw new UsageError(`"init" takes one directory, but it is given ${given.words.map(show).join(" ")}`);
    }
    const files = new ProjectFiles(folder);
    carryOut(planProject(files.name, files.read), files, given);
    if (!given.isSet("dry-run")) { for (const line of nextSteps(folder)) console.log(line); }
    return EXIT.ok;
  },
};

function nextSteps(folder: string): string[] {
  return [
    "",
    "Next:",
    ...(folder === "." ? [] : [`  cd ${quoted(folder)}`]),
    "  deno task worker     # performs jobs; in another terminal:",
    "  deno task enqueue",
    "  deno task test",
    "  deno task generate job admin/refresh",
  ];
}
