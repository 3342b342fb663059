/** The logger's lines: by level, for people or for machines, and nothing in them that draws on a terminal. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describeError } from "../../src/errors.ts";
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
const error = { errorClass: "TypeError", message: "no", stack: "TypeError: no\n    at f (file:///shop/app.ts:7:11)" };
const performed = { ...job, durationMs: 1.26, waitMs: 5 };
const paused = {
  scope: "partition" as const,
  topic: "default",
  partition: 0,
  offset: 3,
  waitMs: 20,
  attempts: 4,
  error,
  unknownClass: null,
};

type Written = { [N in EventName]: [N, EventMap[N]] }[EventName];

/** Emits events. @returns the lines that were written */
function written(options: LoggerOptions, ...events: Written[]): string[] {
  const monitor = new Monitor();
  const texts: string[] = [];
  const logger = attachLogger(monitor, { ...options, write: (text) => void texts.push(text) });
  for (const [name, event] of events) monitor.emit(name, event as never);
  void logger.close();
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
  for (const line of lines) assertMatch(line, /^(\d\d:\d\d:\d\d\.\d{3}| {3}) .*\n$/);
  assertEquals(lines.map(withoutTime), [
    "DEBUG Performing EchoJob from default/0@3\n",
    "INFO  Performed EchoJob from default/0@3 in 1.3 ms\n",
    "WARN  EchoJob from default/0@3 failed at attempt 1 (TypeError: no), next attempt in 40 ms\n",
    "    at f (file:///shop/app.ts:7:11)\n",
    "ERROR default/0 is stuck at offset 3 (TypeError: no), next attempt in 20 ms; to skip it: skip --app app.ts default/0@3\n",
    "INFO  Worker of group shop is quiet: no new job starts, its partitions are kept\n",
  ]);
});

Deno.test("attachLogger() writes one JSON object a line for machines, with all fields of the event", () => {
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
  const all: Written[] = [
    ["job.performing", job],
    ["job.performed", performed],
    ["job.failed", { ...job, durationMs: 1, error, next: "dead_letter", waitMs: 0 }],
    ["partition.paused", { ...paused, lasting: false, remedy: null }],
    ["partition.paused", { ...paused, lasting: true, remedy: null }],
    ["error.occurred", { where: "x", error }],
    ...(["debug", "info", "warn", "error"] as const).flatMap((level): Written[] => [
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
  const logger = attachLogger(monitor, { level: "warn", write: () => {} });
  assertEquals(
    (["job.performing", "job.performed", "job.enqueued", "job.failed"] as const).map((name) =>
      monitor.hasListener(name)
    ),
    [
      ...[false, false, false, true],
    ],
  );
  void logger.close();
  assertEquals(monitor.hasListener("job.failed"), false);
});

const HOSTILE = "a\nb\r\u001b[31mred\u0007\u007f\u009b2J\u2028\u2029\u202e\u200b\u0000";

Deno.test("attachLogger() escapes line breaks, control characters and marks of direction, in every part of a line", () => {
  const hostile = { ...error, message: HOSTILE };
  for (const format of ["pretty", "json"] as const) {
    const lines = written(
      { format },
      ["job.failed", { ...job, jobClass: `X${HOSTILE}`, durationMs: 1, error: hostile, next: "retry", waitMs: 1 }],
      ["job.log", { ...job, level: "info", message: HOSTILE, details: { [HOSTILE]: HOSTILE } }],
    );
    // For people the frame of its stack is another one.
    assertEquals(lines.length, format === "pretty" ? 3 : 2, "an event is one line");
    for (const line of lines) {
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e\u200b]/.test(line.slice(0, -1)), JSON.stringify(line));
    }
    if (format === "json") assertEquals(JSON.parse(lines[1]!).details, { [HOSTILE]: HOSTILE });
  }
});

Deno.test("attachLogger() shows people where an error was thrown, in their own code first, and what caused it", () => {
  const library = new URL("../../src/worker/partition/attempt.ts", import.meta.url);
  const stack = (...frames: string[]) => ["Error: no", ...frames.map((frame) => `    at ${frame}`)].join("\n");
  const thrown = {
    errorClass: "Error",
    message: "no",
    stack: stack(
      "query (file:///shop/node_modules/pg/lib/query.js:1:2)",
      "new Promise (<anonymous>)",
      "Database.find (file:///shop/db.ts:3:4)",
      "async ShipJob.perform (file:///shop/app.ts:5:6)",
      `Attempt.#performJob (${library}:99:16)`,
      "listOnTimeout (ext:core/02_timers.js:307:7)",
      "node:internal/process/task_queues:95:5",
    ),
    cause: {
      errorClass: "TypeError",
      message: "",
      stack: stack(...[1, 2, 3, 4, 5].map((n) => `f${n} (file:///shop/f.ts:${n}:1)`)),
      cause: { errorClass: "string", message: "a\u001btext" },
    },
  };
  const below = [
    "    at Database.find (file:///shop/db.ts:3:4)\n",
    "    at async ShipJob.perform (file:///shop/app.ts:5:6)\n",
    "    at query (file:///shop/node_modules/pg/lib/query.js:1:2)\n",
    "  caused by TypeError\n",
    ...[1, 2, 3, 4].map((n) => `    at f${n} (file:///shop/f.ts:${n}:1)\n`),
    "  caused by string: a\\u001btext\n",
  ];
  const failed = { ...job, durationMs: 1, error: thrown, next: "retry", waitMs: 40 } as const;
  const pretty = written({ format: "pretty", level: "warn" }, ["job.failed", failed], ["error.occurred", {
    where: "x",
    error: thrown,
  }]);
  assertEquals(pretty.map(withoutTime), [
    "WARN  EchoJob from default/0@3 failed at attempt 1 (Error: no), next attempt in 40 ms\n",
    ...below,
    "ERROR Error in x: Error: no\n",
    ...below,
  ]);
  const [line, ...more] = written({ format: "json" }, ["job.failed", failed]);
  assertEquals([JSON.parse(line!).error, more], [thrown, []]);
});

Deno.test("attachLogger() describes a thrown value that is not an error", () => {
  const cases: [unknown, string][] = [
    [undefined, "undefined was thrown"],
    [null, "null: null"],
    ["text", "string: text"],
    [{ code: 404 }, "Object: { code: 404 }"],
    [new RangeError(), "RangeError"],
  ];
  for (const [thrown, shown] of cases) {
    const { errorClass, message } = describeError(thrown);
    const [line] = written({ format: "pretty" }, ["error.occurred", { where: "x", error: { errorClass, message } }]);
    assertEquals(withoutTime(line!), `ERROR Error in x: ${shown}\n`);
  }
});

Deno.test("attachLogger() shows people the details that a job gives", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const throwing = {
    n: 1,
    get at() {
      throw new Error("no");
    },
  };
  const cases: [unknown, string][] = [
    [{}, ""],
    [null, ""],
    [
      { userId: 7, plan: "pro", ok: true, none: null, missing: undefined, big: 2n ** 64n },
      " userId=7 plan=pro ok=true none=null missing=undefined big=18446744073709551616",
    ],
    [
      { "full name": "Ada L.", at: "2026-01-01T00:00:00Z", empty: "" },
      ' "full name"="Ada L." at=2026-01-01T00:00:00Z empty=""',
    ],
    [{ user: { id: 1n }, list: [1, "a"] }, ' user={"id":"1"} list=[1,"a"]'],
    [{ error: new TypeError("no") }, ' error="TypeError: no"'],
    [circle, ' self="(circular)"'],
    [throwing, ' n=1 at="(cannot be read: no)"'],
    [new TypeError("no"), ' details="TypeError: no"'],
    ["text", " details=text"],
    [new Map([["a", 1]]), ' details=[["a",1]]'],
    [
      { list: new Map([["a", new Set([1n])]]), at: Symbol("a"), f() {} },
      ' list=[["a",["1"]]] at="Symbol(a)" f="[function f]"',
    ],
    [{ text: "x".repeat(1_000_000) }, ` text=${"x".repeat(200)}…`],
    [
      Object.fromEntries(Array.from({ length: 22 }, (_, n) => [`n${n}`, n])),
      `${Array.from({ length: 20 }, (_, n) => ` n${n}=${n}`).join("")} …`,
    ],
  ];
  for (const [details, shown] of cases) {
    const event = { ...job, level: "info", message: "own words", details: details as Record<string, unknown> } as const;
    const lines = written({ format: "pretty" }, ["job.log", event]);
    assertEquals(lines.map(withoutTime), [`INFO  EchoJob from default/0@3: own words${shown}\n`]);
  }
});

Deno.test("attachLogger() warns of an unknown class once, with the end of its wait and the next step", () => {
  const unknown = { errorClass: "UnknownJobError", message: 'No job class "TwoJob" is known (known: OneJob)' };
  const wait = (tries: number, next: "dead_letter" | "pause", leftMs = 60_000): Written => [
    "partition.paused",
    { ...paused, error: unknown, lasting: false, remedy: null, unknownClass: { tries, next, leftMs } },
  ];
  const lines = written({ format: "json" }, wait(1, "dead_letter"), wait(2, "dead_letter"), wait(1, "pause", 1e9))
    .map((line) => JSON.parse(line));
  assertEquals(lines.map(({ level }) => level), ["warn", "warn"]);
  const [soon, late] = lines.map(({ message }) => /^(.*) until (.*) UTC, then (.*)$/.exec(message)!.slice(1));
  const message = 'No job class "TwoJob" is known (known: OneJob): default/0@3 is tried again';
  assertEquals([soon![0], soon![2]], [message, "is dead-lettered"]);
  assertEquals([late![0], late![2]], [message, "waits for an operator"]);
  assertMatch(soon![1]!, /^\d\d:\d\d:\d\d$/);
  const leftMs = Date.parse(`${late![1]!.replace(" ", "T")}Z`) - Date.parse(lines[1].time);
  assert(Math.abs(leftMs - 1e9) <= 60_000, `${late![1]} is ${leftMs} ms away`);
});

Deno.test("attachLogger() writes how long a job of a lost partition ran, and if that was too long", () => {
  const revoked = { ...job, outcome: "passed", sessionTimeoutMs: 6000 } as const;
  const lines = written(
    { format: "pretty" },
    ["job.revoked", { ...revoked, durationMs: 20 }],
    ["job.revoked", { ...revoked, durationMs: 9012 }],
  );
  const message = "WARN  EchoJob from default/0@3 passed after default/0 was lost, " +
    "so it is not marked and may be performed again; it ran for";
  assertEquals(lines.map(withoutTime), [
    `${message} 20 ms\n`,
    `${message} 9.0 s: a job that blocks the event loop for longer than sessionTimeoutMs (6000) loses its partition\n`,
  ]);
});

Deno.test("attachLogger() uses the singular for one job", () => {
  const stopping = { group: "shop", shutdownTimeoutMs: 25_000 };
  const started = { group: "shop", topics: ["default"], partitions: 3 };
  const lines = written(
    { format: "pretty" },
    ["worker.started", { ...started, partitions: 1, concurrency: 1 }],
    ["worker.started", { ...started, concurrency: 2 }],
    ["worker.stopping", { ...stopping, running: 0 }],
    ["worker.stopping", { ...stopping, running: 1 }],
    ["worker.stopping", { ...stopping, running: 2 }],
  );
  assertEquals(lines.map(withoutTime), [
    "INFO  Worker of group shop started: default (1 partition) with up to 1 job at once\n",
    "INFO  Worker of group shop started: default (3 partitions) with up to 2 jobs at once\n",
    "INFO  Worker of group shop stops: no job runs\n",
    "INFO  Worker of group shop stops: 1 job still runs and may take 25.0 s\n",
    "INFO  Worker of group shop stops: 2 jobs still run and may take 25.0 s\n",
  ]);
});

Deno.test("attachLogger() writes a job's line with all of its details, whatever they are", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const throwing = {
    toJSON() {
      throw new Error("no");
    },
  };
  const failure = new TypeError("boom");
  const cases: [unknown, unknown][] = [
    [{ userId: 2n ** 64n }, { userId: "18446744073709551616" }],
    [circle, { self: "(circular)" }],
    [{ n: 1, at: throwing }, { n: 1, at: "(cannot be read: no)" }],
    [{ error: failure, order: 7 }, {
      error: { errorClass: "TypeError", message: "boom", stack: failure.stack },
      order: 7,
    }],
    [{ sizes: new Map([["a", new Set([1])]]) }, { sizes: [["a", [1]]] }],
    [failure, { errorClass: "TypeError", message: "boom", stack: failure.stack }],
    [{ n: 1 / 3 }, { n: 1 / 3 }],
    [null, null],
  ];
  for (const [details, expected] of cases) {
    for (const name of ["job.log", "broker.log"] as const) {
      const event = {
        ...job,
        level: "info",
        message: "own words",
        details: details as Record<string, unknown>,
      } as const;
      const [line] = written({ format: "json" }, [name, event] as Written);
      const { message, details: shown } = JSON.parse(line!);
      assertEquals(message, name === "job.log" ? "EchoJob from default/0@3: own words" : "Broker: own words");
      assertEquals(shown, expected);
    }
  }
});

Deno.test("attachLogger() writes a line for any message, bounded", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const cases: [unknown, string | RegExp][] = [
    ["90%done", "90%done"],
    ["x".repeat(1_000_000), `${"x".repeat(8192)}…`],
    [undefined, "undefined"],
    [Symbol("a"), '"Symbol(a)"'],
    [Object.create(null), "{}"],
    [new TypeError("boom"), "TypeError: boom"],
    [proxy, /^"\(cannot be read: /],
  ];
  for (const format of ["json", "pretty"] as const) {
    for (const [message, expected] of cases) {
      const event = { ...job, level: "info", message: message as string, details: {} } as const;
      const [line] = written({ format }, ["job.log", event]);
      const text = format === "json" ? JSON.parse(line!).message : withoutTime(line!).slice(6, -1);
      const shown = text.replace("EchoJob from default/0@3: ", "");
      if (typeof expected === "string") assertEquals(shown, expected);
      else assertMatch(shown, expected);
    }
  }
});

Deno.test("attachLogger() writes a line for an event that it cannot format", () => {
  const where = Symbol("place") as unknown as string;
  const [json] = written({ format: "json" }, ["error.occurred", { where, error }]);
  const message = "An event of error.occurred cannot be written: Cannot convert a Symbol value to a string";
  const { level, event, message: shown } = JSON.parse(json!);
  assertEquals([level, event, shown], ["error", "error.occurred", message]);
  const [pretty] = written({ format: "pretty" }, ["error.occurred", { where, error }]);
  assertEquals(withoutTime(pretty!), `ERROR ${message}\n`);
});

Deno.test("attachLogger() rounds the milliseconds of events to microseconds, and no other number", () => {
  // A product with 1000 is rounded here.
  const offset = 9_007_199_254_740_885;
  const running = { ...job, offset, runningMs: 1.23456789, timeoutMs: null, timeoutGraceMs: 5000 };
  const [first, second] = written(
    { format: "json" },
    ["job.performed", { ...performed, offset, durationMs: 1.26371829, waitMs: 5.00049 }],
    ["worker.stopped", { group: "shop", unfinished: [running] }],
  ).map((line) => JSON.parse(line));
  assertEquals([first.offset, first.durationMs, first.waitMs], [offset, 1.264, 5]);
  assertEquals(second.unfinished, [{ ...running, runningMs: 1.235 }]);
});

Deno.test("attachLogger() goes on if the user's write function throws, or is async and rejects", async () => {
  for (const write of [() => assert(false), () => Promise.reject(new Error("the disk is full"))]) {
    const monitor = new Monitor();
    const errors: unknown[] = [];
    monitor.on("error.occurred", (event) => errors.push(event));
    const logger = attachLogger(monitor, { write });
    monitor.emit("job.performed", performed);
    await logger.close();
    assertEquals(errors, []);
  }
});

Deno.test("attachLogger() writes one line for all partitions that move together, and whether they were released", () => {
  const partitions = (count: number) => Array.from({ length: count }, (_, partition) => ({ topic: "a", partition }));
  const none = { group: "shop", assigned: [], lost: [], reason: null, owned: 0 };
  const lines = written(
    { format: "pretty" },
    ["partition.assigned", { topic: "a", partition: 0, offset: 7 }],
    ["assignment.changed", {
      ...none,
      assigned: [{ topic: "a", partition: 0, offset: 7 }, { topic: "a", partition: 1, offset: null }],
    }],
    ["partition.lost", { topic: "a", partition: 0, reason: "closed" }],
    ["assignment.changed", { ...none, lost: partitions(1), reason: "closed" }],
    ["assignment.changed", { ...none, lost: partitions(22), reason: "revoked" }],
  );
  const twenty = partitions(20).map(({ partition }) => `a/${partition}`).join(", ");
  assertEquals(lines.map(withoutTime), [
    "INFO  Assigned 2 partitions: a/0@7, a/1\n",
    "INFO  Released 1 partition: a/0\n",
    `INFO  Lost 22 partitions (revoked): ${twenty} and 2 more\n`,
  ]);
});
