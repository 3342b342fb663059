/** The reporter of one worker, over a broker whose outcomes the test decides. */
import { assert, assertEquals } from "@std/assert";
import type { EventMap, WorkerStatus } from "@activejob/kafka";
import type { AppendOutcome, NewRecord } from "../../src/broker/broker.ts";
import { UnknownTopicError } from "../../src/errors.ts";
import { Monitor } from "../../src/monitor/monitor.ts";
import { Reporter, type ReporterOptions } from "../../src/reports/reporter.ts";
import { SYSTEM_CLOCK } from "../../src/support/clock.ts";
import { durationMs, until } from "../support/until.ts";

const OK: AppendOutcome = { ok: true, position: { topic: "shop_workers", partition: 0, offset: 0 } };
const MISSING: AppendOutcome = { ok: false, error: new UnknownTopicError("no topic"), written: "no" };

/** A reporter; the broker's outcomes are the test's, and each record is shown as its state, or `"end"`. */
function setUp(options: Partial<ReporterOptions> = {}) {
  const test = {
    state: "running" as WorkerStatus["state"],
    failure: null as WorkerStatus["failure"],
    appended: [] as string[],
    inFlight: 0,
    mostInFlight: 0,
    append: (): Promise<AppendOutcome> => Promise.resolve(OK),
  };
  const monitor = new Monitor();
  const failures: EventMap["report.failed"][] = [];
  monitor.on("report.failed", (event) => failures.push(event));
  const reporter = new Reporter({
    broker: {
      async append(topic: string, [record]: readonly NewRecord[]) {
        assertEquals(topic, "shop_workers");
        test.appended.push(record!.value === null ? "end" : JSON.parse(record!.value as string).status.state);
        test.mostInFlight = Math.max(test.mostInFlight, ++test.inFlight);
        try {
          return [await test.append()];
        } finally {
          test.inFlight--;
        }
      },
    },
    topic: "shop_workers",
    status: () => ({ state: test.state, failure: test.failure, concurrency: 1, groups: [], scheduler: null }),
    monitor,
    clock: SYSTEM_CLOCK,
    intervalMs: 60_000,
    ...options,
  });
  const waitFor = (count: number) =>
    until(() => test.appended.length >= count, () => `${count} reports, but there were ${test.appended.length}`);
  return { ...{ test, reporter, monitor, failures, waitFor } };
}

Deno.test("a worker reports at its start, at each interval, and ends with a tombstone", async () => {
  const { test, reporter, failures, waitFor } = setUp({ intervalMs: 1 });
  assertEquals(test.appended, ["running"]);
  await waitFor(4);
  await reporter.close();
  const count = test.appended.length;
  assertEquals([test.appended.at(-1), test.appended.indexOf("end")], ["end", count - 1]);
  reporter.report();
  await reporter.close();
  assertEquals([test.appended.length, failures.length], [count, 0]);
});

Deno.test("a change of state is reported at once, and one that comes while a report is in flight right after it", async () => {
  const { test, reporter, waitFor } = setUp();
  const first = Promise.withResolvers<AppendOutcome>();
  await until(() => test.inFlight === 0, () => "the first report to be written");
  test.append = () => first.promise;
  reporter.report();
  for (const state of ["quiet", "stopping"] as const) {
    test.state = state;
    reporter.report();
  }
  assertEquals(test.appended, ["running", "running"]);
  test.append = () => Promise.resolve(OK);
  first.resolve(OK);
  await waitFor(3);
  await reporter.close();
  assertEquals([test.appended, test.mostInFlight], [["running", "running", "stopping", "end"], 1]);
});

Deno.test("a broker that is silent holds one report, and the end of a worker for no longer than its deadline", async () => {
  const { test, reporter, failures, waitFor } = setUp({ intervalMs: 1, closeMs: 20 });
  await waitFor(2);
  test.append = () => new Promise(() => {});
  await until(() => test.inFlight === 1, () => "a report in flight");
  const before = test.appended.length;
  for (let n = 0; n < 5; n++) {
    reporter.report();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assertEquals([test.appended.length - before, test.mostInFlight], [0, 1]);
  assert(await durationMs(() => reporter.close()) < 5000);
  assertEquals([test.appended.includes("end"), failures.length], [false, 0]);
});

Deno.test("a missing topic is an event once, then the next interval tries in silence, and again after a success", async () => {
  const { test, reporter, failures, waitFor } = setUp({ intervalMs: 1 });
  test.append = () => Promise.resolve(MISSING);
  await waitFor(5);
  assertEquals(failures.map(({ topic, error }) => `${topic}: ${error.errorClass}`), [
    "shop_workers: UnknownTopicError",
  ]);
  test.append = () => Promise.resolve(OK);
  await waitFor(test.appended.length + 3);
  test.append = () => Promise.resolve(MISSING);
  await waitFor(test.appended.length + 3);
  assertEquals(failures.length, 2);
  await reporter.close();
});

Deno.test("a refused report is not sent again before the next interval, also if the state changes", async () => {
  const { test, reporter } = setUp();
  const refused = Promise.withResolvers<AppendOutcome>();
  await until(() => test.inFlight === 0, () => "the first report to be written");
  test.append = () => refused.promise;
  reporter.report();
  reporter.report();
  refused.resolve(MISSING);
  await until(() => test.inFlight === 0, () => "the report to be refused");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(test.appended, ["running", "running"]);
  await reporter.close();
});

Deno.test("a broker that throws, and a status that throws, end as an event, never as an error of the worker", async () => {
  const { test, reporter, failures, waitFor } = setUp({ intervalMs: 1 });
  test.append = () => Promise.reject(new TypeError("broken"));
  await until(() => failures.length === 1, () => "the event");
  assertEquals(failures[0]!.error.errorClass, "TypeError");
  await waitFor(3);
  await reporter.close();
  const broken = setUp({
    status: () => {
      throw new RangeError("no status");
    },
  });
  await until(() => broken.failures.length === 1, () => "the event");
  assertEquals(broken.failures[0]!.error.errorClass, "RangeError");
  await broken.reporter.close();
});

Deno.test("a worker that failed leaves its last report, with the error, instead of a tombstone", async () => {
  const { test, reporter } = setUp();
  Object.assign(test, { state: "stopped", failure: { errorClass: "BrokerError", message: "gone" } });
  await reporter.close();
  assertEquals(test.appended, ["running", "stopped"]);
});
