/** Error handlers of a class: which one decides, how often a job runs, and when it counts as given up. */
import {
  activeJobTopic,
  App,
  ContinuationError,
  DeserializationError,
  EnqueueError,
  type ErrorInfo,
  InvalidConfigurationError,
  Job,
  TimeoutError,
} from "../../mod.ts";
import { planOf } from "../../src/job/declarations.ts";
import { handleError } from "../../src/job/error_handlers.ts";
import type { RetryOptions } from "../../mod.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

class Busy extends Error {}
class VeryBusy extends Busy {}
class Gone extends Error {}

const log: string[] = [];

abstract class ApplicationJob extends Job {
  static {
    this.discardOn(Gone, (_job, error) => void log.push(`gone: ${error.message}`));
    this.rescueFrom(Error, () => void log.push("parent rescues"));
    this.afterDiscard((_job, error) => void log.push(`discarded ${(error as Error).name}`));
  }
}

/** Performs a job that throws this, and returns what its handlers wrote. */
async function handle(Class: new () => Job, thrown: unknown): Promise<string[]> {
  log.length = 0;
  class ThrowingJob extends (Class as unknown as typeof Job) {
    perform() {
      throw thrown;
    }
  }
  await (ThrowingJob as unknown as { performNow(): Promise<unknown> }).performNow();
  return [...log];
}

Deno.test("the handler declared last decides, then those of the parent", async () => {
  class ChildJob extends ApplicationJob {
    static {
      this.rescueFrom(Busy, () => void log.push("first"));
      this.rescueFrom([VeryBusy, RangeError], (_job, error) => void log.push(`last ${error.constructor.name}`));
    }
    perform() {}
  }
  assertEquals(await handle(ChildJob, new Busy()), ["first"]);
  assertEquals(await handle(ChildJob, new VeryBusy()), ["last VeryBusy"]);
  assertEquals(await handle(ChildJob, new RangeError()), ["last RangeError"]);
  assertEquals(await handle(ChildJob, new TypeError()), ["parent rescues"]);
});

Deno.test("a cause is handled if its error is not; a circle of causes ends", async () => {
  class CauseJob extends Job {
    static {
      this.discardOn(Gone, (_job, error) => void log.push(error.message));
    }
    perform() {}
  }
  const outer = new Error("outer", { cause: new TypeError("middle", { cause: new Gone("inner") }) });
  assertEquals(await handle(CauseJob, outer), ["inner"]);
  const circle = new Error("circle");
  circle.cause = circle;
  await assertRejects(() => handle(CauseJob, circle), Error, "circle");
});

Deno.test("a discarded job is given up once; a rescued one is not; a handler's own error takes the place of the job's", async () => {
  class DiscardJob extends ApplicationJob {
    static {
      this.discardOn(Gone);
      this.rescueFrom(TypeError, () => {
        throw new SyntaxError("in the handler");
      });
    }
    perform() {}
  }
  assertEquals(await handle(DiscardJob, new Gone("a")), ["discarded Error"]);
  await assertRejects(() => handle(DiscardJob, new TypeError("a")), SyntaxError, "in the handler");
  assertEquals(log, ["discarded SyntaxError"]);
});

Deno.test("an error without a handler is thrown, and the job is given up", async () => {
  class PlainJob extends Job {
    static {
      this.afterDiscard((job, error) => void log.push(`${job.executions} ${(error as Error).message}`));
    }
    perform() {}
  }
  await assertRejects(() => handle(PlainJob, new Error("no handler")), Error, "no handler");
  assertEquals(log, ["1 no handler"]);
});

Deno.test("an error of another copy of this library is handled by the class of the same name", async () => {
  const copy: typeof import("../../src/errors.ts") = await import(`../../src/errors.ts?${"copy"}`);
  assert(copy.TimeoutError !== TimeoutError);
  class OwnTimeout extends TimeoutError {}
  class CopyJob extends Job {
    static {
      this.discardOn(TimeoutError, () => void log.push("timeout"));
      this.discardOn([DeserializationError, ContinuationError], (_job, { name }) => void log.push(name));
      this.discardOn(OwnTimeout, () => void log.push("own"));
    }
    perform() {}
  }
  assertEquals(await handle(CopyJob, new copy.TimeoutError("late")), ["timeout"]);
  assertEquals(await handle(CopyJob, new OwnTimeout("late")), ["own"]);
  assertEquals(await handle(CopyJob, new copy.DeserializationError("gone")), ["DeserializationError"]);
  assertEquals(await handle(CopyJob, new copy.ContinuationError("order")), ["ContinuationError"]);
  await assertRejects(() => handle(CopyJob, new copy.ShutdownError("stop")), copy.ShutdownError);
});

Deno.test("each afterDiscard is called although one throws; performNow() then throws the last of their errors", async () => {
  class TwoBlocksJob extends Job {
    static {
      this.discardOn(Gone);
      this.retryOn(Busy, { attempts: 1 }, () => void log.push("exhausted"));
      for (const place of ["first", "second"]) {
        this.afterDiscard(() => {
          log.push(place);
          throw new SyntaxError(place);
        });
      }
      this.afterDiscard(() => void log.push("third"));
    }
    perform() {}
  }
  await assertRejects(() => handle(TwoBlocksJob, new Gone()), SyntaxError, "second");
  assertEquals(log, ["first", "second", "third"]);
  await assertRejects(() => handle(TwoBlocksJob, new Busy()), SyntaxError, "second");
  assertEquals(log, ["exhausted", "first", "second", "third"]);
});

/** Returns the outcome of the n-th run of a class that retries `Busy`. */
async function retryOf(options: RetryOptions, runs: number, withBlock = false) {
  class RetryingJob extends Job {
    static {
      this.retryOn([Busy, Gone], options, withBlock ? () => void log.push("exhausted") : undefined);
      this.afterDiscard(() => void log.push("discarded"));
    }
    perform() {}
  }
  const job = RetryingJob.of();
  let outcome;
  for (let run = 1; run <= runs; run++) {
    outcome = await handleError(planOf(RetryingJob), job, run % 2 === 0 ? new Gone() : new Busy());
    if (outcome.kind === "retry") {
      Object.defineProperty(job, "exceptionExecutions", {
        value: outcome.retry.exceptionExecutions,
        configurable: true,
      });
    }
  }
  return outcome!;
}

Deno.test("retryOn() counts the runs of its errors together, the first one included", async () => {
  const retry = await retryOf({ attempts: 3, jitter: 0 }, 2);
  assert(retry.kind === "retry");
  assertEquals(retry.retry, {
    waitMs: 3000,
    queue: undefined,
    priority: undefined,
    inPlace: false,
    exceptionExecutions: { "[Busy, Gone]": 2 },
  });
  log.length = 0;
  const last = await retryOf({ attempts: 3 }, 3);
  assertEquals([last.kind, last.kind === "failed" && last.isFinal, log], ["failed", true, []]);
  assertEquals([(await retryOf({ attempts: 3 }, 3, true)).kind, log], ["exhausted", ["exhausted"]]);
  assertEquals((await retryOf({ attempts: "unlimited" }, 50)).kind, "retry");
});

Deno.test("the wait of retryOn(): constant, polynomial, or a function, with jitter only for the first two", async () => {
  const waitOf = async (options: RetryOptions, runs: number) => {
    const outcome = await retryOf({ attempts: "unlimited", ...options }, runs);
    assert(outcome.kind === "retry");
    return outcome.retry.waitMs;
  };
  const polynomial = { wait: "polynomiallyLonger", jitter: 0 } as const;
  assertEquals(await Promise.all([1, 2, 3, 4].map((runs) => waitOf(polynomial, runs))), [
    3000,
    18_000,
    83_000,
    258_000,
  ]);
  const byFunction: RetryOptions = {
    wait: (executions, error) => ({ seconds: executions * (error instanceof Gone ? 10 : 1) }),
  };
  assertEquals([await waitOf(byFunction, 1), await waitOf(byFunction, 2)], [1000, 20_000]);
  for (let round = 0; round < 20; round++) {
    const waitMs = await waitOf({ wait: { seconds: 10 }, jitter: 0.5 }, 1);
    assert(waitMs >= 10_000 && waitMs <= 15_000, `${waitMs}`);
    const longerMs = await waitOf({ wait: "polynomiallyLonger" }, 2);
    assert(longerMs >= 18_000 && longerMs <= 16_000 * 1.15 + 2000, `${longerMs}`);
  }
});

Deno.test("a wrong declaration is refused where it is made", () => {
  class WrongJob extends Job {
    perform() {}
  }
  const wrong: [() => void, string][] = [
    [() => WrongJob.retryOn([]), "WrongJob.retryOn() needs error classes, but it is given an empty array"],
    [() => WrongJob.discardOn("Gone" as never), 'WrongJob.discardOn() needs error classes, but it is given "Gone"'],
    [
      () => WrongJob.retryOn(Gone, { wait: { second: 3 } as never }),
      'Option "wait" of WrongJob.retryOn() must be a duration',
    ],
    [() => WrongJob.retryOn(Gone, { wait: 3 as never }), 'Option "wait" of WrongJob.retryOn() must be a duration'],
    [() => WrongJob.retryOn(Gone, { attempts: 0 }), "an integer from 1 up"],
    [() => WrongJob.retryOn(Gone, { jitter: 2 }), "a number from 0 to 1"],
    [
      () => WrongJob.retryOn(Gone, { inPlace: true, queue: "slow" }),
      'WrongJob.retryOn() cannot have "queue" or "priority" with "inPlace"',
    ],
    [() => WrongJob.retryOn(Gone, { inPlace: true, priority: 1 }), 'cannot have "queue" or "priority"'],
    [
      () => WrongJob.rescueFrom(Gone, undefined as never),
      "WrongJob.rescueFrom() needs a function, but it is given undefined",
    ],
  ];
  for (const [declare, message] of wrong) assertThrows(declare, InvalidConfigurationError, message);
  assertEquals(planOf(WrongJob).errorHandlers.length, 0);
});

class SyncJob extends Job {
  static {
    this.retryOn(Busy, { attempts: 2, wait: { seconds: 0 }, queue: "slow", priority: 9 });
    this.beforeEnqueue((job) => {
      if (job.executions > 0 && job.args[0] === "halt") job.queueName = "missing";
    });
  }
  perform(_what: string) {
    throw new Busy("busy");
  }
}

Deno.test("performNow() enqueues a retry, with the job's id and its counters", async () => {
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [SyncJob],
    topics: [activeJobTopic("default"), activeJobTopic("slow")],
    logger: false,
  });
  const enqueued: string[] = [];
  app.on("job.enqueued", ({ queue }) => enqueued.push(queue));
  assertEquals([await SyncJob.performNow("a"), enqueued], [undefined, ["slow"]]);
  const refused = await assertRejects(
    () => SyncJob.performNow("halt"),
    EnqueueError,
    'No topic declares the queue "missing"',
  );
  assert(refused.cause instanceof Busy);
});

Deno.test("performNow() without an App throws that a retry has no place to go", async () => {
  const refused = await assertRejects(() => SyncJob.performNow("a"), EnqueueError, "Cannot retry SyncJob(");
  assert(refused.cause instanceof Busy);
});

Deno.test("retryJob() from inside of perform enqueues the job again, also if it is not awaited", async () => {
  const ids: string[] = [];
  class AgainJob extends Job {
    perform(times: number) {
      ids.push(this.jobId);
      if (this.executions < times) void this.retryJob();
    }
  }
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [AgainJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  const errors: ErrorInfo[] = [];
  app.on("error.occurred", ({ error }) => errors.push(error));
  const { jobId } = await AgainJob.performLater(3);
  for (let run = 0; run < 3; run++) await app.worker().run(undefined, { once: true });
  assertEquals([ids, errors], [[jobId, jobId, jobId], []]);
});

Deno.test("a retryJob() that is not awaited and is refused fails the run", async () => {
  class LostJob extends Job {
    perform() {
      void this.retryJob({ queue: "missing" });
    }
  }
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [LostJob],
    topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
    logger: false,
  });
  const failed: string[] = [];
  app.on("job.failed", ({ error }) => failed.push(error.errorClass));
  await LostJob.performLater();
  await app.worker().run(undefined, { once: true });
  assertEquals(failed, ["EnqueueError"]);
  await assertRejects(() => LostJob.performNow(), EnqueueError, 'No topic declares the queue "missing"');
});

Deno.test("a thrown value that throws at each read is an error without a handler", async () => {
  class HostileJob extends Job {
    static {
      this.retryOn(Busy);
    }
    perform() {}
  }
  const hostile = new Proxy({}, {
    get: () => {
      throw new Error("read");
    },
    getPrototypeOf: () => {
      throw new Error("read");
    },
  });
  await assertRejects(() => handle(HostileJob, hostile));
  await assertRejects(() => handle(HostileJob, undefined).then(() => {}, () => Promise.reject(new Error("undefined"))));
});
