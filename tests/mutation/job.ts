/** Mutants of what users enqueue: arguments, class names, refusals. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

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
  {
    what: "enqueuing: a job that was refused after its call had resolved is counted",
    file: "src/dispatch/dispatcher.ts",
    find: "this.#undelivered++;\n    this.#options",
    replace: "this.#options",
    tests: ["tests/dispatch/dispatcher_test.ts"],
  },
  {
    what: "enqueuing: an envelope that no worker reads is refused at once",
    file: "src/dispatch/job_record.ts",
    find: "if (value.length * 3 > maxPayloadBytes)",
    replace: "if (value.length * 3 > Infinity)",
    tests: ["tests/dispatch/dispatcher_test.ts"],
  },
  {
    what: "enqueuing: the sender of an undeclared queue ends when it is idle",
    file: "src/dispatch/topic_sender.ts",
    find: "this.#onIdle?.();",
    replace: "",
    tests: ["tests/dispatch/dispatcher_test.ts"],
  },
  {
    what: "enqueuing: the names of undeclared queues are bounded",
    file: "src/dispatch/dispatcher.ts",
    find: "this.#warnedQueues.delete(oldest!);",
    replace: "",
    tests: ["tests/dispatch/dispatcher_test.ts"],
  },
];
