/** Row R4: what a job throws need not be an error. */
import { assert, assertEquals } from "@std/assert";
import { Job } from "../../mod.ts";
import { row } from "./harness.ts";

row("R4: what is no Error is retried like any other, no batch is skipped and the order is kept", async (world) => {
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
  await process.heard("job.performed", 2 * thrown.length);
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
});
