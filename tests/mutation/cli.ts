/** The guards of the command line. */
import type { Mutant } from "../../tasks/mutants.ts";

/** Those that decide what is written, what is told, and how a process ends. */
export const CLI_MUTANTS: readonly Mutant[] = [
  {
    what: "cli: only a second signal that comes a second later forces",
    file: "src/cli/signals.ts",
    find: "nowMs - firstMs >= FORCE_AFTER_MS",
    replace: "nowMs > firstMs",
    tests: ["tests/behaviours/stopping_test.ts"],
  },
  {
    what: "cli: jobs that still run are told in the exit code",
    file: "src/cli/worker.ts",
    find: "report.unfinished.length > 0",
    replace: "false",
    tests: ["tests/behaviours/stopping_test.ts"],
  },
  {
    what: "cli: a promise that a job leaves behind does not end the process",
    file: "src/cli/uncaught.ts",
    find: "event.preventDefault();",
    replace: "",
    tests: ["tests/cli/commands_test.ts"],
  },
  {
    what: "cli: enqueue waits for the acknowledgement",
    file: "src/cli/enqueue.ts",
    find: "await job.delivered()",
    replace: "job.position!",
    tests: ["tests/cli/commands_test.ts"],
  },
  {
    what: "generate: a file that differs is overwritten with --force only",
    file: "src/cli/generate/plan.ts",
    find: "return differing;",
    replace: 'return "force";',
    tests: ["tests/cli/generate_files_test.ts"],
  },
  {
    what: "the command line: a job that is known not to be written is said so",
    file: "src/cli/enqueue.ts",
    find: 'error?.written === "no"',
    replace: "false",
    tests: ["tests/cli/commands_test.ts"],
  },
  {
    what: "generate: where one file is a conflict, none is written",
    file: "src/cli/generate/apply_plan.ts",
    find: "conflicts.length === 0 && !isDryRun",
    replace: "!isDryRun",
    tests: ["tests/cli/generate_files_test.ts"],
  },
  {
    what: "generate: --dry-run writes nothing",
    file: "src/cli/generate/apply_plan.ts",
    find: "conflicts.length === 0 && !isDryRun",
    replace: "conflicts.length === 0",
    tests: ["tests/cli/generate_files_test.ts"],
  },
  {
    what: "generate: no link leads out of the project",
    file: "src/cli/generate/files.ts",
    find: "this.#refuseElsewhere(path);",
    replace: "",
    tests: ["tests/cli/generate_files_test.ts"],
  },
  {
    what: "generate: no two jobs get one name in jobs/mod.ts",
    file: "src/cli/generate/job_list.ts",
    find: "own === undefined && used > 0",
    replace: "false",
    tests: ["tests/cli/generate_job_list_test.ts"],
  },
];
