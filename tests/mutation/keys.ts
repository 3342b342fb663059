/** The guards of keys side by side. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const QUEUE = "src/worker/partition/record_queue.ts";
const TRACKER = "src/worker/partition/offset_tracker.ts";
const RUNNER = "src/worker/partition/runner.ts";
const BEHAVIOURS = "tests/behaviours/keys_test.ts";

/** See the module. */
export const KEYS_MUTANTS: readonly Mutant[] = [
  {
    what: "keys: a record waits for the one before it with its key",
    file: QUEUE,
    find: "last.behind = record;\n        return;",
    replace: "last.behind = record;",
    tests: [BEHAVIOURS],
    only: "P3",
  },
  {
    what: "keys: a finished record lets the next of its key go on",
    file: QUEUE,
    find: "if (behind !== null) this.#makeReady(behind);",
    replace: "if (behind !== null) this.#lanes.size;",
    tests: ["tests/worker/partition/record_queue_test.ts"],
  },
  {
    what: "keys: nothing is kept of a key whose records are finished",
    file: QUEUE,
    find: "if (lane !== null) this.#lanes.delete(lane);",
    replace: "",
    tests: ["tests/worker/partition/record_queue_test.ts"],
    only: "keeps nothing of a key",
  },
  {
    what: "keys: a finished record that is tracked holds no value",
    file: "src/worker/partition/queued_record.ts",
    find: "  record.value = null;\n",
    replace: "",
    tests: ["tests/worker/partition/queued_record_test.ts"],
  },
  {
    what: "keys: a record starts only if the commit has space for its end",
    file: TRACKER,
    find: "record === this.#records.first || record.placeEnd - this.#frontPlaceEnd <= capacity",
    replace: "true",
    tests: ["tests/worker/partition/partition_test.ts"],
    only: "space for its end",
  },
  {
    what: "keys: the record at the front can always start",
    file: TRACKER,
    find: "record === this.#records.first || ",
    replace: "",
    tests: ["tests/worker/partition/offset_tracker_test.ts"],
  },
  {
    what: "keys: offsets without a record take space in the commit",
    file: TRACKER,
    find: "1 + placeOf(gap) + placeOf(record.next - record.offset - 1)",
    replace: "1",
    tests: ["tests/worker/partition/offset_tracker_test.ts"],
  },
  {
    what: "keys: what was kept back by the window starts once it has moved",
    file: QUEUE,
    find: "if (this.#beyond.length > 0) this.#moveWindow();",
    replace: "",
    tests: ["tests/worker/partition/record_queue_test.ts"],
  },
  {
    what: "keys: a record that was ready waits when the space in the commit shrinks",
    file: QUEUE,
    find: "first !== undefined && !this.#options.fits(first); {",
    replace: "false; {",
    tests: ["tests/worker/partition/record_queue_test.ts"],
  },
  {
    what: "keys: maxConcurrency limits a partition",
    file: RUNNER,
    find: " && this.#attempts.size < this.#options.route.maxConcurrency",
    replace: "",
    tests: [BEHAVIOURS],
    only: "maxConcurrency",
  },
  {
    what: "keys: one loop starts records at a time",
    file: RUNNER,
    find: "if (!this.#isStarting) this.#isStarting = true;\n      else if",
    replace: "if",
    tests: [BEHAVIOURS],
    only: "P3",
  },
  {
    what: "keys: the loops of a lost partition end",
    file: RUNNER,
    find: "for (const end of this.#idleLoops.splice(0)) end(false);",
    replace: "",
    tests: ["tests/worker/partition/partition_test.ts"],
    only: "a lost partition ends",
  },
  {
    what: "keys: a used up lookahead is reported once",
    file: "src/worker/partition/partition.ts",
    find: "if (this.#isExhausted || !this.#queue.isExhausted",
    replace: "if (!this.#queue.isExhausted",
    tests: ["tests/worker/partition/partition_test.ts"],
    only: "reported once",
  },
  {
    what: "keys: a drain goes on while other keys can run",
    file: "src/worker/drain.ts",
    find: "if (!partition.isStuckBefore(high)) return OPEN;",
    replace: "",
    tests: ["tests/worker/drain_test.ts"],
    only: "other keys",
  },
  {
    what: "keys: a skip beyond the front keeps what is finished",
    file: "src/worker/partition/skip_commit.ts",
    find: "finished: [...progress.finished, { from: offset, to: end }]",
    replace: "finished: [{ from: offset, to: end }]",
    tests: ["tests/worker/partition/skip_commit_test.ts"],
  },
  {
    what: "keys: a skip that the commit has no space for is refused",
    file: "src/worker/partition/skip_commit.ts",
    find: "if (isInRanges(offset, finished)) return { offset: front, metadata };",
    replace: "if (finished.length >= 0) return { offset: front, metadata };",
    tests: ["tests/worker/partition/skip_commit_test.ts"],
  },
  {
    what: "keys: a broker that accepts less metadata gets less",
    file: "src/worker/partition/committer.ts",
    find: "if (refused.length === 0) return;",
    replace: "return;",
    tests: ["tests/worker/partition/committer_test.ts"],
    only: "too long",
  },
  {
    what: "keys: a count that has no space is written as a smaller one",
    file: "src/worker/partition/offset_states.ts",
    find:
      "if (text.length <= maxLength) return text;\n  return truncate(encode(states, front, MAX_SHORT_COUNT), maxLength);",
    replace: "return truncate(text, maxLength);",
    tests: ["tests/worker/partition/offset_states_test.ts"],
  },
];
