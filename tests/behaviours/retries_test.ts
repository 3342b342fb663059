/** Retries: a failed job waits at its place; no record behind it is lost, reordered, or performed twice. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, Job } from "../../mod.ts";
import { Child, CLI } from "../support/child.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { until } from "../support/behaviours/world.ts";
import { APP, environment } from "../support/behaviours/worker_child.ts";

behaviour(
  "R1: a job always fails: the waits between its runs grow from initialMs (20, 40, 80 …) up to maxMs",
  async (world) => {
    const startedMs: number[] = [];
    class BrokenJob extends Job {
      perform() {
        startedMs.push(performance.now());
        throw new Error("always");
      }
    }
    const process = await world.process({
      jobs: [BrokenJob],
      backoff: { initialMs: 20, maxMs: 500, jitter: 0 },
    });
    await BrokenJob.performLater();
    await process.start();
    const paused = process.events("partition.paused");
    await until(() => paused.length >= 8, () => `8 waits, but there were ${paused.length}`);
    await process.stop();
    const waits = [20, 40, 80, 160, 320, 500, 500];
    assertEquals(paused.slice(0, 7).map(({ waitMs }) => waitMs), waits);
    assertEquals(process.events("job.failed").slice(0, 7).map(({ waitMs }) => waitMs), waits);
    for (const [at, waitMs] of waits.entries()) {
      const waitedMs = startedMs[at + 1]! - startedMs[at]!;
      // A timer may be early by less than a millisecond.
      assert(waitedMs >= waitMs - 1, `Wait ${at + 1} took ${waitedMs} ms, but must take ${waitMs} ms`);
    }
    // Jitter only adds, and never beyond the cap; the tests of the retry policy check its values.
    assertEquals(process.events("job.performing").map(({ attempt }) => attempt).slice(0, 8), [1, 2, 3, 4, 5, 6, 7, 8]);
  },
);

behaviour(
  "R2: jobs 0 to 4 succeed and job 5 fails: the retry starts with job 5, and jobs 0 to 4 never run again",
  async (world) => {
    const runs: number[] = [];
    class NumberJob extends Job {
      perform(n: number) {
        runs.push(n);
        if (n === 5 && this.attempt < 3) throw new Error("not yet");
      }
    }
    const process = await world.process({ jobs: [NumberJob] });
    for (let n = 0; n < 8; n++) await NumberJob.performLater(n);
    await process.start();
    await process.untilEvents("job.performed", 8);
    await process.stop();
    await process.drain();
    assertEquals(runs, [0, 1, 2, 3, 4, 5, 5, 5, 6, 7]);
  },
);

behaviour(
  "R3: a job of one partition always fails, with concurrency 1: the other partitions and topics are still performed",
  async (world) => {
    const runs: string[] = [];
    class PartJob extends Job {
      perform(part: string) {
        if (part === "bad") throw new Error("always");
        runs.push(part);
      }
    }
    const process = await world.process({
      jobs: [PartJob],
      concurrency: 1,
      topics: [activeJobTopic("default", { partitions: 3 }), activeJobTopic("other", { partitions: 1 })],
    });
    const value = (part: string) => JSON.stringify({ job_class: "PartJob", arguments: [part] });
    await world.append([{ partition: 0, value: value("bad") }, { partition: 0, value: value("behind bad") }]);
    for (let n = 0; n < 20; n++) {
      await world.append([{ partition: 1, value: value("one") }, { partition: 2, value: value("two") }]);
      await world.append([{ value: value("other") }], "other");
    }
    await process.start();
    await process.untilEvents("job.performed", 60);
    await process.stop();
    const counts = Object.fromEntries(
      ["one", "two", "other"].map((part) => [part, runs.filter((r) => r === part).length]),
    );
    assertEquals(counts, { one: 20, two: 20, other: 20 });
    assertEquals((await world.committed("default", 0)).offset, 0);
    assertEquals((await world.committed("default", 1)).offset, 20);
  },
);

behaviour(
  "R5: the first record of a new group fails and the process restarts: the record is not skipped",
  async (world) => {
    const runs: string[] = [];
    class FirstJob extends Job {
      perform(n: number) {
        runs.push(`${n} attempt ${this.attempt}`);
        if (n === 0 && this.attempt === 1) throw new Error("not yet");
      }
    }
    const first = await world.process({ jobs: [FirstJob], backoff: { initialMs: 60_000, maxMs: 60_000 } });
    await FirstJob.performLater(0);
    await FirstJob.performLater(1);
    await first.start();
    await first.untilEvents("job.failed", 1);
    await first.close();
    const second = await world.process({ jobs: [FirstJob] });
    await second.drain();
    assertEquals(runs, ["0 attempt 1", "0 attempt 2", "1 attempt 1"]);
  },
);

behaviour(
  "R6: a job can read its attempt, its executions, and its topic, partition and offset",
  async (world) => {
    const seen: unknown[] = [];
    class ReadingJob extends Job {
      perform() {
        seen.push({ attempt: this.attempt, executions: this.executions, record: this.record, jobId: this.jobId });
        if (this.attempt === 1) throw new Error("not yet");
      }
    }
    const process = await world.process({
      jobs: [ReadingJob],
      topics: [activeJobTopic("default", { partitions: 3 })],
    });
    const value = JSON.stringify({ job_class: "ReadingJob", job_id: "an id", arguments: [], executions: 4 });
    await world.append([{ partition: 2, value: null }, { partition: 2, value }]);
    await process.start();
    await process.untilEvents("job.performed", 1);
    const record = { topic: world.topic(), partition: 2, offset: 1 };
    assertEquals(seen, [
      { attempt: 1, executions: 5, record, jobId: "an id" },
      { attempt: 2, executions: 6, record, jobId: "an id" },
    ]);
  },
);

behaviour(
  "R7: more records than several batches arrive while a partition is paused: none is skipped, and the order is kept",
  async (world) => {
    const runs: number[] = [];
    let broken = true;
    class WaitingJob extends Job {
      perform(n: number) {
        if (n === 3 && broken) throw new Error("not yet");
        runs.push(n);
      }
    }
    const process = await world.process({
      jobs: [WaitingJob],
      maxMessages: 5,
      maxFetchBytes: 2000,
      backoff: { initialMs: 20, maxMs: 20, jitter: 0 },
    });
    for (let n = 0; n < 6; n++) await WaitingJob.performLater(n);
    await process.start();
    await until(() => process.events("job.failed").length >= 2, () => "the job to fail twice");
    for (let n = 6; n < 60; n++) await (await WaitingJob.performLater(n)).delivered();
    const failures = process.events("job.failed").length;
    await until(() => process.events("job.failed").length > failures + 2, () => "the job to fail again");
    broken = false;
    await process.untilEvents("job.performed", 60);
    await process.stop();
    assertEquals(runs, Array.from({ length: 60 }, (_, n) => n));
    assertEquals((await world.committed()).offset, 60);
  },
);

behaviour(
  "R8: maxRetries is 2 and the worker restarts after the second run: 3 runs in all, since the commit carries the attempts",
  async (world) => {
    const attempts: number[] = [];
    class BrokenJob extends Job {
      perform() {
        attempts.push(this.attempt);
        throw new Error("always");
      }
    }
    const topics = [
      activeJobTopic("default", {
        partitions: 1,
        deadLetterQueue: { topic: "dead", maxRetries: 2, independent: true },
      }),
    ];
    const first = await world.process({ jobs: [BrokenJob], topics, backoff: { initialMs: 200, jitter: 0 } });
    await BrokenJob.performLater();
    await first.start();
    await first.untilEvents("job.failed", 2);
    // Within the second wait, which is 400 ms.
    await first.stop();
    const { front, failed } = await world.progress();
    assertEquals([front, failed], [0, [{ offset: 0, attempts: 2 }]]);
    await first.close();

    const second = await world.process({ jobs: [BrokenJob], topics });
    await second.start();
    const [dead] = await second.untilEvents("record.dead_lettered", 1);
    await world.untilCommitted(1);
    await second.stop();
    assertEquals(attempts, [1, 2, 3]);
    assertEquals(dead!.attempts, 3);
    assertEquals((await world.records("dead")).length, 1);
  },
);

behaviour(
  "R8: a deploy brings a fix and a dead letter queue: a job that has failed five times runs once more, and succeeds",
  async (world) => {
    const attempts: number[] = [];
    let isMended = false;
    class BrokenJob extends Job {
      perform() {
        attempts.push(this.attempt);
        if (!isMended) throw new Error("not yet");
      }
    }
    const before = await world.process({ jobs: [BrokenJob], backoff: { initialMs: 1, maxMs: 5, jitter: 0 } });
    await BrokenJob.performLater();
    await before.start();
    await until(
      () => before.events("job.failed").length >= 5,
      () => `5 failures, but there were ${before.events("job.failed").length}`,
    );
    await before.stop();
    const failures = attempts.length;
    assertEquals((await world.progress()).failed, [{ offset: 0, attempts: failures }]);
    await before.close();

    isMended = true;
    const after = await world.process({
      jobs: [BrokenJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 2 } })],
    });
    await after.start();
    await world.untilCommitted(1);
    await after.stop();
    assertEquals(attempts, Array.from({ length: failures + 1 }, (_, n) => n + 1));
    assertEquals((await world.records("dead")).length, 0);
  },
);

behaviour(
  "R9: a job fails for good without a dead letter topic: the event has a skip command, which lets the next job run",
  async (world) => {
    const runs: number[] = [];
    class StuckJob extends Job {
      perform(n: number) {
        if (n === 1) throw new Error("always");
        runs.push(n);
      }
    }
    const process = await world.process({ jobs: [StuckJob], backoff: { initialMs: 1, maxMs: 20, jitter: 0 } });
    for (let n = 0; n < 3; n++) await StuckJob.performLater(n);
    const command = `deno run -A ${CLI} skip --app ${APP}`;
    await process.start({ command });
    const { remedy } = await until(
      () => process.events("partition.paused").find((event) => event.lasting),
      () => `a lasting pause; paused: ${process.events("partition.paused").length}`,
    );
    assertEquals(remedy, `${command} ${world.topic()}/0@1`);
    if (world.log === null) {
      // As printed, in another process, beside the live worker.
      const args = remedy!.split(" ").slice("deno run -A".split(" ").length);
      await using child = new Child(args, { env: environment(world, {}) });
      const { code, stdout, stderr } = await child.ended();
      assertEquals([code, stdout.at(-1)], [0, `Passed over ${world.topic()}/0@1`], stderr.join("\n"));
    } else {
      // A memory log lives in one process.
      await process.app.skip({ topic: world.topic(), partition: 0, offset: 1 });
    }
    await until(() => runs.includes(2), () => `job 2 to be performed; performed: ${runs}`);
    await world.untilCommitted(3);
    await process.stop();
    assertEquals(runs, [0, 2]);
  },
);
