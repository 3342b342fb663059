/** Orders about jobs that do not run: a deploy is to bring their class or their key, or a callback before them still runs. */
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

Deno.test("a job that is cancelled in beforePerform is not performed", async () => {
  const callback = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<AbortSignal>();
  let performed = 0;
  class PreparedJob extends Job {
    static {
      this.beforePerform((job) => {
        begun.resolve(job.signal);
        return callback.promise;
      });
    }
    perform() {
      performed++;
    }
  }
  await using app = new App({
    name: "shop",
    broker: "memory:",
    jobs: [PreparedJob],
    topics: [activeJobTopic("default")],
    logger: false,
  });
  const { jobId } = await app.enqueue(PreparedJob.of());
  const cancelled: unknown[] = [];
  app.on("job.cancelled", ({ jobId, state }) => void cancelled.push([jobId, state]));
  const stop = new AbortController();
  const run = app.worker().run(stop.signal);
  const signal = await begun.promise;
  await app.cancel(jobId);
  await until(() => signal.aborted, () => "The signal is not aborted");
  callback.resolve();
  await until(() => cancelled.length > 0 || performed > 0, () => "Neither performed nor cancelled");
  stop.abort();
  await run;
  assertEquals([performed, cancelled], [0, [[jobId, "running"]]]);
});
