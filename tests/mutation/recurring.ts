/** The guards of recurring jobs. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const OWNED = "src/scheduler/recurring/owned_recurring_job.ts";
const BEHAVIOURS = ["tests/behaviours/recurring_test.ts"];

/** See the module. */
export const RECURRING_MUTANTS: readonly Mutant[] = [
  {
    what: "recurring: an owner notes that it begins to enqueue a job",
    file: OWNED,
    find: "if (record.ends === null) await this.#begin(definition, record);",
    replace: "",
    tests: BEHAVIOURS,
    only: "J4: the owner ends after it has enqueued",
  },
  {
    what: "recurring: a record that was written although its append failed loses no tick",
    file: OWNED,
    find: "if (record.tickAtMs !== this.#enqueued?.tickAtMs) this.#enqueued = null;",
    replace: "",
    tests: ["tests/scheduler/recurring/owned_recurring_job_test.ts"],
    only: "unknown outcome",
  },
  {
    what: "recurring: a job whose append has an unknown outcome is looked for",
    file: OWNED,
    find: "await this.#resolveDoubt(definition, record);\n    if (this.#enqueued === null",
    replace: "if (this.#enqueued === null",
    tests: BEHAVIOURS,
    only: "J4: the response",
  },
  {
    what: "recurring: a record of a former owner that comes late does not count",
    file: "src/scheduler/recurring/tick_table.ts",
    find:
      "if (known !== undefined && lastTickAtMs(known.last, nowMs) > lastTickAtMs(record.last, nowMs)) return false;",
    replace: "",
    tests: ["tests/scheduler/recurring/tick_table_test.ts"],
    only: "comes late",
  },
  {
    what: "recurring: ticks that were missed lead to one job",
    file: OWNED,
    find: "nextTickAtMs(definition, isMissed ? nowMs : tickAtMs,",
    replace: "nextTickAtMs(definition, tickAtMs,",
    tests: BEHAVIOURS,
    only: "J7",
  },
  {
    what: "recurring: a clock that is set back repeats no tick",
    file: OWNED,
    find: "Math.max(nowMs, lastTickAtMs(last, nowMs))",
    replace: "nowMs",
    tests: BEHAVIOURS,
    only: "J5",
  },
  {
    what: "recurring: a job that waits for a retry is not done",
    file: "src/scheduler/recurring/is_open.ts",
    find: " || await isDelayed(tick.jobId, places);",
    replace: ";",
    tests: BEHAVIOURS,
    only: "J8",
  },
  {
    what: "recurring: a job whose topic was deleted is not in the way of the next one",
    file: "src/scheduler/recurring/is_open.ts",
    find: "if (error instanceof UnknownTopicError) return false;",
    replace: "",
    tests: ["tests/scheduler/recurring/is_open_test.ts"],
    only: "deleted",
  },
  {
    what: "recurring: a last tick of the far future does not stop the job until then",
    file: "src/scheduler/recurring/tick_record.ts",
    find: "last === null || !isBelievable(last.tickAtMs, nowMs) ?",
    replace: "last === null ?",
    tests: [
      "tests/scheduler/recurring/owned_recurring_job_test.ts",
      "tests/scheduler/recurring/tick_table_test.ts",
    ],
    only: "future",
  },
  {
    what: "recurring: a record of another writer is compared with the definition when it is read",
    file: OWNED,
    find: "this.#isCompared = false;\n  }\n\n  /** Notes that its record is gone",
    replace: "}\n\n  /** Notes that its record is gone",
    tests: ["tests/scheduler/recurring/owned_recurring_job_test.ts"],
    only: "forged",
  },
  {
    what: "recurring: a changed definition moves the waiting tick",
    file: OWNED,
    find: "if (!isRight) {",
    replace: "if (record.tickAtMs < 0) {",
    tests: BEHAVIOURS,
    only: "J9",
  },
  {
    what: "recurring: a record has the ticks that were cancelled",
    file: OWNED,
    find: "definition: this.#hash(definition), cancelled }",
    replace: "definition: this.#hash(definition), cancelled: [] }",
    tests: ["tests/scheduler/recurring/owned_recurring_job_test.ts"],
    only: "cancelled",
  },
  {
    what: "recurring: a tick that is due is one of the definition",
    file: "src/scheduler/recurring/tick_rules.ts",
    find: "return isSame ? definition.next(tickAtMs - 1) === tickAtMs : mayDiffer;",
    replace: "return true;",
    tests: ["tests/scheduler/recurring/owned_recurring_job_test.ts"],
    only: "hash of the definition",
  },
  {
    what: "recurring: a cancelled tick stays in the log until the next one is written",
    file: "src/scheduler/partition_schedules.ts",
    find: " || this.#recurring?.isHeld(offset) === true,",
    replace: ",",
    tests: ["tests/scheduler/recurring/recurring_jobs_test.ts"],
    only: "stays in the log",
  },
];
