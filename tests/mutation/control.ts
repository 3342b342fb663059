/** The guards of an operator's orders and of limits. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

const STATE = "tests/control/state_test.ts";
const FOLLOW = "tests/control/worker_control_test.ts";
const ORDERS = "tests/worker/partition/orders_test.ts";
const LIMITS = "tests/worker/limits/limits_test.ts";
const GATE = "tests/worker/limits/gate_test.ts";
const LIMIT = "tests/worker/limits/limit_test.ts";
const BUCKET = "tests/worker/limits/bucket_test.ts";

/** See the module. */
export const CONTROL_MUTANTS: readonly Mutant[] = [
  {
    what: "control: an order about an unknown topic is ignored",
    file: "src/control/state.ts",
    find: "if (!this.#isKnown(topic)) return;",
    replace: "",
    tests: [STATE],
  },
  {
    what: "control: an older pause does not replace a newer one",
    file: "src/control/state.ts",
    find: "known === undefined || pause.atMs >= known.pause.atMs",
    replace: "true",
    tests: [STATE],
  },
  {
    what: "control: a cancellation expires",
    file: "src/control/state.ts",
    find: "cancellation !== undefined && nowMs < cancellation.expiresAtMs",
    replace: "cancellation !== undefined",
    tests: [STATE],
  },
  {
    what: "control: a job that is cancelled by the end of its callbacks is not performed",
    file: "src/worker/partition/attempt.ts",
    find: "if (this.#cancellation !== undefined) throw this.abortReason;",
    replace: "",
    tests: [ORDERS],
    only: "in beforePerform",
  },
  {
    what: "control: an outage of the control topic is reported once",
    file: "src/control/worker_control.ts",
    find: "!this.#ended.signal.aborted && !this.#hasFailed",
    replace: "!this.#ended.signal.aborted",
    tests: [FOLLOW],
    only: "once for each outage",
  },
  {
    what: "control: after a standstill the orders are read from the start of the topic",
    file: "src/control/worker_control.ts",
    find: "from: isStale ? 0 : this.#position",
    replace: "from: this.#position",
    tests: [FOLLOW],
    only: "after a standstill",
  },
  {
    what: "control: an order from the future is forged",
    file: "src/control/record.ts",
    find: "if (atMs - nowMs > MAX_AHEAD_MS) return null;",
    replace: "",
    tests: [STATE, "tests/control/record_test.ts"],
  },
  {
    what: "control: cancellations are limited by their characters",
    file: "src/support/limited_map.ts",
    find: " || this.#weight > weight",
    replace: "",
    tests: [STATE],
  },
  {
    what: "control: a cancellation that has ended does not count",
    file: "src/support/limited_map.ts",
    find: "if (this.#entries.delete(key)) this.#weight -= this.#weigh(key, value!);",
    replace: "this.#entries.delete(key);",
    tests: [STATE],
  },
  {
    what: "control: the number of paused partitions has a limit",
    file: "src/control/state.ts",
    find: "this.#pausedPartitions = new LimitedMap({ entries: partitions });",
    replace: "this.#pausedPartitions = new LimitedMap({ entries: Infinity });",
    tests: [STATE],
  },
  {
    what: "control: the number of users who have resumed has a limit",
    file: "src/control/state.ts",
    find: "this.#resumedBy = new LimitedMap({ entries: partitions });",
    replace: "this.#resumedBy = new LimitedMap({ entries: Infinity });",
    tests: [STATE],
  },
  {
    what: "limits: a function that fails is reported once",
    file: "src/worker/limits/limit.ts",
    find: "if (!this.#hasFailed) monitor",
    replace: "monitor",
    tests: [LIMITS],
    only: "reported once",
  },
  {
    what: "limits: idle buckets are forgotten",
    file: "src/worker/limits/limit.ts",
    find: "else if (next.value[1].isIdle(nowMs)) this",
    replace: "else if (nowMs < 0) this",
    tests: [LIMIT],
    only: "buckets are forgotten",
  },
  {
    what: "limits: a clock that is set back does not hold up the jobs",
    file: "src/worker/limits/bucket.ts",
    find: "if (nowMs < this.#lastMs) this.#setBack(nowMs);",
    replace: "",
    tests: [BUCKET],
    only: "set back",
  },
  {
    what: "limits: a held job that does not run passes its turn on",
    file: "src/worker/partition/runner.ts",
    find: "if (!isRun) this.#gate?.drop(record);",
    replace: "",
    tests: [LIMITS],
    only: "takes no turn of the jobs behind it",
  },
  {
    what: "limits: a held job that starts late sets the timer for the others",
    file: "src/worker/limits/gate.ts",
    find: "if (bucket.isHolding) this.#callAt(bucket.nextSpaceMs());",
    replace: "",
    tests: [GATE],
    only: "starts late",
  },
  {
    what: "limits: a partition without a slot keeps no turn",
    file: "src/worker/limits/bucket.ts",
    find: "record.isWoken || record.hasSlot()",
    replace: "true",
    tests: [GATE],
    only: "keeps no turn",
  },
  {
    what: "limits: a job that the commit keeps back passes its turn on",
    file: "src/worker/partition/record_queue.ts",
    find: "this.#options.onKeptBack(first);",
    replace: "",
    tests: ["tests/worker/limits/turns_test.ts"],
  },
  {
    what: "limits: a value whose jobs count in a shared bucket stays there",
    file: "src/worker/limits/limit.ts",
    find: "if (!shared.isIdle(nowMs)) return shared;",
    replace: "",
    tests: [LIMIT],
    only: "of 100,000 values",
  },
  {
    what: "control: a list of what is paused reads no cancellation",
    file: "src/control/state.ts",
    find: "if (!this.#knowsJobs && isAboutJob(record)) return;",
    replace: "",
    tests: [STATE],
    only: "is to know no cancellation",
  },
  {
    what: "control: a topic that was missing is read from its start",
    file: "src/control/worker_control.ts",
    find: "this.#wasMissing ||= error instanceof UnknownTopicError;",
    replace: "",
    tests: ["tests/control/worker_control_test.ts"],
    only: "as many records again",
  },
  {
    what: "control: a delayed job that is cancelled has the operator's name and reason in its event",
    file: "src/scheduler/schedule_reader.ts",
    find: 'this.#remove("cancelled", each, jobId, order);',
    replace: 'this.#remove("cancelled", each, jobId);',
    tests: ["tests/behaviours/control_test.ts"],
    only: "O3",
  },
];
