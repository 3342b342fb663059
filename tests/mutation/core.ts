/** The guards of jobs, dispatch, events and tracing. */
import type { Mutant } from "../../tasks/mutation/mutant.ts";

/** The guards between the enqueuing call and the log. */
const JOBS: readonly Mutant[] = [
  {
    what: "code that is loaded within a request does not keep its scope",
    file: "src/support/root_context.ts",
    find: "runInRootContext(() => load().then(resolve, reject))",
    replace: "load().then(resolve, reject)",
    tests: ["tests/support/lazy_import_test.ts"],
  },
  {
    what: "buffer: it is bounded in bytes",
    file: "src/dispatch/send_buffer.ts",
    find: "this.#bytes + bytes <= this.#maxBytes",
    replace: "true",
    tests: ["tests/dispatch/send_buffer_test.ts"],
  },
  {
    what: "buffer: a new caller does not overtake the waiting ones",
    file: "src/dispatch/send_buffer.ts",
    find: "this.#waiters.size > 0 || ",
    replace: "",
    tests: ["tests/dispatch/send_buffer_test.ts"],
  },
  {
    what: "topic sender: one batch is in flight, which keeps the order",
    file: "src/dispatch/topic_sender.ts",
    find: "if (this.#isBusy) return;",
    replace: "",
    tests: ["tests/dispatch/topic_sender_test.ts"],
  },
  {
    what: "topic sender: a record does not wait for the outcomes of others of its batch",
    file: "src/dispatch/topic_sender.ts",
    find: "if (outcome.ok) settle(batch, index, outcome);",
    replace: "if (outcome.ok) return;",
    tests: ["tests/dispatch/topic_sender_test.ts"],
    only: "as soon as the broker reports",
  },
  {
    what: "topic sender: a record is settled once",
    file: "src/dispatch/topic_sender.ts",
    find: "  batch[index] = null;",
    replace: "",
    tests: ["tests/dispatch/topic_sender_test.ts"],
    only: "as soon as the broker reports",
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
    find: "scope.set(other, Object.assign(emptyValues(), set))",
    replace: "scope.set(other, set)",
    tests: ["tests/job/current_attributes_test.ts"],
  },
  {
    what: "attributes: a name that the class does not declare is not set",
    file: "src/job/current_attributes.ts",
    find: "if (declaration.names.has(name)) own[name] = value;",
    replace: "own[name] = value;",
    tests: ["tests/job/rails_attributes_test.ts"],
  },
  {
    what: "runtime: a class that was loaded twice gets another error than a class that no App lists",
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
    what: "registry: a class is listed once",
    file: "src/job/registry.ts",
    find: "if (this.classes.size < classes.length) {",
    replace: "if (false) {",
    tests: ["tests/job/registry_test.ts"],
  },
];

/** The guards of the event stream. */
const EVENTS: readonly Mutant[] = [
  {
    what: "events: a listener of errors that throws does not get its own error",
    file: "src/monitor/monitor.ts",
    find: 'if (name === "error.occurred") return;',
    replace: "",
    tests: ["tests/monitor/monitor_test.ts"],
  },
  {
    what: "logger: an error in details is bounded, whatever its own properties are",
    file: "src/monitor/plain_data.ts",
    find: "      if (Object.hasOwn(onto, name)) continue;\n",
    replace: "",
    tests: ["tests/monitor/plain_data_test.ts"],
  },
  {
    what: "logger: an async write function that rejects does not end the process",
    file: "src/monitor/logger.ts",
    find: "    if (returned instanceof Promise) returned.catch(() => {});\n",
    replace: "",
    tests: ["tests/monitor/logger_test.ts"],
  },
  {
    what: "logger: control characters are escaped",
    file: "src/monitor/log_format.ts",
    find: ".map((line) => `${escapeText(line)}\\n`)",
    replace: ".map((line) => `${line}\\n`)",
    tests: ["tests/monitor/logger_test.ts"],
  },
];

/** The guards of tracing. */
const TRACING: readonly Mutant[] = [
  {
    what: "tracing: a traceparent whose ids are zeros is refused",
    file: "src/monitor/trace_headers.ts",
    find: "(?!0{16})",
    replace: "",
    tests: ["tests/monitor/trace_headers_test.ts", "tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a send span ends if the buffer has no space",
    file: "src/dispatch/dispatcher.ts",
    find: "span?.fail(cause);",
    replace: "",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a delayed job without a topic to wait in has no send span",
    file: "src/dispatch/job_preparer.ts",
    find: "if (dueAtMs !== null) scheduled!.assertReady();",
    replace: "",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: an object under the symbol that is incomplete is not used",
    file: "src/monitor/open_telemetry.ts",
    find: "return isComplete(api) ? api : undefined;",
    replace: "return api as OpenTelemetry;",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a job is performed despite a fault of OpenTelemetry",
    file: "src/monitor/job_span.ts",
    find: "return fn();\n  } catch (error) {",
    replace: "return fn();\n  } catch (error) {\n    throw error;",
    tests: ["tests/monitor/tracing_test.ts"],
  },
  {
    what: "tracing: a job that OpenTelemetry has started is not started a second time",
    file: "src/monitor/job_span.ts",
    find: "    outcome ??= outcomeOf(fn);",
    replace: "    outcome = outcomeOf(fn);",
    tests: ["tests/monitor/tracing_test.ts"],
  },
];

/** All guards. */
export const CORE_MUTANTS: readonly Mutant[] = [...JOBS, ...EVENTS, ...TRACING];
