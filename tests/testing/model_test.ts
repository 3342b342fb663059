/**
 * A random test of the kit: jobs on several partitions, selections, failures, lost partitions and lost marks. Each job
 * is performed as often as planned, and none is forgotten.
 */
import { activeJobTopic, App, Job, performAllLater } from "@activejob/kafka";
import { TestApp } from "@activejob/kafka/testing";
import { assertEquals } from "@std/assert";
import { Random } from "../support/random.ts";

/** The number of starts of each job, by its number. */
const starts = new Map<number, number>();

class CountJob extends Job {
  async perform(number: number, failures: number) {
    starts.set(number, (starts.get(number) ?? 0) + 1);
    if (number % 3 === 0) await new Promise((resolve) => setTimeout(resolve));
    if (this.attempt <= failures) throw new Error(`failed at attempt ${this.attempt}`);
  }
}

const app = new App({
  name: "model",
  broker: "kafka://localhost:1",
  jobs: [CountJob],
  topics: [
    activeJobTopic("default", { partitions: 3 }),
    activeJobTopic("other", { group: "another", deadLetterQueue: { topic: "dead" } }),
  ],
});

for (let seed = 1; seed <= 20; seed++) {
  Deno.test(`each job is performed as often as planned (seed ${seed})`, async () => {
    const random = new Random(seed);
    await using t = TestApp.of(app);
    starts.clear();
    const wantedStarts = new Map<number, number>();
    const wantedPasses = new Map<number, number>();
    for (let round = 0; round < 6; round++) {
      const jobs = Array.from({ length: random.integer(0, 8) }, () => {
        const number = wantedStarts.size;
        const [failures, crashes, revocations] = [0, 0, 0].map(() => random.chance(0.25) ? random.integer(1, 2) : 0);
        const isThis = (job: { readonly args: readonly unknown[] }) => job.args[0] === number;
        if (crashes! > 0) t.faults.crashBeforeMark(isThis, { times: crashes! });
        if (revocations! > 0) t.faults.revoke(isThis, { times: revocations! });
        wantedStarts.set(number, 1 + failures! + crashes! + revocations!);
        wantedPasses.set(number, 1 + crashes!);
        return CountJob.of(number, failures!).set({ queue: random.pick(["default", "other"]) });
      });
      await performAllLater(jobs);
      const divisor = random.integer(1, 3);
      const only = (job: { readonly args: readonly unknown[] }) => Number(job.args[0]) % divisor === 0;
      await t.performEnqueuedJobs({ retries: true, only, ...random.chance(0.3) ? { queue: "default" } : {} });
    }
    await t.performEnqueuedJobs({ retries: true });
    assertEquals(await t.performEnqueuedJobs(), 0);
    assertEquals([...starts].toSorted(([a], [b]) => a - b), [...wantedStarts]);
    for (const [number, passes] of wantedPasses) {
      t.assertPerformedJobs(passes, { only: (job) => job.args[0] === number });
    }
    t.assertNoDeadLetters();
  });
}
