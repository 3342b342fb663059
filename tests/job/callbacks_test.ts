/** Callbacks around enqueuing and performing: their order, halting, and what passes through them. */
import { Abort, activeJobTopic, App, EnqueueError, Job, performAllLater } from "../../mod.ts";
import { runCallbacks } from "../../src/job/callbacks.ts";
import { planOf } from "../../src/job/declarations.ts";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";

const log: string[] = [];

/** Declares one callback of each kind, which write their names with a prefix. */
function declareAll(Class: typeof Job, prefix: string): void {
  Class.beforePerform(() => void log.push(`${prefix} before`));
  Class.aroundPerform(async (_job, perform) => {
    log.push(`${prefix} around {`);
    await perform();
    log.push(`${prefix} }`);
  });
  Class.afterPerform(() => void log.push(`${prefix} after`));
}

abstract class ParentJob extends Job {
  static {
    declareAll(this, "parent");
  }
}
class ChildJob extends ParentJob {
  static {
    declareAll(this, "child");
  }
  perform(text: string) {
    log.push(`perform ${text}`);
    return text.length;
  }
}

Deno.test("callbacks run in the order of their declaration, from the parent inwards, and after it outwards", async () => {
  log.length = 0;
  assertEquals(await ChildJob.performNow("abc"), 3);
  assertEquals(log, [
    "parent before",
    "parent around {",
    "child before",
    "child around {",
    "perform abc",
    "child after",
    "child }",
    "parent after",
    "parent }",
  ]);
  assertEquals([planOf(ParentJob).perform.length, planOf(ChildJob).perform.length], [3, 6]);
});

Deno.test("a class that declares nothing shares one plan; a later declaration of its parent is seen", async () => {
  abstract class LateJob extends Job {}
  class LeafJob extends LateJob {
    perform() {
      return this.priority;
    }
  }
  assertEquals([planOf(LeafJob) === planOf(LateJob), await LeafJob.performNow()], [true, null]);
  LateJob.beforePerform((job) => void (job.priority = 7));
  assertEquals(await LeafJob.performNow(), 7);
});

Deno.test("Abort in a callback before or around halts: perform and all after it are skipped, what is around goes on", async () => {
  for (const kind of ["before", "around", "around without perform"] as const) {
    const seen: string[] = [];
    class HaltedJob extends Job {
      static {
        this.afterPerform(() => void seen.push("outer after"));
        this.aroundPerform(async (_job, perform) => {
          seen.push(`outer ${await perform()}`);
        });
        if (kind === "before") {
          this.beforePerform(() => {
            throw new Abort();
          });
        } else {
          this.aroundPerform(() => {
            if (kind === "around") throw new Abort();
          });
        }
        this.afterPerform(() => void seen.push("inner after"));
      }
      perform() {
        seen.push("perform");
      }
    }
    assertEquals([await HaltedJob.performNow(), seen], [undefined, ["outer undefined"]]);
  }
});

Deno.test("Abort in perform, or in a callback after it, is an error like any other", async () => {
  class AbortingJob extends Job {
    static {
      this.beforePerform(() => {});
      this.afterPerform((job) => {
        if (job.args[0] === "after") throw new Abort("too late");
      });
    }
    perform(place: string) {
      if (place === "perform") throw new Abort("inside");
    }
  }
  await assertRejects(() => AbortingJob.performNow("perform"), Abort, "inside");
  await assertRejects(() => AbortingJob.performNow("after"), Abort, "too late");
});

Deno.test("a callback around that does not wait for perform is waited for, and its error is the job's", async () => {
  const seen: string[] = [];
  class ImpatientJob extends Job {
    static {
      this.aroundPerform((_job, perform) => void perform());
      this.aroundPerform(async (_job, perform) => {
        try {
          await perform();
        } catch (error) {
          if ((error as Error).message !== "caught") throw error;
        }
      });
    }
    async perform(message: string) {
      await Promise.resolve();
      seen.push(message);
      if (message !== "") throw new RangeError(message);
    }
  }
  await ImpatientJob.performNow("");
  await ImpatientJob.performNow("caught");
  await assertRejects(() => ImpatientJob.performNow("thrown"), RangeError, "thrown");
  assertEquals(seen, ["", "caught", "thrown"]);
});

Deno.test("a callback around may continue the job only once", async () => {
  class TwiceJob extends Job {
    static {
      this.aroundPerform(async (_job, perform) => {
        await perform();
        await perform();
      });
    }
    perform() {}
  }
  await assertRejects(() => TwiceJob.performNow(), Error, "may continue it only once");
});

Deno.test("a callback that is not a function is refused where it is declared", () => {
  class WrongJob extends Job {
    perform() {}
  }
  assertThrows(
    () => WrongJob.beforeEnqueue("notify" as never),
    Error,
    'WrongJob.beforeEnqueue() needs a function, but it is given "notify"',
  );
});

class MailJob extends Job {
  static seen: string[] = [];
  static {
    this.beforeEnqueue((job) => {
      MailJob.seen.push(`before ${job.args[0]}`);
      if (job.args[0] === "halt") throw new Abort();
      if (job.args[0] === "fail") throw new RangeError("not now");
    });
    this.aroundEnqueue(async (job, enqueue) => {
      await enqueue();
      MailJob.seen.push(`around ${job.args[0]} ${job.status}`);
    });
    this.afterEnqueue((job) => void MailJob.seen.push(`after ${job.args[0]}`));
  }
  perform(_text: string) {}
}

function mailApp(): App {
  return new App({
    name: "mail",
    broker: "memory:",
    jobs: [MailJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
}

Deno.test("callbacks around enqueuing: a halted job is not enqueued, an error is the caller's", async () => {
  await using app = mailApp();
  MailJob.seen = [];
  const halted: string[] = [];
  app.on("job.enqueue_halted", ({ jobClass, queue }) => halted.push(`${jobClass} ${queue}`));
  assertEquals((await MailJob.performLater("a")).enqueued, true);
  const job = MailJob.of("halt");
  const delivered = assertRejects(() => job.delivered(), EnqueueError, "a callback halted it");
  await app.enqueue(job);
  await delivered;
  await assertRejects(() => job.delivered(), EnqueueError, "a callback halted it");
  assertEquals([job.enqueued, job.status, halted], [false, "halted", ["MailJob default"]]);
  await assertRejects(() => MailJob.performLater("fail"), RangeError, "not now");
  assertEquals(MailJob.seen, ["before a", "after a", "around a buffered", "before halt", "before fail"]);
});

Deno.test("performAllLater() calls no callbacks", async () => {
  await using _ = mailApp();
  MailJob.seen = [];
  const jobs = await performAllLater([MailJob.of("halt"), MailJob.of("b")]);
  assertEquals([jobs.map((job) => job.enqueued), MailJob.seen], [[true, true], []]);
});

Deno.test("runCallbacks() says whether the action was reached", async () => {
  const job = MailJob.of("x");
  assertEquals(await runCallbacks([], job, () => 5), { isHalted: false, value: 5 });
  const halt = { kind: "before" as const, fn: () => Promise.reject(new Abort()) };
  assertEquals(await runCallbacks([halt], job, () => 5), { isHalted: true });
});
