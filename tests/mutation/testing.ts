/** The guards of the test kit. */
import type { Mutant } from "../../tasks/mutants.ts";

/** Those that keep a test from passing, or repeating, for a wrong reason. */
export const TESTING_MUTANTS: readonly Mutant[] = [
  {
    what: "testing: the group's offset never passes a job that was held back",
    file: "src/testing/test_consumer.ts",
    find: "Math.min(mark.next, heldBack, unmarked?.offset ?? Infinity)",
    replace: "Math.min(mark.next, unmarked?.offset ?? Infinity)",
    tests: ["tests/testing/perform_test.ts"],
  },
  {
    what: "testing: a job whose mark was lost is not done",
    file: "src/testing/test_consumer.ts",
    find: "Math.min(next, unmarked",
    replace: "Math.min(next, (null as typeof unmarked)",
    tests: ["tests/testing/faults_test.ts"],
  },
  {
    what: "testing: a job that ends at once is revoked as well",
    file: "src/testing/test_consumer.ts",
    find: "this.#doubtful.size > 0 ? 0 :",
    replace: "",
    tests: ["tests/testing/faults_test.ts"],
  },
  {
    what: "testing: what is done is not performed again beside what was held back",
    file: "src/testing/test_consumer.ts",
    find: "entry === undefined || entry.done",
    replace: "entry === undefined",
    tests: ["tests/testing/perform_test.ts"],
  },
  {
    what: "testing: the last job of a run is performed again if its mark was lost",
    file: "src/testing/performer.ts",
    find: "while (failure === undefined && chosen.some",
    replace: "if (failure === undefined && chosen.some",
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
    find: "failure ??= error();",
    replace: "const later = error();\n      failure ??= later;",
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
    what: "testing: an App that cannot be made leaves its classes alone",
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
];
