/** The guards of the status of topics. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const STATE = "src/status/partition_state.ts";
const READ = "src/status/read_status.ts";
const STATES = ["tests/status/partition_state_test.ts"];
const REPORTS = ["tests/status/report_facts_test.ts"];
const LISTING = ["tests/broker/kafka/listing_test.ts"];
const BEHAVIOURS = ["tests/behaviours/status_test.ts"];

/** See the module. */
export const STATUS_MUTANTS: readonly Mutant[] = [
  {
    what: "status: an offset that stood still before the record came is not stalled",
    file: STATE,
    find: "Math.min(unmovedMs, oldestWaitingMs ?? 0) >= stalledAfterMs",
    replace: "unmovedMs >= stalledAfterMs",
    tests: STATES,
    only: "worst of the states",
  },
  {
    what: "status: a topic that waits for its rate limit is not stalled",
    file: STATE,
    find: "Math.max(STALLED_AFTER_MS, 2 * (rateLimit?.perMs ?? 0))",
    replace: "STALLED_AFTER_MS",
    tests: ["tests/status/read_status_test.ts"],
    only: "rate limit",
  },
  {
    what: "status: the time of a pause does not make a topic stalled",
    file: READ,
    find: "if (pause !== null) movement.restart(each.partition, this.#nowMs);",
    replace: "",
    tests: ["tests/status/read_status_test.ts"],
    only: "time of a pause",
  },
  {
    what: "status: a stuck offset lies in the log",
    file: STATE,
    find: "offset >= (low ?? 0) && offset < (high ?? Infinity)",
    replace: "true",
    tests: STATES,
    only: "untrusted",
  },
  {
    what: "status: a partition of which something is not known has no lag",
    file: STATE,
    find: " || facts.problem !== null",
    replace: "",
    tests: STATES,
    only: "not known",
  },
  {
    what: "status: a member that does not report may have moved the offset",
    file: "src/status/report_facts.ts",
    find: "if (readers.length < members) return 0;",
    replace: "",
    tests: REPORTS,
    only: "five minutes",
  },
  {
    what: "status: a worker that is gone counts for nothing",
    file: "src/status/report_facts.ts",
    find: 'if (worker.state === "gone") continue;',
    replace: "",
    tests: REPORTS,
    only: "gone",
  },
  {
    what: "status: overdue delayed jobs without a worker are reported",
    file: READ,
    find: "delayed: overdue === undefined ? null :",
    replace: "delayed: true ? null :",
    tests: BEHAVIOURS,
    only: "status 8",
  },
  {
    what: "status: delayed jobs that were read in part are not reported as overdue",
    file: READ,
    find: "delayed?.isComplete ? waiting : undefined",
    replace: "waiting",
    tests: ["tests/status/read_status_test.ts"],
    only: "reads a part",
  },
  {
    what: "kafka: a silent leader hides only its own partitions",
    file: "src/broker/kafka/listing.ts",
    find: "return () => ({ failure });",
    replace: "throw error;",
    tests: LISTING,
    only: "silent",
  },
  {
    what: "kafka: a leader that is silent is asked once for the heads of its partitions",
    file: "src/broker/kafka/heads.ts",
    find: "if (error instanceof ConnectionError) this.#silent.add(leader);",
    replace: "if (error instanceof ConnectionError) void 0;",
    tests: ["tests/broker/kafka/heads_test.ts"],
    only: "silent",
  },
  {
    what: "status: reports that do not come hold up nothing else",
    file: READ,
    find: "const reporting = Promise.all([",
    replace: "const reporting = await Promise.all([",
    tests: ["tests/status/read_status_test.ts"],
    only: "hold up nothing",
  },
  {
    what: "status: the reports of workers are read once",
    file: "src/app/operations.ts",
    find: "workers ?? this.workers()",
    replace: "this.workers()",
    tests: ["tests/web/dashboard/load_status_test.ts"],
    only: "once",
  },
  {
    what: "kafka: a group that assigns its partitions does not say what its members read",
    file: "src/broker/kafka/listing.ts",
    find: 'const isStable = state === "Stable";',
    replace: "const isStable = true;",
    tests: LISTING,
    only: "listMembers",
  },
  {
    what: "status: a dead letter topic that does not exist has no known number of letters",
    file: "src/status/dead_letter_counts.ts",
    find: "    const problem = letters === null\n",
    replace:
      "    if (letters === null) return void counts.set(topic, { topic, total: 0, unhandled: 0 });\n    const problem = letters === null\n",
    tests: ["tests/status/dead_letter_counts_test.ts"],
    only: "does not exist",
  },
];
