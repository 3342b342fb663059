/** The guards of the tasks. */
import type { Mutant } from "../../tasks/mutants.ts";

/** Those that keep a wrong version from being published. */
export const TASKS_MUTANTS: readonly Mutant[] = [
  {
    what: "a version is published only under its own tag",
    file: "tasks/check_tag.ts",
    find: "tag === `v${version}`",
    replace: "true",
    tests: ["tests/tasks/check_tag_test.ts"],
  },
];
