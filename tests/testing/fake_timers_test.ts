/**
 * The test kit under faked timers: it works with the timers that it found when it was loaded, and the jobs have the
 * faked ones. The test that fakes them all loads the library that most projects use for it.
 */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assert, assertEquals, assertRejects } from "@std/assert";
import FakeTimers from "npm:@sinonjs/fake-timers@13.0.5";

/** The times at which jobs ran, on the clock that they see. */
const startedMs: number[] = [];

class QuickJob extends Job {
  perform() {
    startedMs.push(Date.now());
  }
}
/** Fails so many times. */
class FlakyJob extends Job {
  perform(failures: number) {
    if (this.attempt <= failures) throw new RangeError("busy");
  }
}
/** Waits for a timer of its own. */
class SlowJob extends Job {
  /** Resolves once the timer is set. */
  static waiting = Promise.withResolvers<void>();
  async perform(ms: number) {
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
      SlowJob.waiting.resolve();
    });
  }
}

const app = new App({
  name: "fake",
  broker: "memory:",
  jobs: [QuickJob, FlakyJob, SlowJob],
  topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead", maxRetries: 2 } })],
  logger: false,
});

/** Every combination of what a project fakes. */
const FAKES = [
  ["setTimeout", "clearTimeout", "Date"],
  [
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "setImmediate",
    "clearImmediate",
    "Date",
    "performance",
  ],
] as const;

for (const toFake of FAKES) {
  const fake = () => FakeTimers.install({ now: 0, toFake: [...toFake] });

  Deno.test(`a test performs, retries and dead-letters while ${toFake.join(", ")} are faked`, async () => {
    await using t = TestApp.of(app);
    const clock = fake();
    try {
      startedMs.length = 0;
      await QuickJob.performLater();
      assertEquals(await t.performEnqueuedJobs(), 1);
      assertEquals(startedMs, [0]);
      await FlakyJob.performLater(1);
      await assertRejects(() => t.performEnqueuedJobs(), RangeError, "busy");
      assertEquals(await t.performEnqueuedJobs({ retries: true }), 1);
      await t.performEnqueuedJobs({ retries: true }, () => FlakyJob.performLater(5));
      assertEquals(t.assertDeadLettered(FlakyJob).attempts, 3);
      t.faults.crashBeforeMark(QuickJob);
      assertEquals(await t.performEnqueuedJobs(() => QuickJob.performLater()), 2);
      await t[Symbol.asyncDispose]();
    } finally {
      clock.uninstall();
    }
  });

  Deno.test(`a job waits for the faked clock while ${toFake.join(", ")} are faked`, async () => {
    await using t = TestApp.of(app);
    const clock = fake();
    try {
      await SlowJob.performLater(3_600_000);
      let isOver = false;
      SlowJob.waiting = Promise.withResolvers<void>();
      const performing = t.performEnqueuedJobs().then((performed) => {
        isOver = true;
        return performed;
      });
      await SlowJob.waiting.promise;
      clock.tick(3_599_999);
      assert(!isOver);
      clock.tick(1);
      assertEquals(await performing, 1);
    } finally {
      clock.uninstall();
    }
  });
}

await app.close();
