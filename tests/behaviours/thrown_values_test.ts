/** Values that a job throws or returns, valid or not. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, Job } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";

behaviour(
  "R4: a job throws undefined, a string, or an error whose getters throw: it is retried, and no record is skipped or reordered",
  async (world) => {
    const runs: string[] = [];
    const circular = new Error("circular");
    circular.cause = circular;
    class ThrowingGettersError extends Error {
      override get message(): string {
        throw new Error("a getter that throws");
      }
      override get stack(): string {
        throw new Error("a getter that throws");
      }
    }
    Object.defineProperty(ThrowingGettersError.prototype, "name", {
      get() {
        throw new Error("a getter that throws");
      },
    });
    const throwing = new Proxy({}, {
      get() {
        throw new Error("a trap that throws");
      },
      getPrototypeOf() {
        throw new Error("a trap that throws");
      },
    });
    const thrown: unknown[] = [
      undefined,
      null,
      "text",
      0,
      10n ** 40n,
      Symbol("s"),
      () => {},
      Object.create(null),
      new ThrowingGettersError(),
      circular,
      throwing,
      { message: 5, name: {}, stack: null },
      new Error("x".repeat(1_000_000)),
      new AggregateError([], ""),
    ];
    class ThrowingJob extends Job {
      perform(n: number, later: boolean) {
        runs.push(`${n}${later ? " later" : ""}`);
        if (this.attempt > 1) return;
        // deno-lint-ignore no-explicit-any
        if (later) return Promise.reject(thrown[n]) as any;
        throw thrown[n];
      }
    }
    const process = await world.process({ jobs: [ThrowingJob], backoff: { initialMs: 1, jitter: 0 } });
    for (let n = 0; n < thrown.length; n++) {
      await ThrowingJob.performLater(n, false);
      await ThrowingJob.performLater(n, true);
    }
    await process.start();
    await process.untilEvents("job.performed", 2 * thrown.length);
    await process.stop();
    assertEquals(runs, thrown.flatMap((_, n) => [`${n}`, `${n}`, `${n} later`, `${n} later`]));
    const errors = process.events("job.failed").map(({ error }) => error);
    assertEquals(errors.length, 2 * thrown.length);
    for (const { errorClass, message, stack } of errors) {
      assert(typeof errorClass === "string" && errorClass !== "");
      assert(typeof message === "string" && message.length <= 4000);
      assert(stack === undefined || (typeof stack === "string" && stack.length <= 4000));
    }
    assertEquals(errors.slice(0, 6).map(({ errorClass, message }) => [errorClass, message]), [
      ["undefined", ""],
      ["undefined", ""],
      ["null", "null"],
      ["null", "null"],
      ["string", "text"],
      ["string", "text"],
    ]);
  },
);

behaviour(
  "R4: a job changes its own fields or returns an odd value: neither its record nor the next one is harmed",
  async (world) => {
    const runs: string[] = [];
    const tricks: Record<string, (job: Job) => unknown> = {
      "returns a thenable that throws": () => ({
        get then() {
          throw new Error("no then");
        },
      }),
      "returns a thenable that rejects with nothing": () => ({
        then: (_: unknown, reject: () => void) => reject(),
      }),
      "returns a thenable that settles three times": () => ({
        then(resolve: () => void, reject: () => void) {
          resolve();
          reject();
          throw new Error("too late");
        },
      }),
      "overwrites its fields": (job) =>
        void Object.assign(job, { jobId: 5, attempt: 99, executions: -1, queueName: null }),
      "freezes itself": (job) => Object.freeze(job) && undefined,
      "deletes its fields": (job) => Object.getOwnPropertyNames(job).forEach((name) => delete job[name as never]),
      "has no class any more": (job) => void Object.setPrototypeOf(job, null),
      "returns itself": (job) => job,
    };
    class TrickJob extends Job {
      perform(trick: string) {
        runs.push(trick);
        return tricks[trick]!(this);
      }
    }
    class FieldJob extends Job {
      constructor() {
        super();
        this.perform = 5 as never;
      }
      perform() {}
    }
    class ConstructorJob extends Job {
      constructor() {
        super();
        throw new Error("not to be made");
      }
      perform() {}
    }
    const process = await world.process({
      jobs: [TrickJob, FieldJob, ConstructorJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 1 } })],
      backoff: { initialMs: 1, jitter: 0 },
    });
    const names = Object.keys(tricks);
    for (const name of names) await TrickJob.performLater(name);
    await process.app.flush();
    await world.append(
      ["FieldJob", "ConstructorJob"].map((name) => ({ value: `{"job_class":"${name}","arguments":[]}` })),
    );
    await process.start();
    await world.untilCommitted(names.length + 2);
    assertEquals(runs, [names[0], names[0], names[1], names[1], ...names.slice(2)]);
    assertEquals(process.events("record.dead_lettered").map(({ error }) => [error.errorClass, error.message]), [
      ["Error", "no then"],
      ["undefined", ""],
      ["TypeError", "job.perform is not a function"],
      ["Error", "not to be made"],
    ]);
    for (const { jobId, attempt } of process.events("job.performed")) {
      assertEquals([typeof jobId, attempt], [
        "string",
        1,
      ]);
    }
  },
);
