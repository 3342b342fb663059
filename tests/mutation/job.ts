/** Mutants of what users enqueue: arguments, class names, refusals. */
import type { Mutant } from "../../tasks/mutants.ts";

/** Mutants of jobs, their arguments and their names. */
export const JOB_MUTANTS: readonly Mutant[] = [
  {
    what: "enqueuing: only a job that of() made is accepted",
    file: "src/job/job.ts",
    find: 'if (isJob(value) && value.jobId !== "" && Array.isArray(value.args)) return;',
    replace: "if (isJob(value)) return;",
    tests: ["tests/job/plain_data_test.ts"],
  },
  {
    what: "arguments: a property that is not enumerable is refused",
    file: "src/job/arguments.ts",
    find: "if (keys.length !== names.length) throw",
    replace: "if (false) throw",
    tests: ["tests/job/arguments_test.ts"],
  },
  {
    what: "arguments: a getter is read once",
    file: "src/job/arguments.ts",
    find: "const copy = { ...object };",
    replace: "const copy = object;",
    tests: ["tests/job/arguments_test.ts"],
  },
  {
    what: "arguments: a forged pointer changes only integers",
    file: "src/job/arguments.ts",
    find: "!Number.isSafeInteger(ownEntry(holder, last))",
    replace: 'typeof ownEntry(holder, last) !== "number"',
    tests: ["tests/job/arguments_test.ts"],
  },
  {
    what: "names: the members of every object are not names of classes",
    file: "src/job/class_name.ts",
    find: "!Object.hasOwn(Object.prototype, value)",
    replace: "true",
    tests: ["tests/job/class_name_test.ts"],
  },
];
