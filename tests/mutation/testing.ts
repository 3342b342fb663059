/** The guards of the test kit. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

/** The guards that keep a test from passing, or repeating jobs, for a wrong reason. */
export const TESTING_MUTANTS: readonly Mutant[] = [
  {
    what: "testing: the group's offset never passes a job that was held back",
    file: "src/testing/test_consumer.ts",
    find: "Math.min(mark.next, heldBack, ...",
    replace: "Math.min(mark.next, ...",
    tests: ["tests/testing/perform_test.ts"],
  },
  {
    what: "testing: a job whose mark was lost is not finished",
    file: "src/testing/test_consumer.ts",
    find: "if (lostMarks.some((job) => job.offset === offset)) continue;",
    replace: "",
    tests: ["tests/testing/faults_test.ts"],
  },
  {
    what: "testing: a job that ends at once is revoked as well",
    file: "src/testing/test_consumer.ts",
    find: "this.#revoked.size > 0 ? 0 :",
    replace: "",
    tests: ["tests/testing/faults_test.ts"],
  },
  {
    what: "testing: a finished job is not performed again beside what was held back",
    file: "src/testing/test_consumer.ts",
    find: "recorded === undefined || recorded.isFinished",
    replace: "recorded === undefined",
    tests: ["tests/testing/perform_test.ts"],
  },
  {
    what: "testing: the last job of a run is performed again if its mark was lost",
    file: "src/testing/performer.ts",
    find: "while (failure === undefined && selected.some",
    replace: "if (failure === undefined && selected.some",
    tests: ["tests/testing/faults_test.ts"],
  },
  {
    what: "testing: a job that fails is thrown at its first failure",
    file: "src/testing/performer.ts",
    find: "if (!retries) fail(event, event.attempt, event.error);",
    replace: "",
    tests: ["tests/testing/perform_test.ts"],
  },
  {
    what: "testing: the failure that is thrown keeps its note when another job throws the same error",
    file: "src/testing/performer.ts",
    find: "if (isFirst()) this.fail(toTestError",
    replace: "this.fail(toTestError",
    tests: ["tests/testing/perform_test.ts"],
  },
  {
    what: "testing: a class that the App does not list is refused",
    file: "src/testing/selection.ts",
    find: "if (jobs.has(Class)) return",
    replace: "if (true) return",
    tests: ["tests/testing/assertions_test.ts"],
  },
  {
    what: "testing: an App that cannot be made keeps no classes",
    file: "src/testing/test_app.ts",
    find: "      this.#unbind();\n      throw error;",
    replace: "      throw error;",
    tests: ["tests/testing/test_app_test.ts"],
  },
  {
    what: "testing: a block's assertion looks only at what the block did",
    file: "src/testing/job_assertions.ts",
    find: "const since = this.#context.recorder.now();",
    replace: "const since = 0;",
    tests: ["tests/testing/assertions_test.ts"],
  },
  {
    what: "testing: a worker that is loaded under faked timers has the real ones",
    file: "src/support/timers.ts",
    find: "return readSetTimeout()(callback, ms);",
    replace: "return globalThis.setTimeout(callback, ms);",
    tests: ["tests/testing/fake_timers_test.ts"],
  },
  {
    what: "testing: an error that cannot be read fails the test nevertheless",
    file: "src/testing/job_error.ts",
    find: "  } catch {\n    // A getter or a proxy threw.\n  }",
    replace: "  } finally {}",
    tests: ["tests/testing/job_error_test.ts"],
  },
  {
    what: "testing: a value that cannot be inspected fails the test nevertheless",
    file: "src/testing/job_error.ts",
    find: '  } catch {\n    return "a value that cannot be read";\n  }',
    replace: "  } finally {}",
    tests: ["tests/testing/job_error_test.ts"],
  },
  {
    what: "testing: a fault whose function throws undefined ends the run",
    file: "src/testing/performer.ts",
    find: "failure ??= { error };",
    replace: "failure ??= error === undefined ? undefined : { error };",
    tests: ["tests/testing/job_error_test.ts"],
  },
];
