/** The guards of worker reports. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const REPORTER = "src/reports/reporter.ts";
const LIST = "src/reports/list_workers.ts";

/** See the module. */
export const REPORTS_MUTANTS: readonly Mutant[] = [
  {
    what: "reports: at most one report is in flight",
    file: REPORTER,
    find: "if (this.#inFlight === undefined) this.#send();",
    replace: "if (this.#timer === undefined || !this.#isClosed) this.#send();",
    tests: ["tests/reports/reporter_test.ts"],
    only: "a broker that is silent",
  },
  {
    what: "reports: the end of a worker waits no longer than its deadline",
    file: REPORTER,
    find: "!await waitUntilSettled(this.#inFlight, closeMs)",
    replace: "!await this.#inFlight.then(() => true)",
    tests: ["tests/reports/reporter_test.ts"],
    only: "a broker that is silent",
  },
  {
    what: "reports: a failure is an event once",
    file: REPORTER,
    find: "if (!this.#isFailing) monitor.emit",
    replace: "if (!this.#isClosed) monitor.emit",
    tests: ["tests/reports/reporter_test.ts"],
    only: "a missing topic is an event once",
  },
  {
    what: "reports: a refused report waits for the interval",
    file: REPORTER,
    find: "if (this.#isDue && isWritten)",
    replace: "if (this.#isDue)",
    tests: ["tests/reports/reporter_test.ts"],
    only: "a refused report is not sent again",
  },
  {
    what: "reports: a worker is gone after 20 seconds",
    file: LIST,
    find: "ageMs > GONE_MS ||",
    replace: "",
    tests: ["tests/reports/list_workers_test.ts"],
    only: "a worker is gone once",
  },
  {
    what: "reports: the topic is read no further than a minute back",
    file: LIST,
    find: "if (newestMs < nowMs - LOOK_BACK_MS && newestMs > -Infinity) return;",
    replace: "",
    tests: ["tests/reports/list_workers_test.ts"],
    only: "the topic is read from its end",
  },
  {
    what: "reports: a worker in a state of a newer version is listed",
    file: "src/reports/read_worker_status.ts",
    find: 'WORKER_STATES.includes(state) ? state : "unknown"',
    replace: "state",
    tests: ["tests/reports/list_workers_test.ts"],
    only: "newer version",
  },
  {
    what: "reports: the command of a stuck record is the reader's own",
    file: "src/reports/read_worker_status.ts",
    find: "remedy: skipCommand(record)",
    replace: "remedy: String((value as { remedy?: string }).remedy)",
    tests: ["tests/reports/report_test.ts"],
    only: "a report is read as it was written",
  },
  {
    what: "reports: a reader takes no more jobs of all partitions than a report has",
    file: "src/reports/read_worker_status.ts",
    find: "ofPartitions.take(",
    replace: "new Budget(1000).take(",
    tests: ["tests/reports/report_test.ts"],
    only: "a forged report",
  },
  {
    what: "reports: the topic of a record is a name that Kafka accepts",
    file: "src/reports/read_worker_status.ts",
    find: "if (topicName(value) === null) return value as string;",
    replace: 'if (typeof value === "string") return value;',
    tests: ["tests/reports/report_test.ts"],
    only: "not the name of a topic",
  },
  {
    what: "reports: the id of a running job is not cut",
    file: "src/reports/bounded_status.ts",
    find: "jobId: jobId.slice(0, MAX_JOB_ID),",
    replace: "jobId: bound(jobId),",
    tests: ["tests/reports/report_test.ts"],
    only: "longest id",
  },
  {
    what: "reports: a report that is too large is not parsed",
    file: "src/reports/report.ts",
    find: "strictTextOf(value, MAX_REPORT_LENGTH)",
    replace: "strictTextOf(value, Infinity)",
    tests: ["tests/reports/report_test.ts"],
    only: "a record that is not a report",
  },
];
