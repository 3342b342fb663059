/** Jobs that are too large, throw odd values, never end, or end the process; and what the log shows of them. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, type EventMap, Job, TimeoutError } from "../../mod.ts";
import { BrokerError } from "../../src/errors.ts";
import { Child, CLI } from "../support/child.ts";
import { assertPoison, echo, EchoJob, echoProcess } from "../support/behaviours/bad_records.ts";
import type { CarelessSettings } from "../support/behaviours/children/careless_app.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { asString, headersAsStrings, until, type World } from "../support/behaviours/world.ts";

behaviour(
  "bad input 21: a value larger than maxPayloadBytes is dead-lettered without being parsed; one of that size is performed",
  async (world) => {
    const limit = 1000;
    const process = await echoProcess(world, { topic: { maxPayloadBytes: limit } });
    const filled = (bytes: number) => echo(["x".repeat(bytes - echo([""]).length)]);
    const dead = await assertPoison(world, process, [filled(limit + 1), filled(500_000), "{".repeat(limit + 1)]);
    assertEquals(dead.map(({ message }) => message), [
      "The value has 1001 bytes, but at most 1000 are read",
      "The value has 500000 bytes, but at most 1000 are read",
      "The value has 1001 bytes, but at most 1000 are read",
    ]);
    const again = await echoProcess(world, { topic: { maxPayloadBytes: limit } });
    await world.append([{ value: filled(limit) }]);
    await again.start();
    await again.untilEvents("job.performed", 1);
    assertEquals((EchoJob.got[0]![0] as string).length, limit - echo([""]).length);
  },
);

behaviour(
  "bad input 22: the broker refuses a dead letter: nothing is marked, the partition backs off, and the message of the event is bounded",
  async (world) => {
    world.allowErrors(/^dead letter: /);
    const runs: number[] = [];
    class FailingJob extends Job {
      perform(n: number) {
        runs.push(n);
        if (n === 1) throw new Error("always");
      }
    }
    // Too small for any form of a dead letter.
    await world.client.admin.create([{
      name: world.topic("dead"),
      partitions: 1,
      config: { "max.message.bytes": "80" },
    }]);
    const process = await echoProcess(world, {
      jobs: [FailingJob],
      topic: { deadLetterQueue: { topic: "dead", maxRetries: 0 }, backoff: { initialMs: 5, maxMs: 40, jitter: 0 } },
    });
    for (let n = 0; n < 3; n++) await FailingJob.performLater(n);
    await process.start();
    const paused = process.events("partition.paused");
    await until(() => paused.length >= 6, () => `6 pauses, but there were ${paused.length}`);
    assertEquals(paused.slice(0, 6).map(({ waitMs }) => waitMs), [5, 10, 20, 40, 40, 40]);
    assertEquals(runs, [0, 1]);
    assertEquals((await world.committed()).offset, 1);
    const refusals = process.events("error.occurred").filter(({ where }) => where === "dead letter");
    assertEquals(refusals[0]!.error.errorClass, "RecordTooLargeError");
    if (world.log !== null) {
      const before = refusals.length;
      world.log.failAppends(world.topic("dead"), {
        error: new BrokerError("no right! ".repeat(100_000)),
        written: "no",
      });
      await until(() => process.events("error.occurred").length > before + 2, () => "another refusal");
      const { error } = process.events("error.occurred").at(-1)!;
      assertEquals([error.errorClass, error.message.length <= 4096], ["BrokerError", true]);
    }
    await process.app.skip({ topic: world.topic(), partition: 0, offset: 1 });
    await until(() => runs.includes(2), () => "the next job");
    assertEquals(runs, [0, 1, 2]);
    assertEquals(await world.records("dead"), []);
  },
);

behaviour(
  "bad input 23: any thrown value is retried, and is described in the dead letter within 4 KB",
  async (world) => {
    const circular = new Error("circular");
    circular.cause = circular;
    const getters = Object.defineProperties(new Error(), {
      message: {
        get: () => {
          throw new Error("no message");
        },
      },
      name: {
        get: () => {
          throw new Error("no name");
        },
      },
      stack: {
        get: () => {
          throw new Error("no stack");
        },
      },
    });
    const thrown: unknown[] = [
      undefined,
      "text",
      Symbol("s"),
      getters,
      circular,
      new RangeError("ü".repeat(1_000_000)),
      Object.assign(new Error("odd"), { name: "Line\nbreak\u001b[31m" }),
      Object.assign(new Error("odd"), { name: "N".repeat(100_000) }),
      { then: () => {} },
    ];
    class ThrowingJob extends Job {
      perform(n: number) {
        throw thrown[n];
      }
    }
    const process = await echoProcess(world, {
      jobs: [ThrowingJob, EchoJob],
      topic: { deadLetterQueue: { topic: "dead", maxRetries: 1 }, backoff: { initialMs: 1, jitter: 0 } },
    });
    for (let n = 0; n < thrown.length; n++) await ThrowingJob.performLater(n);
    await EchoJob.performLater("after");
    await process.start();
    await process.untilEvents("job.performed", 1);
    assertEquals(process.events("job.failed").length, 2 * thrown.length);
    const dead = (await world.records("dead")).map(({ headers }) => headersAsStrings(headers));
    const described = dead.map((
      headers,
    ) => [headers["dead-letter-error-class"]!, headers["dead-letter-error-message"]!]);
    assertEquals(described.slice(0, 5), [
      ["undefined", ""],
      ["string", "text"],
      ["symbol", "Symbol(s)"],
      ["Error", "(no message)"],
      ["Error", "circular"],
    ]);
    assertEquals(described[5]![0], "RangeError");
    // 4096 bytes are 2048 such letters, none cut in half.
    assertEquals(described[5]![1], "ü".repeat(2048));
    assertEquals(described[6], ["Line\nbreak\u001b[31m", "odd"]);
    assertEquals([described[7]![0]!.length <= 4096, described[8]![0]], [true, "Object"]);
  },
);

behaviour(
  "bad input 24: a job exceeds its timeoutMs: its signal aborts, job.orphaned is emitted, and it fails once it settles",
  async (world) => {
    const aborted: unknown[] = [];
    const release = Promise.withResolvers<void>();
    class LateJob extends Job {
      async perform(n: number) {
        this.signal.addEventListener("abort", () => aborted.push([n, this.attempt, this.signal.reason]));
        // The first run ignores its signal; the next one ends at the abort.
        if (this.attempt === 1) await release.promise;
        else await new Promise((resolve) => this.signal.addEventListener("abort", resolve));
      }
    }
    const process = await echoProcess(world, {
      jobs: [LateJob, EchoJob],
      concurrency: 2,
      topic: { partitions: 2, timeoutMs: 30, timeoutGraceMs: 20, deadLetterQueue: { topic: "dead", maxRetries: 1 } },
    });
    await world.append([
      { partition: 0, value: echo([1], { job_class: "LateJob" }) },
      { partition: 0, value: echo(["behind"]) },
      { partition: 1, value: echo(["beside"]) },
    ]);
    await process.start();
    const [orphaned] = await process.untilEvents("job.orphaned", 1);
    assertEquals([orphaned!.reason, orphaned!.attempt, orphaned!.offset], ["timeout", 1, 0]);
    await until(() => EchoJob.got.length === 1, () => "the other partition's job");
    assertEquals(EchoJob.got, [["beside"]]);
    assertEquals(process.worker.running().map(({ jobClass, offset }) => [jobClass, offset]), [["LateJob", 0]]);
    assertEquals(process.events("job.failed"), []);
    release.resolve();
    await until(() => EchoJob.got.length === 2, () => "the job behind it");
    assertEquals(EchoJob.got, [["beside"], ["behind"]]);
    assertEquals(process.events("job.failed").map(({ error, attempt, next }) => [error.errorClass, attempt, next]), [
      ["TimeoutError", 1, "retry"],
      ["TimeoutError", 2, "dead_letter"],
    ]);
    assertEquals(aborted.map((each) => (each as unknown[]).slice(0, 2)), [[1, 1], [1, 2]]);
    for (const [, , reason] of aborted as unknown[][]) assert(reason instanceof TimeoutError);
    assertEquals((await world.records("dead")).map(({ value }) => asString(value)), [
      echo([1], { job_class: "LateJob" }),
    ]);
  },
);

behaviour(
  "bad input 24: a job calls Deno.exit: as after a crash, no job is lost, and the job runs again",
  { on: ["sqlite", "kafka"], because: "a memory log ends with its process" },
  async (world) => {
    await world.process({ jobs: [] });
    await world.append([0, 1, 2].map((n) => ({ value: echo([n], { job_class: "ExitJob" }) })));
    await using crashing = startCareless(world, true);
    const { code, stdout } = await crashing.ended();
    assertEquals([code, stdout], [7, ["performing 0", "performing 1"]]);
    await using restarted = startCareless(world, false);
    await restarted.line(/^performing 2$/);
    restarted.signal("SIGTERM");
    const end = await restarted.ended();
    // The end of a job just before the crash may not be committed: such a job runs again (at least once).
    assertEquals([end.code, end.stdout.slice(-2)], [0, ["performing 1", "performing 2"]]);
    await world.untilCommitted(3);
  },
);

behaviour(
  "bad input 24: a job leaves a rejected promise behind: the running jobs are named, and the worker goes on",
  async (world) => {
    if (world.log === null) {
      await world.process({ jobs: [] });
      await world.append([0, 1, 2].map((n) => ({ value: echo([n], { job_class: "LeaveJob" }) })));
    }
    await using child = startCareless(world, false, "--once");
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [0, ["performing 0", "performing 1", "performing 2"]]);
    const errors = stderr.map((line) => JSON.parse(line)).filter(({ event }) =>
      event === "error.occurred"
    ) as EventMap["error.occurred"][];
    assertEquals(errors.map(({ error }) => error.message), ["left behind"]);
    assert(errors[0]!.where.includes(`LeaveJob from ${world.topic()}/0@1`), errors[0]!.where);
  },
);

function startCareless(world: World, exits: boolean, ...args: string[]): Child {
  const settings: CarelessSettings = { broker: world.url, name: world.group, exits };
  return new Child([CLI, "worker", "--app", "tests/support/behaviours/children/careless_app.ts", ...args], {
    env: { CARELESS: JSON.stringify(settings) },
  });
}

behaviour(
  "bad input 25: line breaks, escapes and control characters in any field are escaped in each log line",
  async (world) => {
    const evil = "a\nb\r\u001b[2Jc\u0007\u009b31m\u2028d\u0000<script>";
    class EvilJob extends Job {
      perform(fails: boolean) {
        const circle: { itself?: unknown } = {};
        circle.itself = circle;
        this.logger.info(evil, { [evil]: evil, big: { n: 2n ** 64n }, circle });
        if (fails) throw Object.assign(new Error(evil), { name: evil });
      }
    }
    const written: Record<"pretty" | "json", string> = { pretty: "", json: "" };
    for (const format of ["pretty", "json"] as const) {
      const process = await echoProcess(world, {
        jobs: [EvilJob, EchoJob],
        topics: [
          activeJobTopic(format, { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 1 } }),
        ],
        logger: { level: "debug", format, write: (text) => written[format] += text },
      });
      await world.append([
        { key: evil, value: echo([false], { job_class: "EvilJob", job_id: evil, queue_name: evil }) },
        { value: echo([true], { job_class: "EvilJob", job_id: evil }) },
        { value: echo([], { job_class: evil, job_id: evil }) },
        { value: echo([], { scheduled_at: evil }) },
        { value: echo(["after"]) },
      ], format);
      await process.start();
      await until(() => EchoJob.got.length === 1, () => "the last job");
      await process.close();
      assertEquals(process.events("record.dead_lettered").length, 3);
      assertEquals(process.events("job.log").length, 3);
    }
    for (const [format, text] of Object.entries(written)) {
      const lines = text.split("\n");
      assertEquals(lines.pop(), "");
      // deno-lint-ignore no-control-regex
      for (const line of lines) assert(!/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(line), JSON.stringify(line));
      // The job logged three times.
      assertEquals(
        lines.filter((line) => line.includes("a\\nb") || line.includes("a\\u000ab")).length >= 3,
        true,
        format,
      );
    }
    const logged = written.json.trim().split("\n").map((line) => JSON.parse(line));
    const spoken = logged.filter(({ event }) => event === "job.log");
    assertEquals(spoken.map(({ message }) => message.endsWith(`: ${evil}`)), [true, true, true]);
    const details = { [evil]: evil, big: { n: "18446744073709551616" }, circle: { itself: "(circular)" } };
    assertEquals(spoken.map((line) => line.details), [details, details, details]);
  },
);
