/** `init`: creates a project, or completes one, with a job that can be enqueued and performed at once. */
import { show } from "../support/validation.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { applyPlan, WRITING_FLAGS } from "./generate/apply_plan.ts";
import { ProjectFiles } from "./generate/files.ts";
import { APP_FILE } from "./generate/job.ts";
import { planProject, type ProjectCommands } from "./generate/project.ts";
import { requireDeno } from "./generate/require_deno.ts";
import { toProjectName } from "./generate/project_name.ts";
import { quoteForShell } from "../support/shell.ts";

/** `init`. */
export const init: Command = {
  name: "init",
  words: "[directory]",
  summary: "Make a project: an App, a first job with its test, and tasks to perform and enqueue it",
  details: [
    "The folder may have a project already: its deno.json keeps every entry and gets the missing ones.",
    "All files are written or none. A file that exists and differs is a conflict: --skip keeps it, --force overwrites it.",
  ],
  flags: WRITING_FLAGS,
  examples: ["init shop", "init --dry-run"],
  run(args: Arguments): number {
    requireDeno("init");
    const [folder = ".", ...rest] = args.words;
    if (rest.length > 0 || folder === "") {
      throw new UsageError(`"init" takes one directory, but it is given ${args.words.map(show).join(" ")}`);
    }
    const files = new ProjectFiles(folder);
    const name = toProjectName(files.name);
    const { commands, ...plan } = planProject(name ?? FALLBACK, files.read);
    const notes = name === null ? [...plan.notes, formatNameNote(files.name)] : plan.notes;
    applyPlan({ ...plan, notes }, files, args);
    if (!args.isSet("dry-run")) { for (const line of formatNextSteps(folder, commands)) console.log(line); }
    return EXIT.ok;
  },
};

/** The name of a project whose folder's name cannot be one. */
const FALLBACK = "app";

function formatNameNote(folder: string): string {
  return `${show(folder)} cannot be a client id and a prefix of topics: ${APP_FILE} has ${
    show(FALLBACK)
  }, change it before you use a Kafka`;
}

function formatNextSteps(folder: string, { dev, enqueue, test, generate }: ProjectCommands): string[] {
  return [
    "",
    "Next:",
    ...(folder === "." ? [] : [`  cd ${quoteForShell(folder)}`]),
    `  ${dev}     # performs jobs, and restarts when you edit one; in another terminal:`,
    `  ${enqueue}`,
    `  ${test}`,
    `  ${generate} job admin/refresh`,
  ];
}
