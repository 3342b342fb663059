import { TestApp } from "@activejob/kafka/testing";
import { app, CountJob } from "./counter.ts";

for (const jobs of [1, 2, 3, 4, 5]) {
  Deno.test(`three: ${jobs} jobs`, async () => {
    await using t = TestApp.of(app);
    for (let number = 1; number <= jobs; number++) await CountJob.performLater(number);
    t.faults.crashBeforeMark(CountJob);
    await t.performEnqueuedJobs();
    t.assertPerformedJobs(jobs + 1);
  });
}
