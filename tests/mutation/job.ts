/** The guards of enqueued jobs: arguments, class names, refusals. */
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
    what: "arguments: the search for a circle ends where writing ended",
    file: "src/job/arguments.ts",
    find: "if (outerValues.length >= MAX_DEPTH) return TOO_DEEP;",
    replace: "if (outerValues.length >= MAX_DEPTH) return null;",
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
    what: "names: a member of every object is not the name of a class",
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
    find: "if (this.#waiting.length === 0 && this.#inFlight === 0) this.#options.onIdle?.();",
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
  {
    what: "secrets: the passphrase is a secret",
    file: "src/broker/kafka/options.ts",
    find: 'typeof ssl === "object" ? ssl.passphrase : undefined',
    replace: "undefined",
    tests: ["tests/broker/kafka/options_test.ts"],
  },
  {
    what: "secrets: an address that cannot be read is masked",
    file: "src/broker/kafka/options.ts",
    find: 'return `${/^[a-z]\\w*:\\/\\//i.exec(address)?.[0] ?? ""}***`;',
    replace: "return address;",
    tests: ["tests/broker/source_test.ts", "tests/broker/kafka/options_test.ts"],
  },
  {
    what: "attributes: run({}) opens a scope of its own",
    file: "src/job/current_attributes.ts",
    find: "const scope = new Scope();\n      // Copies,",
    replace:
      "if (Object.keys(values).length === 0 && scopes.get()) return fn();\n      const scope = new Scope();\n      // Copies",
    tests: ["tests/job/current_attributes_test.ts"],
  },
  {
    what: "jobs: arguments are neither in a job's string nor in its JSON",
    file: "src/job/job.ts",
    find: "    const { jobId, status, position } = this;",
    replace:
      "    const { jobId, status, position } = this;\n    if (position !== undefined) return { ...this } as never;",
    tests: ["tests/job/job_test.ts"],
  },
];
