/** `generate`: makes the files of something new in a project. So far that is a job. */
import { didYouMean, show } from "../support/validation.ts";
import { type Arguments, type Command, UsageError } from "./command.ts";
import { EXIT } from "./exit_codes.ts";
import { carryOut, WRITING_FLAGS } from "./generate/apply_plan.ts";
import { ProjectFiles } from "./generate/files.ts";
import { planJob } from "./generate/job.ts";
import type { Plan, Read } from "./generate/plan.ts";

/** What can be made, by name. */
const GENERATORS: ReadonlyMap<string, (name: string, given: Arguments, read: Read) => Plan> = new Map([
  ["job", (name, given, read) => planJob(name, { queue: given.text("queue"), parent: given.text("parent") }, read)],
]);

/** `generate`. */
export const generate: Command = {
  name: "generate",
  words: "job name",
  summary: "Write a new job, its test, and its entry in jobs/mod.ts",
  details: [
    'The name is a path below jobs/: "admin/refresh", "Admin::RefreshJob" and "admin/refresh-job" mean the same.',
    "It is run in the project's folder. All files are written or none. What is there and differs is a conflict: --skip",
    "keeps it, --force overwrites it.",
  ],
  flags: [
    { name: "queue", value: "NAME", help: "the job's queue (its parent's)" },
    { name: "parent", value: "CLASS", help: "the class that it extends (ApplicationJob)" },
    ...WRITING_FLAGS,
  ],
  examples: ["generate job admin/refresh --queue low", "generate job Admin::RefreshJob --dry-run"],
  run(given: Arguments): number {
    const [kind, name, ...rest] = given.words;
    const kinds = [...GENERATORS.keys()];
    if (kind === undefined) {
      throw new UsageError(`"generate" can make a ${show(kinds.join(", "))}, but it is not said what to make`);
    }
    const plan = GENERATORS.get(kind);
    if (plan === undefined) throw new UsageError(`"generate" cannot make a ${show(kind)}${didYouMean(kind, kinds)}`);
    if (name === undefined || rest.length > 0) {
      throw new UsageError(
        `"generate ${kind}" needs one name, but ${
          name === undefined ? "none is given" : `it is given ${[name, ...rest].map(show).join(" ")}`
        }`,
      );
    }
    const files = new ProjectFiles(".");
    carryOut(plan(name, given, files.read), files, given);
    return EXIT.ok;
  },
};
