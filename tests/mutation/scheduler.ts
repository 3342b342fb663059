/** The guards of delayed jobs. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const PARTITION = "src/scheduler/scheduled_partition.ts";
const SCHEDULES = "src/scheduler/partition_schedules.ts";
const READER = "src/scheduler/schedule_reader.ts";
const RELEASES = "src/scheduler/releases.ts";
const REMOVALS = "src/scheduler/removals.ts";
const INDEX = "src/scheduler/schedule_index.ts";
const UNIT = "tests/scheduler/scheduler_test.ts";
const BEHAVIOURS = "tests/behaviours/delays_test.ts";
const TARGETS = "tests/behaviours/delays_targets_test.ts";

/** See the module. */
export const SCHEDULER_MUTANTS: readonly Mutant[] = [
  {
    what: "delays: nothing is released before its time",
    file: "src/scheduler/upcoming.ts",
    find: "if (dueAtMs > nowMs || candidate === null) break;",
    replace: "if (candidate === null) break;",
    tests: [BEHAVIOURS],
    only: "T1: a job with a wait",
  },
  {
    what: "delays: nothing is released before everything was read that was there at the start",
    file: PARTITION,
    find: "if (this.#isReady || this.#readUntil === null || (this.#schedules.live ?? 0) < this.#readUntil) return;",
    replace: "if (this.#isReady) return;",
    tests: [UNIT],
    only: "before everything was read",
  },
  {
    what: "delays: nothing is released without proof of the ownership",
    file: PARTITION,
    find: "return !this.#isStopping && this.#group.startCondition.canCommit(performance.now());",
    replace: "return !this.#isStopping;",
    tests: [UNIT],
    only: "not proved",
  },
  {
    what: "delays: the timer is set for a time that passes while the others are released",
    file: PARTITION,
    find: "this.#setTimers(nowMs, waitMs);",
    replace: "this.#setTimers(this.#context.clock.nowMs(), waitMs);",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "whose due time passes",
  },
  {
    what: "delays: a schedule waits for the tombstone of an earlier one of its job",
    file: SCHEDULES,
    find: "if (this.#index.hasRemovedBefore(offset)) this.#deferred.push(candidate);\n    else this.#releases",
    replace: "this.#releases",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "after the tombstone",
  },
  {
    what: "delays: a due time in a forged record is clamped",
    file: READER,
    find: "if (dueAtMs <= longestMs) return dueAtMs;",
    replace: "if (dueAtMs > 0) return dueAtMs;",
    tests: [TARGETS],
    only: "T8",
  },
  {
    what: "delays: a later schedule of a job supersedes the earlier ones",
    file: READER,
    find: 'else for (const each of earlier) if (!index.isRemoved(each)) this.#remove("superseded", each, jobId);',
    replace: "",
    tests: [BEHAVIOURS],
    only: "T6: a job that is moved",
  },
  {
    what: "delays: a job that replaces a cancelled one is cancelled, too",
    file: READER,
    find: "const isVoid = rewrites !== null && index.isRemoved(rewrites);",
    replace: "const isVoid = false;",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "was cancelled",
  },
  {
    what: "delays: a job of another id whose hash is the same is not removed",
    file: REMOVALS,
    find: "} else if (jobIdOf(key) !== item.jobId) {",
    replace: '} else if (jobIdOf(key) === "") {',
    tests: ["tests/scheduler/removals_test.ts"],
    only: "same hash",
  },
  {
    what: "delays: a schedule that is being released is not removed",
    file: REMOVALS,
    find: ": !isHeld(item.offset);",
    replace: ": true;",
    tests: ["tests/scheduler/removals_test.ts"],
    only: "is held",
  },
  {
    what: "delays: a cancellation gets its tombstone after those of what it cancels",
    file: REMOVALS,
    find: "? !item.cancels.some((offset) => index.isRemoved(offset))",
    replace: "? true",
    tests: ["tests/scheduler/removals_test.ts"],
    only: "after those",
  },
  {
    what: "delays: a target that fails counts once for each pass",
    file: RELEASES,
    find: "failure = found;",
    replace: "target.fail(found.reason, performance.now());\n        failure = found;",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "once a pass",
  },
  {
    what: "delays: a job that its target refuses for good becomes a dead letter",
    file: RELEASES,
    find: "if (!(error instanceof RecordRefusedError)) {",
    replace: "if (error instanceof Error) {",
    tests: [TARGETS],
    only: "T7: jobs that their topic refuses",
  },
  {
    what: "delays: a topic that is not declared gets no jobs",
    file: RELEASES,
    find: "if (this.#options.context.findTarget(topic) === undefined) {",
    replace: 'if (topic === "") {',
    tests: [TARGETS],
    only: "T8",
  },
  {
    what: "delays: there is a limit of releases without a tombstone",
    file: "src/scheduler/release_limit.ts",
    find: "Math.min(wanted, Math.ceil(this.#free / 2))",
    replace: "wanted",
    tests: ["tests/scheduler/release_limit_test.ts"],
  },
  {
    what: "delays: a record that cannot be read yet is not taken for a removed one",
    file: "src/scheduler/fetch_records.ts",
    find: "if (page.next <= offsets[at]!) {",
    replace: "if (page.next <= offsets[at]!) {\n      return;",
    tests: ["tests/scheduler/fetch_records_test.ts"],
  },
  {
    what: "delays: of equal due times the lower offset comes first",
    file: INDEX,
    find: "return dueA < dueB || (dueA === dueB && a < b);",
    replace: "return dueA < dueB;",
    tests: ["tests/scheduler/schedule_index_test.ts"],
  },
  {
    what: "delays: a reader that stood still reads again",
    file: PARTITION,
    find: "if (this.#standstill.hasStoodStill()) return void this.#readAgain();",
    replace: "",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "never seen",
  },
  {
    what: "delays: a reading of the log that is not adopted leaves no timer behind",
    file: PARTITION,
    find: "if (this.#schedules !== schedules) schedules.end();",
    replace: "",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "not adopted",
  },
  {
    what: "delays: a reader that stood still waits for its own releases before it reads again",
    file: PARTITION,
    find: "while (!before.isIdle && !this.#isStopping) await",
    replace: "while (false) await",
    tests: ["tests/scheduler/scheduled_partition_test.ts"],
    only: "own releases",
  },
  {
    what: "delays: either clock shows that a reader stood still",
    file: "src/scheduler/standstill_watch.ts",
    find: "Math.max(nowMs - this.#askedMs, steadyMs - this.#askedSteadyMs)",
    replace: "steadyMs - this.#askedSteadyMs",
    tests: ["tests/scheduler/standstill_watch_test.ts"],
  },
];
