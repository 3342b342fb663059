/** The guards of listing and requeuing dead letters. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const HANDLE = "src/dead_letters/handle.ts";
const LETTER = "src/dead_letters/letter.ts";
const TESTS = ["tests/dead_letters/dead_letters_test.ts"];
const BEHAVIOURS = ["tests/behaviours/operators_test.ts"];

/** See the module. */
export const DEAD_LETTERS_MUTANTS: readonly Mutant[] = [
  {
    what: "dead letters: a second requeue is refused",
    file: HANDLE,
    find: "handled !== null && this.#options.force !== true",
    replace: "false",
    tests: BEHAVIOURS,
    only: "D8",
  },
  {
    what: "dead letters: a forced requeue ignores the marker",
    file: HANDLE,
    find: "handled !== null && this.#options.force !== true",
    replace: "handled !== null",
    tests: BEHAVIOURS,
    only: "D8",
  },
  {
    what: "dead letters: a record goes only to a declared topic",
    file: "src/dead_letters/requeued_record.ts",
    find: "!isDeclared(source.topic)",
    replace: "false",
    tests: BEHAVIOURS,
    only: "bad input 26",
  },
  {
    what: "dead letters: a record without its value is not requeued",
    file: "src/dead_letters/requeued_record.ts",
    find: "if (value === null) return",
    replace: "if (key === undefined) return",
    tests: BEHAVIOURS,
    only: "bad input 26",
  },
  {
    what: "dead letters: a letter is marked only after its record is acknowledged",
    file: HANDLE,
    find: "if (outcome === null || outcome.ok) done.push(position);",
    replace: "if (outcome === null || outcome.error !== null) done.push(position);",
    tests: TESTS,
    only: "an append that fails",
  },
  {
    what: "dead letters: a marker that was not written ends the call",
    file: HANDLE,
    find: "if (!mark.ok) this.#failure",
    replace: "if (mark === null) this.#failure",
    tests: TESTS,
    only: "a marker is written after",
  },
  {
    what: "dead letters: the call ends after its last markers",
    file: HANDLE,
    find: "    } finally {\n      await this.#finishMarking();\n",
    replace: "    } finally {\n",
    tests: TESTS,
    only: "a marker is written after",
  },
  {
    what: "dead letters: a batch is bounded",
    file: HANDLE,
    find: "if (batch.length < MAX_BATCH) continue;",
    replace: "if (batch.length < Infinity) continue;",
    tests: TESTS,
    only: "in batches",
  },
  {
    what: "dead letters: a call that is stopped goes no further",
    file: HANDLE,
    find: "return this.#options.signal?.aborted === true;",
    replace: "return false;",
    tests: TESTS,
    only: "is stopped",
  },
  {
    what: "dead letters: a dry run writes nothing",
    file: HANDLE,
    find: "if (this.#options.dryRun === true) this.#handled += batch.length;\n    else if",
    replace: "if",
    tests: TESTS,
    only: "a dry run",
  },
  {
    what: "dead letters: nothing is requeued where markers are lost",
    file: HANDLE,
    find: "await assertMarkable(admin, topic);",
    replace: "",
    tests: TESTS,
    only: "deletes by age",
  },
  {
    what: "dead letters: markers of another topic are ignored",
    file: "src/dead_letters/marker_topic.ts",
    find: "read?.position.topic !== topic || ",
    replace: "read === null || ",
    tests: TESTS,
    only: "forged ones are ignored",
  },
  {
    what: "dead letters: a count in a header is read strictly",
    file: LETTER,
    find: "/^\\d{1,16}$/.test(digits)",
    replace: "digits !== ''",
    tests: ["tests/dead_letters/letter_test.ts"],
  },
  {
    what: "dead letters: a huge header is cut",
    file: LETTER,
    find: "!.slice(0, maxLength);",
    replace: "!;",
    tests: ["tests/dead_letters/letter_test.ts"],
  },
  {
    what: "dead letters: a large value is not parsed",
    file: LETTER,
    find: "|| isLonger(value, maxPayloadBytes)",
    replace: "",
    tests: ["tests/dead_letters/letter_test.ts"],
  },
  {
    what: "dead letters: a page passes over letters of other partitions that were listed",
    file: "src/dead_letters/list.ts",
    find: "head !== null && compare(head, after) < 0;",
    replace: "head === undefined;",
    tests: TESTS,
    only: "newest first",
  },
];
