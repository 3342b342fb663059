/** Bad input in the value: a record that no worker can perform is dead-lettered at once, and harms no other record. */
import { assert, assertEquals } from "@std/assert";
import { currentAttributes, Job } from "../../mod.ts";
import { assertPerformed, assertPoison, echo, EchoJob, echoProcess } from "../support/behaviours/bad_records.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { headersAsStrings, until } from "../support/behaviours/world.ts";

behaviour(
  "bad input 1: a value that is not UTF-8, or starts with a byte order mark, is dead-lettered at once",
  async (world) => {
    const process = await echoProcess(world);
    const good = new TextEncoder().encode(echo(["é"]));
    const dead = await assertPoison(world, process, [
      new Uint8Array([0xff, 0xfe, 0xfd]),
      // A character cut in half, an overlong slash, a lone surrogate.
      new Uint8Array([...good.subarray(0, good.length - 4), 0xc3, ...good.subarray(good.length - 3)]),
      new Uint8Array([
        ...new TextEncoder().encode('{"job_class":"EchoJob","arguments":["'),
        0xc0,
        0xaf,
        0x22,
        0x5d,
        0x7d,
      ]),
      new Uint8Array([
        ...new TextEncoder().encode('{"job_class":"EchoJob","arguments":["'),
        0xed,
        0xa0,
        0x80,
        0x22,
        0x5d,
        0x7d,
      ]),
      new Uint8Array([0xef, 0xbb, 0xbf, ...good]),
    ]);
    assertEquals(dead.map(({ message }) => message), [
      ...Array(4).fill("The value is not UTF-8"),
      "The value is not JSON",
    ]);
  },
);

behaviour(
  "bad input 2: a value that is not JSON, or JSON that is not an envelope, is dead-lettered at once with the reason",
  async (world) => {
    const process = await echoProcess(world);
    const cases: [value: string, reason: RegExp][] = [
      ["", /is not JSON/],
      [" ", /is not JSON/],
      ["not JSON", /is not JSON/],
      [echo([1]).slice(0, -3), /is not JSON/],
      [`${echo([1])}{}`, /is not JSON/],
      ["{'job_class': 'EchoJob'}", /is not JSON/],
      ['""', /not an envelope: ""/],
      ["null", /not an envelope: null/],
      ["[]", /not an envelope: an array/],
      ["1", /not an envelope: 1/],
      ["true", /not an envelope: true/],
      ["{}", /no "job_class"/],
      ['{"job_class":5,"arguments":[]}', /no "job_class"/],
      ['{"job_class":null,"arguments":[]}', /no "job_class"/],
      ['{"job_class":"EchoJob"}', /no list of "arguments"/],
      ['{"job_class":"EchoJob","arguments":{}}', /no list of "arguments"/],
      ['{"job_class":"EchoJob","arguments":"[]"}', /no list of "arguments"/],
    ];
    const dead = await assertPoison(world, process, cases.map(([value]) => value), { key: "a key" });
    for (const [n, { message, errorClass, attempts }] of dead.entries()) {
      assert(cases[n]![1].test(message), `"${message}" should match ${cases[n]![1]}`);
      assertEquals([errorClass, attempts], ["PoisonError", "0"]);
    }
  },
);

behaviour(
  "bad input 2: without a dead letter topic, such a record pauses its partition, and the event has a skip command",
  async (world) => {
    EchoJob.got = [];
    const process = await world.process({ jobs: [EchoJob] });
    await world.append([{ value: "poison" }, { value: echo([1]) }]);
    await process.start();
    const paused = process.events("partition.paused");
    await until(() => paused.length >= 3, () => `3 pauses, but there were ${paused.length}`);
    for (const { lasting, offset, attempts } of paused) assertEquals([lasting, offset, attempts], [true, 0, 0]);
    assertEquals(paused.slice(0, 3).map(({ waitMs }) => waitMs), [20, 40, 80]);
    assert(
      paused[0]!.remedy?.endsWith(` skip --app app.ts ${world.topic()}/0@0`),
      `The remedy is ${paused[0]!.remedy}`,
    );
    assertEquals(EchoJob.got, []);
    await process.app.skip({ topic: world.topic(), partition: 0, offset: 0 });
    await until(() => EchoJob.got.length === 1, () => "the next job to be performed");
    assertEquals(EchoJob.got, [[1]]);
  },
);

behaviour(
  "bad input 3: a value nested deeper than 500, also 200,000 brackets, is dead-lettered at once; a depth of 400 is performed",
  async (world) => {
    const process = await echoProcess(world);
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    const dead = await assertPoison(world, process, [
      nested(200_000),
      `{"job_class":"EchoJob","arguments":${nested(200_000)}}`,
      `{"job_class":"EchoJob","arguments":[${objects(600)}]}`,
      `{"job_class":"EchoJob","arguments":[],"current_attributes":${objects(600)}}`,
      `{"job_class":"EchoJob","arguments":[9007199254740993,${nested(100_000)}]}`,
    ]);
    for (const { message } of dead.slice(1)) assert(message.includes("deeper than 500"), message);
    const again = await echoProcess(world);
    await world.append([{ value: `{"job_class":"EchoJob","arguments":${nested(400)},"unknown":${nested(10_000)}}` }]);
    await again.start();
    await until(() => EchoJob.got.length === 1, () => "the job with 400 levels to be performed");
  },
);

behaviour(
  "bad input 4: __proto__ and constructor in a record change no prototype, and are read as they were written",
  async (world) => {
    class Own extends currentAttributes<{ id: number }>("id") {}
    const passed: unknown[] = [];
    class PassOnJob extends Job {
      async perform(value: unknown) {
        passed.push(Own.id);
        await EchoJob.performLater(value);
      }
    }
    const process = await echoProcess(world, { jobs: [EchoJob, PassOnJob], currentAttributes: [Own] });
    const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"n":9007199254740993}';
    await world.append([{
      value: `{"job_class":"PassOnJob","arguments":[${evil}],"__proto__":{"polluted":3,"executions":9},` +
        `"constructor":{"prototype":{"polluted":4}},"current_attributes":{"__proto__":{"Own":{"id":5}},"Own":${evil}}}`,
    }, {
      // Properties that only the prototype would have are absent.
      value: '{"__proto__":{"job_class":"EchoJob","arguments":["inherited"]}}',
    }]);
    await process.start();
    await until(() => EchoJob.got.length === 1, () => "the job that was passed on");
    await until(() => process.events("record.dead_lettered").length === 1, () => "the poison to be dead-lettered");
    assertEquals(passed, [undefined]);
    const [value] = EchoJob.got[0] as [Record<string, unknown>];
    assertEquals(Object.getOwnPropertyNames(value), ["__proto__", "constructor", "n"]);
    assertEquals(Object.getPrototypeOf(value), Object.prototype);
    assertEquals(value.n, 9007199254740993n);
    assertEquals(JSON.stringify(Object.getOwnPropertyDescriptor(value, "__proto__")!.value), '{"polluted":1}');
    assertEquals(({} as { polluted?: number }).polluted, undefined);
    assertEquals(process.events("record.dead_lettered")[0]!.error.message, 'The envelope has no "job_class"');
  },
);

behaviour(
  "bad input 5: a job class that is not a valid name is dead-lettered at once; a valid, unknown name is waited for first",
  async (world) => {
    const process = await echoProcess(world, { topic: { unknownJobs: { retryForMs: 200 } } });
    const names = [
      ...["constructor", "toString", "__proto__", "hasOwnProperty", "", " EchoJob", "EchoJob ", "Echo Job"],
      ...["E".repeat(10_000), "E".repeat(256), "Echo\u0000Job", "Echo\nJob", "EchoJob\n", "\u001b[31mEcho"],
      ...[
        "../jobs/echo_job.ts",
        "/etc/passwd",
        "https://example.com/job.ts",
        "npm:evil",
        "Echo::",
        "::Echo",
        "Écho/Jöb",
        "Echo:Job",
      ],
    ];
    const dead = await assertPoison(world, process, names.map((name) => echo([], { job_class: name })));
    for (const { message, errorClass } of dead) {
      assertEquals(errorClass, "PoisonError");
      assert(message.length < 200 && message.includes("is not a name of a job class"), message);
      // deno-lint-ignore no-control-regex
      assert(!/[\u0000-\u001f]/.test(message), "The name is shown with its control characters escaped");
    }

    const patient = await echoProcess(world, { topic: { unknownJobs: { retryForMs: 100 } } });
    await world.append([{ value: echo([], { job_class: "Object" }) }, { value: echo(["after"]) }]);
    await patient.start();
    const [event] = await patient.untilEvents("record.dead_lettered", 1);
    assertEquals([event!.error.errorClass, event!.attempts], ["UnknownJobError", 0]);
    const waits = patient.events("partition.paused").map(({ unknownClass }) => unknownClass);
    assert(waits.length >= 2, "It waits by backoff, at least after 0 and 20 ms");
    assertEquals(waits.map((wait) => [wait!.tries, wait!.next]), waits.map((_, n) => [n + 1, "dead_letter"]));
    await until(() => EchoJob.got.length === 1, () => "the next job");
    assertEquals(EchoJob.got, [["after"]]);
  },
);

behaviour(
  "bad input 5: in a rolling deploy, a worker that knows the class performs the job for which another one waited",
  async (world) => {
    const old = await echoProcess(world, { topic: { unknownJobs: { retryForMs: 600_000 } } });
    await world.append([{ value: echo(["new"], { job_class: "NewJob" }) }]);
    await old.start();
    await until(() => old.events("partition.paused").length >= 2, () => "the old worker to wait");
    await old.close();
    class NewJob extends EchoJob {}
    const young = await echoProcess(world, { jobs: [NewJob] });
    await young.start();
    await young.untilEvents("job.performed", 1);
    assertEquals(EchoJob.got, [["new"]]);
    assertEquals(young.events("job.performed")[0]!.attempt, 1);
  },
);

behaviour(
  "bad input 5: many records of one unknown class are waited for once, and not one after the other",
  async (world) => {
    const process = await echoProcess(world, { topic: { unknownJobs: { retryForMs: 300 } } });
    await world.append(Array.from({ length: 100 }, () => ({ value: echo([], { job_class: "RemovedJob" }) })));
    await world.append([{ value: echo(["after"]) }]);
    const startedMs = performance.now();
    await process.start();
    await until(() => EchoJob.got.length === 1, () => `${process.events("record.dead_lettered").length} dead letters`);
    // One after the other they would take 30 s.
    assert(performance.now() - startedMs < 20_000);
    assertEquals(process.events("record.dead_lettered").length, 100);
    const waiting = new Set(process.events("partition.paused").map(({ offset }) => offset));
    assertEquals([...waiting], [0], "only the first record waits");
  },
);

behaviour(
  "bad input 6: an integer beyond 2^53 in arguments or attributes is read as an exact bigint; other numbers are not",
  async (world) => {
    class Own extends currentAttributes<{ id: bigint | number }>("id") {}
    const attributes: unknown[] = [];
    class AttributeJob extends Job {
      perform(...args: unknown[]) {
        attributes.push([...args, Own.id]);
      }
    }
    const process = await echoProcess(world, { jobs: [EchoJob, AttributeJob], currentAttributes: [Own] });
    const big = 2n ** 53n + 1n;
    await world.append([
      {
        value:
          '{"job_class":"EchoJob","arguments":[9007199254740993,-9007199254740993,[{"deep":123456789012345678901234567890}],' +
          "9007199254740991,9007199254740993.0,1e30,1.5,-0,0]}",
      },
      { value: '{"job_class":"AttributeJob","arguments":[1],"current_attributes":{"Own":{"id":9007199254740993}}}' },
    ]);
    await EchoJob.performLater(big, -big, { id: 10n ** 40n }, 2 ** 60, 5n);
    await Own.run({ id: big }, () => AttributeJob.performLater(2));
    await process.start();
    await process.untilEvents("job.performed", 4);
    assertEquals(EchoJob.got, [
      [big, -big, [{ deep: 123456789012345678901234567890n }], 9007199254740991, 9007199254740992, 1e30, 1.5, -0, 0],
      [big, -big, { id: 10n ** 40n }, 2 ** 60, 5n],
    ]);
    assertEquals(attributes, [[1, big], [2, big]]);
  },
);

behaviour(
  "bad input 7: a wrong number or type of arguments is a failure of the job: it is retried and dead-lettered as usual",
  async (world) => {
    class StrictJob extends Job {
      perform(order: { id: string }, count: number) {
        if (typeof count !== "number") throw new TypeError("count must be a number");
        EchoJob.got.push([order.id.length + count]);
      }
    }
    const process = await echoProcess(world, { jobs: [EchoJob, StrictJob] });
    const strict = (args: unknown[]) => ({ value: echo(args, { job_class: "StrictJob" }) });
    await world.append([
      strict([]),
      strict([null, 1]),
      strict([{ id: "x" }, "1"]),
      strict([{ id: "x" }, 1, "too many"]),
    ]);
    await process.start();
    await world.untilCommitted(4);
    assertEquals(EchoJob.got, [[2]]);
    assertEquals(process.events("job.failed").length, 6);
    const dead = (await world.records("dead")).map(({ headers }) => headersAsStrings(headers));
    assertEquals(dead.map((headers) => [headers["dead-letter-error-class"], headers["dead-letter-attempts"]]), [
      ["TypeError", "2"],
      ["TypeError", "2"],
      ["TypeError", "2"],
    ]);
  },
);

behaviour(
  "bad input 8: unknown fields of an envelope are ignored, and optional ones of a wrong type",
  async (world) => {
    const process = await echoProcess(world);
    const odd = {
      unknown: { a: [1] },
      locale: 5,
      timezone: [],
      priority: "high",
      job_id: 17,
      queue_name: {},
      enqueued_at: "yesterday",
      exception_executions: "none",
      provider_job_id: { x: 1 },
      current_attributes: "none",
      continuation: { completed: [] },
    };
    await assertPerformed(world, process, [{ value: echo([1], odd) }, {
      value: echo([2], { job_id: "", priority: 1e99 }),
    }], [[1], [2]]);
    for (const { jobId, queue, waitMs } of process.events("job.performed")) {
      assert(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(jobId), jobId);
      assertEquals([queue, waitMs], [world.topic(), null]);
    }
  },
);

behaviour(
  "bad input 9: a record without a value (tombstone) is skipped and counted, never performed",
  async (world) => {
    const process = await echoProcess(world);
    await assertPerformed(world, process, [
      { value: null },
      { value: echo([1]) },
      { key: "key", value: null, headers: [["header", null]] },
      { value: echo([2]) },
      { key: "key", value: null },
    ], [[1], [2]]);
    assertEquals(process.events("record.skipped").map(({ offset, reason }) => [offset, reason]), [
      [0, "tombstone"],
      [2, "tombstone"],
      [4, "tombstone"],
    ]);
    assertEquals(process.events("job.performing").length, 2);
  },
);
