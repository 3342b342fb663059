/** The guards of health and metrics. */
import type { Mutant } from "../../tasks/mutants.ts";

/** All of them. */
export const HEALTH_MUTANTS: readonly Mutant[] = [
  {
    what: "health: a job in its grace is no reason to be restarted",
    file: "src/web/checks.ts",
    find: "runningMs > timeoutMs + timeoutGraceMs",
    replace: "runningMs > timeoutMs",
    tests: ["tests/web/checks_test.ts"],
  },
  {
    what: "health: a worker whose session is in doubt is not ready",
    file: "src/web/checks.ts",
    find: "return isSessionValid ? [] :",
    replace: "return true ? [] :",
    tests: ["tests/web/checks_test.ts"],
  },
  {
    what: "health: a broker that is away holds no scrape",
    file: "src/worker/worker.ts",
    find: "await settledWithin(this.#engine.refreshLag(), deadlineMs)",
    replace: "await this.#crew.askEnds()",
    tests: ["tests/worker/status_test.ts"],
  },
  {
    what: "health: a late answer does not set the end of a log back",
    file: "src/worker/partition/lag.ts",
    find: "Math.max(high, this.#high ?? 0)",
    replace: "high",
    tests: ["tests/worker/partition/lag_test.ts"],
  },
  {
    what: "metrics: the number of series is bounded",
    file: "src/monitor/job_series.ts",
    find: "isFull ? OTHERS : jobClass",
    replace: "jobClass",
    tests: ["tests/monitor/metrics_test.ts"],
  },
  {
    what: "metrics: an App is counted once",
    file: "src/monitor/metrics.ts",
    find: "if (attached !== undefined) return attached;",
    replace: "",
    tests: ["tests/monitor/metrics_test.ts"],
  },
  {
    what: "metrics: no label breaks out of its line",
    file: "src/monitor/exposition.ts",
    find: '.replace(/[\\\\\\n"]/g, escaped)',
    replace: "",
    tests: ["tests/monitor/exposition_test.ts"],
  },
  {
    what: "log: a circular detail does not end in a stack overflow",
    file: "src/monitor/plain_data.ts",
    find: 'if (this.#ancestors.includes(value)) return "(circular)";',
    replace: "",
    tests: ["tests/monitor/plain_data_test.ts"],
  },
  {
    what: "log: a copy is bounded in the number of its values",
    file: "src/monitor/plain_data.ts",
    find: 'if (this.#values-- <= 0) return "(too many values)";',
    replace: "",
    tests: ["tests/monitor/plain_data_test.ts"],
  },
  {
    what: "log: a copy is bounded in the length of all its strings",
    file: "src/monitor/plain_data.ts",
    find: "this.#text -= cut.length;",
    replace: "",
    tests: ["tests/monitor/plain_data_test.ts"],
  },
  {
    what: "log: a getter that throws loses one detail, not the others",
    file: "src/monitor/plain_data.ts",
    find: "return this.value(value[name as never], depth);\n    } catch (error) {",
    replace: "return this.value(value[name as never], depth);\n    } catch (error) {\n      throw error;",
    tests: ["tests/monitor/plain_data_test.ts"],
  },
  {
    what: "log: a large offset is not rounded",
    file: "src/monitor/log_format.ts",
    find: "Number.isInteger(value) ? value : ",
    replace: "",
    tests: ["tests/monitor/logger_test.ts"],
  },
];
