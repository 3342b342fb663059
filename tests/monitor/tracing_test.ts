/** Tracing: the spans of a job and their attributes; none without OpenTelemetry. */
import {
  activeJobTopic,
  App,
  type AppOptions,
  type EventMap,
  Job,
  type KafkaOptions,
  performAllLater,
} from "@activejob/kafka";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FaultInjectionLog } from "../support/fault_injection_log.ts";
import { memory } from "../../src/broker/memory/mod.ts";
import { BrokerError, EnqueueError } from "../../src/errors.ts";
import { FakeOpenTelemetry, put } from "./fake_open_telemetry.ts";

/** The perform of each job, set by the test. */
let behaviour: (n: number, job: StepJob) => unknown = () => {};

class StepJob extends Job {
  static override kafkaOptions: KafkaOptions<StepJob> = { key: (job) => job.args[1] as string | undefined ?? null };
  async perform(n: number, _key?: string) {
    await behaviour(n, this);
  }
}

function setUp(options: Partial<AppOptions> = {}) {
  behaviour = () => {};
  const log = new FaultInjectionLog();
  const app = new App({
    name: "shop",
    broker: log.source,
    jobs: [StepJob],
    topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 1 } })],
    backoff: { initialMs: 1, maxMs: 1, jitter: 0 },
    logger: false,
    ...options,
  });
  const errors: EventMap["error.occurred"][] = [];
  app.on("error.occurred", (event) => errors.push(event));
  const stored = (topic = "default") => log.topic(topic)!.partitions[0]!.read(0, Infinity)!.records;
  const headerOf = (topic = "default", name = "traceparent") =>
    stored(topic).map(({ headers }) => {
      const value = headers.find((header) => header[0] === name)?.[1];
      return value == null ? null : new TextDecoder().decode(value);
    });
  const performAll = () => app.worker().run(undefined, { once: true });
  return { log, app, errors, stored, headerOf, performAll };
}

const envelope = JSON.stringify({ job_class: "StepJob", job_id: "from-rails", arguments: [1] });

Deno.test("a job is two spans of its caller's trace, with the conventions' names", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, headerOf, performAll, errors } = setUp();
  await using _ = app;
  const job = await telemetry.within("GET /", () => StepJob.performLater(1, "customer 7"));
  await app.flush();
  await performAll();
  const [request, send, process, ...others] = telemetry.spans;
  assertEquals(others, []);
  assertEquals([send!.name, send!.kind, process!.name, process!.kind], ["send default", 3, "process default", 4]);
  assertEquals([send!.traceId, process!.traceId], [request!.traceId, request!.traceId]);
  assertEquals([send!.parentId, process!.parentId], [request!.spanId, send!.spanId]);
  assertEquals(headerOf(), [`00-${send!.traceId}-${send!.spanId}-01`]);
  assertEquals(process!.links, [{ traceId: send!.traceId, spanId: send!.spanId, traceFlags: 1, isRemote: true }]);
  assertEquals([send!.ended, process!.ended, send!.status, process!.status], [1, 1, null, null]);
  const common = {
    "messaging.system": "memory",
    "messaging.client.id": "shop",
    "messaging.destination.name": "default",
    "messaging.destination.partition.id": "0",
    "messaging.kafka.offset": 0,
    "messaging.kafka.message.key": "customer 7",
    "messaging.message.id": job.jobId,
    "active_job.class": "StepJob",
  };
  assertEquals(send!.attributes, {
    ...common,
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
  });
  assertEquals(process!.attributes, {
    ...common,
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.consumer.group.name": "shop",
    "active_job.attempt": 1,
    "active_job.executions": 1,
  });
  assertEquals(errors, []);
});

Deno.test("a send span ends at the acknowledgement, not before", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, log } = setUp();
  await using _ = app;
  await app.applyTopics();
  log.goOffline();
  const job = await StepJob.performLater(1);
  assertEquals(telemetry.spans.map(({ ended, parentId }) => [ended, parentId]), [[0, null]]);
  assertEquals(telemetry.active, undefined);
  log.goOnline();
  await job.delivered();
  assertEquals(telemetry.spans.map(({ ended }) => ended), [1]);
});

Deno.test("jobs that are enqueued together have a span each, under the caller's", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, headerOf } = setUp();
  await using _ = app;
  await telemetry.within("import", () => performAllLater([StepJob.of(1), StepJob.of(2), StepJob.of(3)]));
  await app.flush();
  const [caller] = telemetry.of("import");
  const sends = telemetry.of("send default");
  assertEquals(sends.map(({ parentId }) => parentId), Array(3).fill(caller!.spanId));
  assertEquals(sends.map(({ attributes }) => attributes["messaging.kafka.offset"]), [0, 1, 2]);
  assertEquals(headerOf(), sends.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`));
});

Deno.test("the span of a job is active in its perform, also after an await, and not active afterwards", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, performAll } = setUp({ concurrency: 4, topics: [activeJobTopic("default", { partitions: 4 })] });
  await using _ = app;
  const seen = new Map<number, (string | undefined)[]>();
  behaviour = async (n) => {
    const spanIds = [telemetry.active?.spanId];
    await new Promise((resolve) => setTimeout(resolve, n % 3));
    spanIds.push(telemetry.active?.spanId);
    if (n < 20) await StepJob.performLater(n + 100);
    seen.set(n, spanIds);
  };
  for (let n = 0; n < 20; n++) await StepJob.performLater(n);
  await performAll();
  await performAll();
  assertEquals(seen.size, 40);
  assertEquals(telemetry.active, undefined);
  const ids = [...seen.values()].map((spanIds) => {
    assertEquals(spanIds, Array(2).fill(spanIds[0]));
    return spanIds[0];
  });
  const processes = telemetry.of("process default");
  assertEquals(new Set(ids), new Set(processes.map(({ spanId }) => spanId)));
  // The send span of a job that another job enqueued is a child of that job's span.
  const further = telemetry.of("send default").filter(({ parentId }) => parentId !== null);
  assertEquals(further.length, 20);
  assert(further.every(({ parentId }) => ids.includes(parentId!)));
});

Deno.test("a worker that is created within a span does not perform jobs as its children", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, log, performAll } = setUp();
  await using _ = app;
  await app.applyTopics();
  log.append("default", [{ value: envelope }]);
  await telemetry.within("start", performAll);
  const [process] = telemetry.of("process default");
  assertEquals([process!.parentId, process!.links], [null, []]);
  assert(process!.traceId !== telemetry.of("start")[0]!.traceId);
});

Deno.test("each failed attempt has a span with an error, and the dead letter keeps the trace header byte for byte", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, headerOf, performAll } = setUp();
  await using _ = app;
  behaviour = () => {
    throw new RangeError("no such page");
  };
  await StepJob.performLater(1);
  await performAll();
  const [send] = telemetry.of("send default");
  const processes = telemetry.of("process default");
  assertEquals(processes.map(({ parentId }) => parentId), [send!.spanId, send!.spanId]);
  assertEquals(processes.map(({ attributes }) => attributes["active_job.attempt"]), [1, 2]);
  for (const { status, attributes, exceptions, ended } of processes) {
    assertEquals([status, ended], [{ code: 2, message: "no such page" }, 1]);
    assertEquals(attributes["error.type"], "RangeError");
    const [{ name, message, stack }] = exceptions as [Error];
    assertEquals([name, message, stack!.includes("tracing_test.ts")], ["RangeError", "no such page", true]);
  }
  assertEquals(headerOf("dead"), headerOf("default"));
  assertEquals(headerOf("dead"), [`00-${send!.traceId}-${send!.spanId}-01`]);
});

Deno.test("a job that cannot be sent is an error of its send span", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, log } = setUp({ buffer: { maxRecords: 1, maxWaitMs: 0 } });
  await using _ = app;
  await app.applyTopics();
  log.failAppends("default", { error: new BrokerError("The broker is down"), written: "unknown" });
  const job = await StepJob.performLater(1);
  await assertRejects(() => job.delivered(), EnqueueError);
  log.failAppends("default", null);
  log.goOffline();
  const waiting = await StepJob.performLater(2);
  await assertRejects(() => StepJob.performLater(3), EnqueueError, "stayed full");
  log.goOnline();
  await waiting.delivered();
  const [refused, sent, full] = telemetry.spans;
  assertEquals([refused!.status, refused!.ended], [{ code: 2, message: "The broker is down" }, 1]);
  assertEquals(refused!.attributes["error.type"], "BrokerError");
  assertEquals([sent!.status, sent!.ended], [null, 1]);
  assertEquals([full!.attributes["error.type"], full!.ended], ["BrokerError", 1]);
  // A job that is refused before it is sent has no span.
  await assertRejects(() => app.enqueue(Object.assign(StepJob.of(4), { queueName: "nowhere" })), EnqueueError);
  await assertRejects(() => StepJob.set({ wait: { days: 400 } }).performLater(5), EnqueueError, "maxDelayMs");
  const { app: other } = setUp({ broker: { ...memory(crypto.randomUUID()), embedded: false } });
  await using __ = other;
  await assertRejects(() => other.enqueue(StepJob.of(6).set({ wait: { hours: 1 } })), EnqueueError, "no topic");
  assertEquals(telemetry.spans.length, 3);
});

Deno.test("a traceparent of another program is continued, and a malformed one is ignored", async () => {
  using telemetry = new FakeOpenTelemetry();
  const { app, log, performAll, errors } = setUp();
  await using _ = app;
  await app.applyTopics();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const headers = [
    `00-${trace}-b7ad6b7169203331-01`,
    `00-${trace}-0000000000000000-01`,
    `00-${trace}-b7ad6b7169203331-01-x`,
    "\uffff",
    "",
  ];
  log.append(
    "default",
    headers.map((value) => ({
      key: new Uint8Array([0xff, 0xfe]),
      value: envelope,
      headers: [["traceparent", new TextEncoder().encode(value)]],
    })),
  );
  log.append("default", [{ value: envelope, headers: [["traceparent", null]] }]);
  await performAll();
  const processes = telemetry.of("process default");
  assertEquals(processes.map(({ parentId }) => parentId), ["b7ad6b7169203331", null, null, null, null, null]);
  assertEquals(processes.map(({ links }) => links.length), [1, 0, 0, 0, 0, 0]);
  assertEquals(processes[0]!.traceId, trace);
  assertEquals(new Set(processes.map(({ traceId }) => traceId)).size, 6);
  const { attributes } = processes[0]!;
  assertEquals(attributes["messaging.message.id"], "from-rails");
  // A key that is not UTF-8 is left out.
  assertEquals("messaging.kafka.message.key" in attributes, false);
  assertEquals(errors, []);
});

Deno.test("an SDK that is registered after the App was created is used, and so is its successor", async () => {
  const { app, headerOf } = setUp();
  await using _ = app;
  await StepJob.performLater(1);
  await app.flush();
  const counts: number[] = [];
  for (let n = 0; n < 2; n++) {
    using telemetry = new FakeOpenTelemetry();
    await StepJob.performLater(2);
    await app.flush();
    counts.push(telemetry.of("send default").length);
  }
  assertEquals(counts, [1, 1]);
  assertEquals(headerOf().map((header) => header !== null), [false, true, true]);
});

Deno.test("without OpenTelemetry, or with something else in its place, a record has no headers", async () => {
  const { api } = new FakeOpenTelemetry();
  const { trace, context, propagation } = api;
  const shapes = [
    undefined,
    null,
    1,
    "api",
    {},
    { version: "1.9.0" },
    { trace },
    { trace, context },
    {
      trace: {},
      context,
      propagation,
    },
    { trace, context: { active: context.active }, propagation },
    { trace, context, propagation: null },
  ];
  try {
    for (const shape of shapes) {
      put(shape);
      const { app, stored, performAll, errors } = setUp();
      await using _ = app;
      await StepJob.performLater(1);
      await performAll();
      assertEquals([stored().map(({ headers }) => headers), errors], [[[]], []]);
    }
  } finally {
    put(undefined);
  }
});

for (const broken of ["startSpan", "inject", "extract", "end"] as const) {
  Deno.test(`a fault of OpenTelemetry (${broken}) is reported, and the job is performed`, async () => {
    using telemetry = new FakeOpenTelemetry();
    const fault = () => {
      throw new TypeError(`${broken} is broken`);
    };
    const { propagation, trace } = telemetry.api;
    const tracer = trace.getTracer("test");
    const { startSpan } = tracer;
    if (broken === "startSpan") tracer.startSpan = fault;
    else if (broken !== "end") propagation[broken] = fault;
    else tracer.startSpan = (...args) => Object.assign(startSpan(...args), { end: fault });
    const { app, performAll, errors } = setUp();
    await using _ = app;
    let performed = 0;
    behaviour = () => void performed++;
    await StepJob.performLater(1);
    await StepJob.performLater(2);
    await performAll();
    assertEquals(performed, 2);
    assertEquals(
      new Set(errors.map(({ where, error }) => `${where}: ${error.message}`)),
      new Set([`tracing: ${broken} is broken`]),
    );
  });
}

/** The ways in which a `with` around a job can fail. */
const BROKEN_WITHS: Record<string, (fn: () => unknown) => unknown> = {
  "before it calls the job": () => {
    throw new TypeError("with is broken");
  },
  "after it has called the job": (fn) => {
    fn();
    throw new TypeError("with is broken");
  },
};

for (const [when, broken] of Object.entries(BROKEN_WITHS)) {
  Deno.test(`a fault of OpenTelemetry (with, ${when}) is reported, and the job is performed once`, async () => {
    using telemetry = new FakeOpenTelemetry();
    const { app, performAll, errors } = setUp();
    await using _ = app;
    const outcomes: string[] = [];
    app.on("job.performed", ({ attempt }) => outcomes.push(`performed at attempt ${attempt}`));
    app.on("job.failed", ({ error, attempt }) => outcomes.push(`${error.message} at attempt ${attempt}`));
    behaviour = (n, { attempt }) => {
      if (n === 2 && attempt === 1) throw new RangeError("the job's own");
    };
    await StepJob.performLater(1);
    await StepJob.performLater(2);
    await app.flush();
    telemetry.api.context.with = (_context, fn) => broken(fn) as ReturnType<typeof fn>;
    await performAll();
    assertEquals(outcomes, ["performed at attempt 1", "the job's own at attempt 1", "performed at attempt 2"]);
    const fault = "tracing: with is broken";
    assertEquals(errors.map(({ where, error }) => `${where}: ${error.message}`), [fault, fault, fault]);
    assertEquals(telemetry.of("process default").map(({ ended }) => ended), [1, 1, 1]);
  });
}
