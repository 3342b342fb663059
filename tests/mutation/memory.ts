/** The guards of the memory broker. */
import type { Mutant } from "../../tasks/mutants.ts";

/** Those that keep a group from reading or committing what is not its own. */
export const MEMORY_MUTANTS: readonly Mutant[] = [
  {
    what: "memory: an ownership goes on only if nobody else committed",
    file: "src/broker/memory/group.ts",
    find: "ownership.known === this.committed(ownership)",
    replace: "true",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "memory: a commit never moves the group back",
    file: "src/broker/memory/group.ts",
    find: "mark.next < before.offset",
    replace: "false",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "memory: commits are refused while partitions may move",
    file: "src/broker/memory/group.ts",
    find: 'this.#state === "releasing" ? "refused" :',
    replace: "",
    tests: ["tests/broker/memory/faults_test.ts"],
  },
  {
    what: "memory: a commit for the old log is not written into the new one",
    file: "src/broker/memory/group.ts",
    find: 'if (current !== ownership.source) return "ended";',
    replace: "",
    tests: ["tests/broker/memory/faults_test.ts"],
  },
  {
    what: "memory: a paused partition gets nothing",
    file: "src/broker/memory/consumer.ts",
    find: "if (ownership.paused) continue;",
    replace: "",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
];
