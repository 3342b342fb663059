/** Uses the test kit as a test would, and prints the failures that it must report. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { every } from "@activejob/kafka/recurring";
import { TestApp } from "@activejob/kafka/testing";

class HelloJob extends Job {
  perform(_name: string): void {}
}

class FailingJob extends Job {
  perform(): void {
    throw new RangeError("as it should");
  }
}

const recurring = [every("0 3 * * *", HelloJob.of("nightly"), { timeZone: "Europe/Prague" })];
const topics = [activeJobTopic("default")];
const app = new App({ name: "kit", broker: "memory:", jobs: [HelloJob, FailingJob], topics, recurring });
const t = TestApp.of(app);
try {
  await HelloJob.performLater("kit");
  t.assertEnqueuedWith(HelloJob, { args: ["kit"], queue: "default" });
  await t.performEnqueuedJobs();
  t.assertPerformedJobs(1, { only: HelloJob });
  await t.clock.advance({ days: 2 });
  await t.performEnqueuedJobs();
  t.assertPerformedJobs(3, { only: HelloJob });
  await FailingJob.performLater();
  for (const failing of [() => t.assertPerformedJobs(2, { only: HelloJob }), () => t.performEnqueuedJobs()]) {
    try {
      await failing();
      console.log("no failure");
    } catch (error) {
      console.log((error as Error).name);
    }
  }
} finally {
  await t[Symbol.asyncDispose]();
}
