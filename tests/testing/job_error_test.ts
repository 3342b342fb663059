/** A job that fails must fail its test, whatever it throws. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { deno } from "../../tasks/process.ts";

/** An error of which reading a property throws. */
function withThrowingGetter(property: string): Error {
  const error = new Error("payment failed");
  return Object.defineProperty(error, property, {
    get() {
      throw new TypeError("the connection is closed");
    },
  });
}

const closed = () => {
  throw new TypeError("the connection is closed");
};
const revoked = Proxy.revocable(new Error("payment failed"), {});
revoked.revoke();

/** Thrown values. If `isKept`, the test gets the value itself, otherwise an error that names the job. */
const CASES: readonly { readonly name: string; readonly thrown: unknown; readonly isKept: boolean }[] = [
  ...["cause", "message", "name", "stack"].map((property) => ({
    name: `an error whose ${property} throws`,
    thrown: withThrowingGetter(property),
    isKept: true,
  })),
  { name: "a proxy that throws at each read", thrown: new Proxy(new Error("x"), { get: closed }), isKept: true },
  {
    name: "a proxy that throws at everything",
    thrown: new Proxy(new Error("x"), { get: closed, has: closed, ownKeys: closed, getPrototypeOf: closed }),
    isKept: false,
  },
  { name: "a proxy that was revoked", thrown: revoked.proxy, isKept: false },
  { name: "an error that cannot be changed", thrown: Object.freeze(new Error("payment failed")), isKept: true },
  { name: "undefined", thrown: undefined, isKept: false },
  { name: "null", thrown: null, isKept: false },
  { name: "a string", thrown: "payment failed", isKept: false },
  { name: "a symbol", thrown: Symbol("payment"), isKept: false },
  { name: "an object without a prototype", thrown: Object.create(null), isKept: false },
  {
    name: "an object that cannot be inspected",
    thrown: { [Symbol.for("nodejs.util.inspect.custom")]: closed },
    isKept: false,
  },
];

let thrown: unknown;
class FailJob extends Job {
  perform(): void {
    throw thrown;
  }
}

const app = new App({
  name: "payments",
  broker: "memory:",
  jobs: [FailJob],
  topics: [
    activeJobTopic("default"),
    activeJobTopic("orders", { deadLetterQueue: { topic: "dead", maxRetries: 0 } }),
  ],
  logger: false,
});

for (const { name, isKept, ...each } of CASES) {
  Deno.test(`a job that throws ${name} fails the test`, async () => {
    thrown = each.thrown;
    for (const queue of ["default", "orders"]) {
      await using t = TestApp.of(app);
      await FailJob.set({ queue }).performLater();
      // In an object: a promise would read the error's `then`.
      const failure = await t.performEnqueuedJobs().then(() => null, (error: unknown) => ({ error }));
      assert(failure !== null, "the test is green");
      const origin = `FailJob() on ${queue} at attempt 1, from ${queue}/0@0`;
      if (isKept) assert(failure.error === thrown);
      else assertStringIncludes((failure.error as Error).message, `${origin}, threw `);
      t.assertNoPerformedJobs();
    }
  });
}

Deno.test("a fault whose function throws undefined ends the run and fails the test", async () => {
  thrown = new Error("never thrown");
  await using t = TestApp.of(app);
  await FailJob.performLater();
  t.faults.revoke(() => {
    throw undefined;
  });
  const outcome = await t.performEnqueuedJobs().then(() => null, (error: unknown) => ({ error }));
  assertEquals(outcome, { error: undefined });
});

Deno.test("a block that throws undefined fails the test", async () => {
  await using t = TestApp.of(app);
  for (const call of [(b: () => void) => t.performEnqueuedJobs(b), (b: () => void) => t.assertNoEnqueuedJobs(b)]) {
    const outcome = await call(() => {
      throw undefined;
    }).then(() => null, (error: unknown) => ({ error }));
    assertEquals(outcome, { error: undefined });
  }
});

Deno.test("the test runner shows a failed test for an error that cannot be read, and goes on", async () => {
  const { code, stdout } = await deno(["test", "--no-check", "tests/testing/suite/unreadable.ts"], {
    env: { NO_COLOR: "1" },
  });
  assertEquals(code, 1, stdout);
  assertStringIncludes(stdout, "UnreadableJob('message') on default at attempt 1");
  assertStringIncludes(stdout, "1 passed | 4 failed");
});

Deno.test("an error of a job is thrown as it is, with the job named at the end of its causes", async () => {
  thrown = new RangeError("payment failed");
  await using t = TestApp.of(app);
  await FailJob.performLater();
  const error = await assertRejects(() => t.performEnqueuedJobs(), RangeError, "payment failed");
  assertEquals(error.cause, "FailJob() on default at attempt 1, from default/0@0");
});
