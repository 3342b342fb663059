/** `init`: makes a project, or completes one: from an empty folder to a performed job. */
import { show } from "../support/validation.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { carryOut, WRITING_FLAGS } from "./generate/apply_plan.ts";
import { ProjectFiles } from "./generate/files.ts";
import { APP } from "./generate/job.ts";
import { planProject, type ProjectCommands } from "./generate/project.ts";
import { projectName } from "./generate/project_name.ts";
import { quoted } from "./invocation.ts";

/** `init`. */
export const init: Command = {
  name: "init",
  words: "[directory]",
  summary: "Make a project: an App, a first job with its test, and tasks to perform and enqueue it",
  details: [
    "In a folder that is no project yet, or in one that is: a deno.json keeps all it has, and gets what is missing.",
    "All files are written or none. What is there and differs is a conflict: --skip keeps it, --force overwrites it.",
  ],
  flags: WRITING_FLAGS,
  examples: ["init shop", "init --dry-run"],
  run(given: Arguments): number {
    const [folder = ".", ...rest] = given.words;
    if (rest.length > 0 || folder === "") {
      throw new UsageError(`"init" takes one directory, but it is given ${given.words.map(show).join(" ")}`);
    }
    const files = new ProjectFiles(folder);
    const name = projectName(files.name);
    const { commands, ...plan } = planProject(name ?? FALLBACK, files.read);
    const notes = name === null ? [...plan.notes, unnamed(files.name)] : plan.notes;
    carryOut({ ...plan, notes }, files, given);
    if (!given.isSet("dry-run")) { for (const line of nextSteps(folder, commands)) console.log(line); }
    return EXIT.ok;
  },
};

/** What a project is called whose folder says nothing. */
const FALLBACK = "app";

function unnamed(folder: string): string {
  return `${show(folder)} cannot be the name of a client and a consumer group: ${APP} says ${show(FALLBACK)}`;
}

function nextSteps(folder: string, { worker, enqueue, generate }: ProjectCommands): string[] {
  return [
    "",
    "Next:",
    ...(folder === "." ? [] : [`  cd ${quoted(folder)}`]),
    `  ${worker}     # performs jobs; in another terminal:`,
    `  ${enqueue}`,
    "  deno task test",
    `  ${generate} job admin/refresh`,
  ];
}
