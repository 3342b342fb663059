/** Recurring jobs in the test kit: the clock of a test enqueues the ticks that it passes. */
import { activeJobTopic, App, InvalidConfigurationError, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { TestApp } from "@activejob/kafka/testing";
import { assertEquals, assertRejects } from "@std/assert";

const ran: string[] = [];

class NightlyJob extends Job {
  perform() {
    ran.push(this.jobId);
  }
}
class SyncJob extends Job {
  perform() {}
}

const app = new App({
  name: "recurring",
  broker: "memory:",
  jobs: [NightlyJob, SyncJob],
  topics: [activeJobTopic("default")],
  recurring: [
    every("0 3 * * *", NightlyJob.of(), { id: "nightly", timeZone: "Europe/Prague" }),
    every({ hours: 1 }, SyncJob.of(), { overlap: false }),
  ],
});

Deno.test("each tick that the clock of a test passes is enqueued, and performed like any job", async () => {
  await using t = TestApp.of(app);
  ran.length = 0;
  assertEquals(await t.performEnqueuedJobs(), 0);
  await t.clock.advance({ days: 3 });
  t.assertEnqueuedJobs(3, { only: NightlyJob });
  // With overlap: false, the first one waits.
  t.assertEnqueuedJobs(1, { only: SyncJob });
  assertEquals([await t.performEnqueuedJobs(), ran.length, new Set(ran).size], [4, 3, 3]);
  await t.performEnqueuedJobs({ at: new Date(t.clock.nowMs() + 3_600_000) });
  t.assertPerformedJobs(2, { only: SyncJob });
  await t.clock.advance({ milliseconds: 1 });
  assertEquals(await t.performEnqueuedJobs(), 0);
});

Deno.test("a recurring job is run by hand in a test", async () => {
  await using t = TestApp.of(app);
  const job = await t.app.runRecurring("nightly");
  t.assertEnqueuedJobs(1, { only: NightlyJob });
  assertEquals([await t.performEnqueuedJobs(), ran.at(-1)], [1, job.jobId]);
  await assertRejects(() => t.app.runRecurring("SyncJb"), InvalidConfigurationError, 'did you mean "SyncJob"?');
});

Deno.test("a move of the clock over too many ticks is refused", async () => {
  await using t = TestApp.of(app);
  await assertRejects(() => t.clock.advance({ days: 500 }), InvalidConfigurationError, "more than 10000 ticks");
});
