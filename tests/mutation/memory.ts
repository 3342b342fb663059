/** The guards of the memory broker. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

/** The guards that keep a group from reading or committing partitions that it does not own. */
export const MEMORY_MUTANTS: readonly Mutant[] = [
  {
    what: "memory: an ownership continues only if no other member committed",
    file: "src/broker/memory/group.ts",
    find: "ownership.known === this.committed(ownership)",
    replace: "true",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "memory: a tombstone stays until each live owner has received it",
    file: "src/broker/memory/compaction.ts",
    find: "Math.min(...",
    replace: "Math.max(...",
    tests: ["tests/broker/memory/conformance_test.ts"],
    only: "until each live owner has received it",
  },
  {
    what: "memory: without an owner a tombstone stays for an hour",
    file: "src/broker/memory/compaction.ts",
    find: "first.timestampMs >= beforeMs :",
    replace: "false :",
    tests: ["tests/broker/memory/conformance_test.ts"],
    only: "for an hour",
  },
  {
    what: "memory: a superseded tombstone does not remove its successor",
    file: "src/broker/memory/compaction.ts",
    find: "if (this.#offsets.get(key) !== first.offset) continue;",
    replace: "",
    tests: ["tests/broker/memory/compaction_test.ts"],
  },
  {
    what: "memory: bytes that are not UTF-8 are the key of no text",
    file: "src/broker/memory/compaction.ts",
    find: '"\\ud800" +',
    replace: '"" +',
    tests: ["tests/broker/memory/compaction_test.ts"],
  },
  {
    what: "memory: tombstones are removed a few at a time",
    file: "src/broker/memory/compaction.ts",
    find: "count < MAX_AT_ONCE",
    replace: "count >= 0",
    tests: ["tests/broker/memory/compaction_test.ts"],
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
    tests: ["tests/broker/memory/group_test.ts"],
  },
  {
    what: "memory: a paused partition gets no records",
    file: "src/broker/memory/consumer.ts",
    find: "if (ownership.isPaused) continue;",
    replace: "",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
  {
    what: "memory: records without a key start at any partition",
    file: "src/broker/memory/log.ts",
    find: "Math.floor(Math.random() * partitions)",
    replace: "0",
    tests: ["tests/broker/memory/log_test.ts"],
  },
  {
    what: "memory: all losses of a rebalance are reported before any gain",
    file: "src/broker/memory/group.ts",
    find:
      "    for (const [member, ended] of losses) this.reportLost(member, ended);\n    for (const member of members) this.#startOwnerships(member, plan.get(member.id)!);",
    replace:
      "    for (const [member, ended] of losses) {\n      this.#startOwnerships(member, plan.get(member.id)!);\n      this.reportLost(member, ended);\n    }",
    tests: ["tests/broker/memory/conformance_test.ts"],
  },
];
