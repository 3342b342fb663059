/** The guards of the tasks: a run that says "passed" has run what it must. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

/** See the module. */
export const TASKS_MUTANTS: readonly Mutant[] = [
  {
    what: "tasks: a version is published only under its own tag",
    file: "tasks/check_tag.ts",
    find: "tag === `v${version}`",
    replace: "true",
    tests: ["tests/tasks/check_tag_test.ts"],
  },
  {
    what: "tasks: a required Kafka that is missing is a failure",
    file: "tasks/test.ts",
    find: "const isRequired = required.has(part);",
    replace: "const isRequired = false;",
    tests: ["tests/tasks/test_test.ts"],
    only: "if it is required",
  },
  {
    what: "tasks: a run without any test is a failure",
    file: "tasks/test/report.ts",
    find: "&& this.#counts.passed > 0",
    replace: "",
    tests: ["tests/tasks/test_test.ts"],
    only: "if nothing is executed",
  },
  {
    what: "tasks: a test process that fails without a failed test counts as one",
    file: "tasks/test/runner.ts",
    find: "code !== 0 && failed === 0 ? 1 : failed",
    replace: "failed",
    tests: ["tests/tasks/test/runner_test.ts"],
  },
  {
    what: "tasks: an unknown word after --require is an error",
    file: "tasks/requirements.ts",
    find: "if (part === undefined) {",
    replace: "if (false) {",
    tests: ["tests/tasks/requirements_test.ts"],
  },
  {
    what: "tasks: a promised behaviour without a test is a problem",
    file: "tasks/behaviours.ts",
    find: ".filter((id) => !shown.has(id))",
    replace: ".filter(() => false)",
    tests: ["tests/tasks/behaviours_test.ts"],
  },
  {
    what: "tasks: a mutant whose text is not unique is a problem",
    file: "tasks/mutation/mutant.ts",
    find: "if (found === 1) return [];",
    replace: "if (found > 0) return [];",
    tests: ["tests/tasks/mutation_test.ts"],
    only: "not unique",
  },
  {
    what: "tasks: a required Ruby that is missing is a failure",
    file: "tasks/test.ts",
    find:
      "if (isRequired) report.failed(text);\n    else console.log(text);\n    return;\n  }\n  const hasRun = report.results.some(({ run, passed, failed }) => needsIt",
    replace:
      "console.log(text);\n    return;\n  }\n  const hasRun = report.results.some(({ run, passed, failed }) => needsIt",
    tests: ["tests/tasks/test_test.ts"],
    only: "without a Ruby if it is required",
  },
];
