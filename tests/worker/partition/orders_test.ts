/** Orders about jobs that a worker cannot perform, since a deploy is to bring their class or their key. */
import { activeJobTopic, App, encryption, Job } from "@activejob/kafka";
import { assertEquals } from "@std/assert";
import { until } from "../../support/until.ts";

class KnownJob extends Job {
  perform() {}
}
class LaterJob extends KnownJob {}

Deno.test("a job is cancelled whose class, or whose key of encryption, is unknown", async () => {
  const options = {
    name: "shop",
    broker: "memory:orders-test",
    topics: [activeJobTopic("default")],
    logger: false,
  } as const;
  const keys = [{ id: "new", key: new Uint8Array(32) }];
  await using sender = new App({ ...options, jobs: [KnownJob, LaterJob] });
  await using encrypting = new App({ ...options, jobs: [KnownJob], encryption: encryption({ keys }) });
  await using app = new App({ ...options, jobs: [KnownJob] });
  const jobs = [await sender.enqueue(LaterJob.of()), await encrypting.enqueue(KnownJob.of())];
  for (const { jobId } of jobs) await app.cancel(jobId);
  const cancelled: unknown[] = [];
  let pauses = 0;
  app.on("job.cancelled", ({ jobId, jobClass, state }) => void cancelled.push([jobId, jobClass, state]));
  app.on("partition.paused", () => void pauses++);
  const stop = new AbortController();
  const run = app.worker().run(stop.signal);
  await until(() => cancelled.length + pauses >= 2, () => `Only ${cancelled}`);
  stop.abort();
  await run;
  assertEquals([cancelled, pauses], [
    [[jobs[0]!.jobId, "LaterJob", "waiting"], [jobs[1]!.jobId, "KnownJob", "waiting"]],
    0,
  ]);
});
