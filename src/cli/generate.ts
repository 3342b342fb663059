/** `generate`: writes the files of a new part of a project. The only kind so far is a job. */
import { show } from "../support/validation.ts";
import { nearestOf } from "./arguments.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { applyPlan, WRITING_FLAGS } from "./generate/apply_plan.ts";
import { ProjectFiles } from "./generate/files.ts";
import { planJob } from "./generate/job.ts";
import type { Plan, Read } from "./generate/plan.ts";
import { requireDeno } from "./generate/require_deno.ts";

/** Plans by the kind of what is generated. */
const GENERATORS: ReadonlyMap<string, (name: string, args: Arguments, read: Read) => Plan> = new Map([
  ["job", (name, args, read) => planJob(name, { queue: args.getText("queue"), parent: args.getText("parent") }, read)],
]);

/** `generate`. */
export const generate: Command = {
  name: "generate",
  words: "job name",
  summary: "Write a new job, its test, and its entry in jobs/mod.ts",
  details: [
    'The name is a path below jobs/: "admin/refresh", "Admin::RefreshJob" and "admin/refresh-job" mean the same.',
    "Run it in the project's folder. It writes all files or none. A file that exists and differs is a conflict: --skip",
    "keeps it, --force overwrites it.",
  ],
  flags: [
    { name: "queue", value: "NAME", help: "the job's queue (its parent's)" },
    { name: "parent", value: "CLASS", help: "the class that it extends (ApplicationJob)" },
    ...WRITING_FLAGS,
  ],
  actions: new Map(Array.from(GENERATORS.keys(), (kind) => [kind, []])),
  examples: ["generate job admin/refresh --queue low", "generate job Admin::RefreshJob --dry-run"],
  run(args: Arguments): number {
    requireDeno("generate");
    const [kind, name, ...rest] = args.words;
    const kinds = [...GENERATORS.keys()];
    if (kind === undefined) {
      throw new UsageError(
        `"generate" needs a kind, such as ${show(kinds.join(", "))}, and a name, but nothing is given`,
      );
    }
    const plan = GENERATORS.get(kind);
    if (plan === undefined) {
      throw new UsageError(`"generate" does not have the kind ${show(kind)}${nearestOf(kind, kinds)}`);
    }
    if (name === undefined || rest.length > 0) {
      throw new UsageError(
        `"generate ${kind}" needs one name, but ${
          name === undefined ? "none is given" : `it is given ${[name, ...rest].map(show).join(" ")}`
        }`,
      );
    }
    const files = new ProjectFiles(".");
    applyPlan(plan(name, args, files.read), files, args);
    return EXIT.ok;
  },
};
