/** Every test of this file fails: the output is what a user reads. */
import { activeJobTopic, App, Job } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { app, CountJob } from "./counter.ts";

class BrokenJob extends Job {
  perform(id: number) {
    throw new RangeError(`no order ${id}`);
  }
}

Deno.test("counts", async () => {
  await using t = TestApp.of(app);
  await CountJob.performLater(7);
  t.assertEnqueuedJobs(2);
});

Deno.test("compares", async () => {
  await using t = TestApp.of(app);
  await CountJob.performLater(7);
  t.assertEnqueuedWith(CountJob, { args: [8] });
});

Deno.test("performs", async () => {
  await using other = new App({
    ...app.options,
    name: "other",
    jobs: [BrokenJob],
    topics: [activeJobTopic("default")],
  });
  await using t = TestApp.of(other);
  await BrokenJob.performLater(7);
  await t.performEnqueuedJobs();
});
