/** The guards of jobs, dispatch and worker. */
import type { Mutant } from "../../tasks/mutants.ts";

/** Those that decide what is performed, marked and committed. */
const WORKER: readonly Mutant[] = [
  {
    what: "worker: a dead letter that cannot be written holds no slot",
    file: "src/worker/partition/runner.ts",
    find: "semaphore.release();\n        waitMs = await settling.track(this.#settle(record, attempt, outcome));",
    replace: "waitMs = await settling.track(this.#settle(record, attempt, outcome));\n        semaphore.release();",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "loading code leaves no request's scope behind",
    file: "src/support/lazy_import.ts",
    find: "runInRootContext(() => load().then(resolve, reject))",
    replace: "load().then(resolve, reject)",
    tests: ["tests/support/lazy_import_test.ts"],
  },
  {
    what: "tracker: only the contiguous front is committed",
    file: "src/worker/partition/offset_tracker.ts",
    find: "first?.finished;",
    replace: "first !== undefined;",
    tests: ["tests/worker/partition/offset_tracker_test.ts"],
  },
  {
    what: "tracker: what an earlier owner finished is told on",
    file: "src/worker/partition/offset_tracker.ts",
    find: "if (to > this.#end) ranges.push",
    replace: "if (false) ranges.push",
    tests: ["tests/worker/partition/offset_tracker_test.ts"],
  },
  {
    what: "worker: what an earlier owner finished is not performed",
    file: "src/worker/partition/partition.ts",
    find: "if (!this.#tracker.wasFinished(record.offset)) return",
    replace: "if (true) return",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "worker: a job is marked only while the partition is certainly ours",
    file: "src/worker/partition/runner.ts",
    find: "this.#live && startCondition.canCommit(nowMs)",
    replace: "this.#live",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "worker: a failure after the partition was lost does not count",
    file: "src/worker/partition/runner.ts",
    find: "if (!await this.#isProved()) {",
    replace: "if (false) {",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "worker: a dead letter is acknowledged before its job is marked",
    file: "src/worker/partition/runner.ts",
    find: "const outcome = await writeDeadLetter(this.#options.route.deadLetterQueue!.topic, letter, append);",
    replace: "void writeDeadLetter(this.#options.route.deadLetterQueue!.topic, letter, append);" +
      "const outcome: any = { ok: true, position: source };",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "worker: a record that had all its attempts is not performed again",
    file: "src/worker/partition/runner.ts",
    find: " && !this.#retryState.isExhausted(record.offset)",
    replace: "",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "worker: jobs do not run in the context of whoever woke the broker",
    file: "src/worker/partition/runner.ts",
    find: "this.#context.inWorkerContext(() => this.#work().catch((error) => this.#context.failed(error)));",
    replace: "this.#work();",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "worker: a lost partition is let go when its job ends",
    file: "src/worker/group_consumer.ts",
    find: ".then(() => this.#leaving.delete(partition));",
    replace: ";",
    tests: ["tests/worker/group_consumer_test.ts"],
  },
  {
    what: "worker: jobs that never wait let the event loop turn",
    file: "src/worker/partition/runner.ts",
    find: "if (eventLoopYield.isDue(nowMs)) nowMs = await eventLoopYield.wait();",
    replace: "",
    tests: ["tests/worker/partition/runner_test.ts"],
  },
  {
    what: "attempts: a job that blocked its own timer for longer than its time has failed",
    file: "src/worker/partition/attempt.ts",
    find: "this.abortReason ?? this.#unnoticed()",
    replace: "this.abortReason",
    tests: ["tests/worker/partition/runner_test.ts"],
  },
  {
    what: "start condition: no job starts when the session may have expired",
    file: "src/worker/partition/start_condition.ts",
    find: "return this.#reasons.size === 0 && nowMs < this.#sessionValidUntilMs();",
    replace: "return this.#reasons.size === 0;",
    tests: ["tests/worker/partition/guards_test.ts", "tests/worker/parts_test.ts"],
  },
  {
    what: "start condition: nothing is proved when the session may have expired",
    file: "src/worker/partition/start_condition.ts",
    find: '!this.#reasons.has("membership") && nowMs < this.#sessionValidUntilMs()',
    replace: '!this.#reasons.has("membership")',
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "slots: first come, first served",
    file: "src/worker/semaphore.ts",
    find: "this.#waiting.shift()",
    replace: "this.#waiting.pop()",
    tests: ["tests/worker/parts_test.ts"],
  },
  {
    what: "intake: what is lost no longer counts",
    file: "src/worker/partition/record_queue.ts",
    find: "    this.#memoryBudget.remove(bytes);\n  }",
    replace: "  }",
    tests: ["tests/worker/parts_test.ts"],
  },
];

/** Those that count failures and carry the counts. */
const FAILURES: readonly Mutant[] = [
  {
    what: "attempts: they go into the commit's metadata",
    file: "src/worker/partition/partition.ts",
    find: "...this.#retryState.progress()",
    replace: "failed: null, strikes: 0",
    tests: ["tests/worker/partition/guards_test.ts"],
  },
  {
    what: "attempts: they are counted on from the commit's metadata",
    file: "src/worker/partition/retry_state.ts",
    find: "attempts: failed?.attempts ?? 0",
    replace: "attempts: 0",
    tests: ["tests/worker/partition/retry_policy_test.ts"],
  },
  {
    what: "attempts: a forged count is none",
    file: "src/worker/partition/commit_metadata.ts",
    find: "/^\\d{1,5}$/.test(text)",
    replace: "true",
    tests: ["tests/worker/partition/commit_metadata_test.ts"],
  },
  {
    what: "metadata: the farthest ranges are dropped where it grows too long",
    file: "src/worker/partition/commit_metadata.ts",
    find: "if (text.length + range.length > maxLength) break;",
    replace: "",
    tests: ["tests/worker/partition/commit_metadata_test.ts"],
  },
  {
    what: "strikes: only a pass at the first attempt ends them",
    file: "src/worker/partition/retry_policy.ts",
    find: "strikes: attempts === 0 ? 0 : strikes",
    replace: "strikes: 0",
    tests: ["tests/worker/partition/retry_policy_test.ts"],
  },
  {
    what: "commits: one is in flight at a time",
    file: "src/worker/partition/committer.ts",
    find: "this.#timer !== undefined || this.#inFlight !== undefined",
    replace: "this.#timer !== undefined",
    tests: ["tests/worker/partition/committer_test.ts"],
  },
  {
    what: "commits: what was refused is sent again",
    file: "src/worker/partition/committer.ts",
    find: 'else if (outcome !== "ended") this.#dirty.add(partition);',
    replace: "",
    tests: ["tests/worker/partition/committer_test.ts"],
  },
  {
    what: "records: nothing of a fetch is kept",
    file: "src/worker/partition/decode.ts",
    find: "new Uint8Array(bytes)",
    replace: "bytes",
    tests: ["tests/worker/partition/decode_test.ts"],
  },
  {
    what: "records: a value that is too long is not read",
    file: "src/worker/partition/decode.ts",
    find: "record.bytes > maxPayloadBytes",
    replace: "false",
    tests: ["tests/worker/partition/decode_test.ts"],
  },
];

/** Those on a job's way into the log. */
const JOBS: readonly Mutant[] = [
  {
    what: "buffer: it is bounded in bytes",
    file: "src/dispatch/send_buffer.ts",
    find: "this.#bytes + bytes <= this.#maxBytes",
    replace: "true",
    tests: ["tests/dispatch/send_buffer_test.ts"],
  },
  {
    what: "buffer: nobody overtakes those who wait",
    file: "src/dispatch/send_buffer.ts",
    find: "this.#waiters.size > 0 || ",
    replace: "",
    tests: ["tests/dispatch/send_buffer_test.ts"],
  },
  {
    what: "lane: one batch is in flight, which keeps the order",
    file: "src/dispatch/topic_sender.ts",
    find: "if (this.#isBusy) return;",
    replace: "",
    tests: ["tests/dispatch/topic_sender_test.ts"],
  },
  {
    what: "dispatcher: produceSync waits for the acknowledgement",
    file: "src/dispatch/dispatcher.ts",
    find: "if (prepared.awaitsAck) await job.delivered();",
    replace: "",
    tests: ["tests/dispatch/dispatcher_test.ts"],
  },
  {
    what: "attributes: a nested scope changes nothing outside",
    file: "src/job/current_attributes.ts",
    find: "scope.set(other, Object.assign(noValues(), set))",
    replace: "scope.set(other, set)",
    tests: ["tests/job/current_attributes_test.ts"],
  },
  {
    what: "attributes: only what the envelope itself has is set",
    file: "src/job/current_attributes.ts",
    find: "data !== null && Object.hasOwn(data, name)",
    replace: "data !== null",
    tests: ["tests/job/current_attributes_test.ts"],
  },
  {
    what: "runtime: a class that was loaded twice is told from one that nobody lists",
    file: "src/job/runtime.ts",
    find: "if (jobNameOf(other) === jobName) {",
    replace: "if (false) {",
    tests: ["tests/job/runtime_test.ts"],
  },
  {
    what: "runtime: a class of another copy of the library finds its App",
    file: "src/job/shared.ts",
    find: "return everywhere[key] ??= make();",
    replace: "return (everywhere, key, make());",
    tests: ["tests/job/runtime_test.ts"],
  },
  {
    what: "registry: a class stands in the list once",
    file: "src/job/registry.ts",
    find: "if (this.classes.size < classes.length) {",
    replace: "if (false) {",
    tests: ["tests/job/registry_test.ts"],
  },
];

/** Those of the event stream. */
const EVENTS: readonly Mutant[] = [
  {
    what: "events: a listener of errors that throws is not told of itself",
    file: "src/monitor/monitor.ts",
    find: 'if (name === "error.occurred") return;',
    replace: "",
    tests: ["tests/monitor/monitor_test.ts"],
  },
  {
    what: "logger: control characters are escaped",
    file: "src/monitor/log_format.ts",
    find: "return text.replace(CONTROLS,",
    replace: "return text.replace(/never/g,",
    tests: ["tests/monitor/logger_test.ts"],
  },
];

/** Those of tracing. */
const TRACING: readonly Mutant[] = [
  {
    what: "tracing: a traceparent whose ids are zeros is refused",
    file: "src/monitor/traceparent.ts",
    find: "(?!0{16})",
    replace: "",
    tests: ["tests/monitor/traceparent_test.ts", "tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a job is not under what was active where its worker was made",
    file: "src/monitor/tracing.ts",
    find: ".deleteValue(SPAN)",
    replace: "",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a send span ends where there is no room",
    file: "src/dispatch/dispatcher.ts",
    find: "span?.fail(cause);",
    replace: "",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: what stands under the symbol is used only if it is whole",
    file: "src/monitor/open_telemetry.ts",
    find: "return isComplete(api) ? api : undefined;",
    replace: "return api as OpenTelemetry;",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a fault of OpenTelemetry harms no job",
    file: "src/monitor/job_span.ts",
    find: "return fn();\n  } catch (error) {",
    replace: "return fn();\n  } catch (error) {\n    throw error;",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a job that OpenTelemetry has begun is not performed again beside it",
    file: "src/monitor/job_span.ts",
    find: "    outcome ??= outcomeOf(fn);",
    replace: "    outcome = outcomeOf(fn);",
    tests: ["tests/monitor/tracing_test.ts"],
  },
];

/** All of them. */
export const CORE_MUTANTS: readonly Mutant[] = [...WORKER, ...FAILURES, ...JOBS, ...EVENTS, ...TRACING];
