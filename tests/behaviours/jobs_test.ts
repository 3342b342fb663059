/** Rows A: jobs are enqueued and performed. */
import { assertEquals } from "@std/assert";
import { Job } from "../../mod.ts";
import { row } from "./harness.ts";

row("A1: a job that throws the first time is performed again after the backoff and done: 2 runs", async (world) => {
  const attempts: number[] = [];
  class FlakyJob extends Job {
    perform() {
      attempts.push(this.attempt);
      if (this.attempt === 1) throw new Error("not yet");
    }
  }
  const process = await world.process({ jobs: [FlakyJob] });
  const job = await FlakyJob.performLater();
  await process.start();
  const [performed] = await process.heard("job.performed", 1);
  assertEquals(performed!.jobId, job.jobId);
  const [failed] = await process.heard("job.failed", 1);
  assertEquals([failed!.next, failed!.waitMs, failed!.error.message], ["retry", 20, "not yet"]);
  await process.stop();
  await process.drain();
  assertEquals(attempts, [1, 2]);
  assertEquals((await world.committed()).offset, 1);
});
