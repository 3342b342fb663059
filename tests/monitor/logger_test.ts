/** The logger's lines: by level, for people or for machines, and nothing in them that draws on a terminal. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { EventMap, EventName } from "../../src/monitor/events.ts";
import { attachLogger, type LoggerOptions } from "../../src/monitor/logger.ts";
import { Monitor } from "../../src/monitor/monitor.ts";

const job = {
  jobClass: "EchoJob",
  jobId: "id-1",
  queue: "default",
  topic: "default",
  partition: 0,
  offset: 3,
  attempt: 1,
};
const error = { errorClass: "TypeError", message: "no", stack: "TypeError: no\n    at x" };
const performed = { ...job, durationMs: 1.26, waitMs: 5 };
const paused = { topic: "default", partition: 0, offset: 3, waitMs: 20, attempts: 4, error };

/** Emits, and answers what was written. */
function written(options: LoggerOptions, ...events: { [N in EventName]: [N, EventMap[N]] }[EventName][]): string[] {
  const monitor = new Monitor();
  const texts: string[] = [];
  const detach = attachLogger(monitor, { ...options, write: (text) => void texts.push(text) });
  for (const [name, event] of events) monitor.emit(name, event as never);
  detach();
  for (const [name, event] of events) monitor.emit(name, event as never);
  assert(texts.length <= 1, "the lines of one turn are written at once");
  return texts.join("").split(/(?<=\n)/).filter((line) => line !== "");
}

const withoutTime = (line: string) => line.replace(/^\d\d:\d\d:\d\d\.\d{3} /, "");

Deno.test("attachLogger() writes pretty lines for people", () => {
  const lines = written(
    { level: "debug", format: "pretty" },
    ["job.performing", job],
    ["job.performed", performed],
    ["job.failed", { ...job, durationMs: 1, error, next: "retry", waitMs: 40 }],
    ["partition.paused", { ...paused, lasting: true, remedy: "skip --app app.ts default/0@3" }],
    ["worker.quieted", { group: "shop" }],
  );
  for (const line of lines) assertMatch(line, /^\d\d:\d\d:\d\d\.\d{3} .*\n$/);
  assertEquals(lines.map(withoutTime), [
    "DEBUG Performing EchoJob from default/0@3\n",
    "INFO  Performed EchoJob from default/0@3 in 1.3 ms\n",
    "WARN  EchoJob from default/0@3 failed at attempt 1 (TypeError: no), next try in 40 ms\n",
    "ERROR default/0 stands still at offset 3 (TypeError: no), next try in 20 ms; to pass it over: skip --app app.ts default/0@3\n",
    "INFO  Worker of group shop takes no new job\n",
  ]);
});

Deno.test("attachLogger() writes one JSON object a line for machines, with all that the event says", () => {
  const [line, ...more] = written({ format: "json" }, ["job.performed", performed]);
  const { time, ...rest } = JSON.parse(line!);
  assertEquals(rest, {
    level: "info",
    event: "job.performed",
    message: "Performed EchoJob from default/0@3 in 1.3 ms",
    ...performed,
  });
  assert(Math.abs(Date.parse(time) - Date.now()) < 60_000);
  assertEquals(more, []);
});

Deno.test("attachLogger() writes the level asked for and above, and by default info", () => {
  const all: Parameters<typeof written>[1][] = [
    ["job.performing", job],
    ["job.performed", performed],
    ["job.failed", { ...job, durationMs: 1, error, next: "dead_letter", waitMs: 0 }],
    ["partition.paused", { ...paused, lasting: false, remedy: null }],
    ["partition.paused", { ...paused, lasting: true, remedy: null }],
    ["error.occurred", { where: "x", error }],
    ...(["debug", "info", "warn", "error"] as const).flatMap((level): Parameters<typeof written>[1][] => [
      ["job.log", { ...job, level, message: "own words", details: {} }],
      ["broker.log", { level, message: "client's words", details: {} }],
    ]),
  ];
  const levels = (level?: LoggerOptions["level"]) =>
    written({ format: "json", ...(level === undefined ? {} : { level }) }, ...all).map((line) => JSON.parse(line).level)
      .sort();
  const counts = { error: 4, warn: 3, info: 3, debug: 4 };
  const upTo = (...names: (keyof typeof counts)[]) => names.flatMap((name) => Array(counts[name]).fill(name)).sort();
  assertEquals(levels("debug"), upTo("error", "warn", "info", "debug"));
  assertEquals(levels(), upTo("error", "warn", "info"));
  assertEquals(levels("warn"), upTo("error", "warn"));
  assertEquals(levels("error"), upTo("error"));
  assertEquals(levels("silent"), []);
});

Deno.test("attachLogger() listens to nothing below its level, so that a quiet logger costs nothing", () => {
  const monitor = new Monitor();
  const detach = attachLogger(monitor, { level: "warn", write: () => {} });
  assertEquals(
    (["job.performing", "job.performed", "job.enqueued", "job.failed"] as const).map((name) => monitor.hears(name)),
    [
      ...[false, false, false, true],
    ],
  );
  detach();
  assertEquals(monitor.hears("job.failed"), false);
});

const HOSTILE = "a\nb\r\u001b[31mred\u0007\u007f\u009b2J\u2028\u2029\u0000";

Deno.test("attachLogger() escapes line breaks and control characters, wherever they come from", () => {
  const hostile = { ...error, message: HOSTILE };
  for (const format of ["pretty", "json"] as const) {
    const lines = written(
      { format },
      ["job.failed", { ...job, jobClass: `X${HOSTILE}`, durationMs: 1, error: hostile, next: "retry", waitMs: 1 }],
      ["job.log", { ...job, level: "info", message: HOSTILE, details: { [HOSTILE]: HOSTILE } }],
    );
    assertEquals(lines.length, 2, "an event is one line");
    for (const line of lines) {
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line.slice(0, -1)), JSON.stringify(line));
    }
    if (format === "json") assertEquals(JSON.parse(lines[1]!).details, { [HOSTILE]: HOSTILE });
  }
});

Deno.test("attachLogger() writes a job's own line though its details are no JSON", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const throwing = {
    toJSON() {
      throw new Error("no");
    },
  };
  const note = "(cannot be written as JSON)";
  const cases: [Record<string, unknown>, unknown][] = [
    [{ userId: 2n ** 64n }, { userId: "18446744073709551616" }],
    [circle, { self: note }],
    [{ n: 1, at: throwing }, { n: 1, at: note }],
  ];
  for (const [details, expected] of cases) {
    const [line] = written({ format: "json" }, ["job.log", { ...job, level: "info", message: "own words", details }]);
    const { message, jobId, details: shown } = JSON.parse(line!);
    assertEquals([message, jobId, shown], ["EchoJob from default/0@3: own words", "id-1", expected]);
  }
});
