/** Performing: a job is read from the log as it was enqueued, by its own class, and a stop loses none. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, Job } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { until } from "../support/behaviours/world.ts";

behaviour(
  "A1: a job that throws at its first run is performed again after the backoff: 2 runs",
  async (world) => {
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
    const [performed] = await process.untilEvents("job.performed", 1);
    assertEquals(performed!.jobId, job.jobId);
    const [failed] = await process.untilEvents("job.failed", 1);
    assertEquals([failed!.next, failed!.waitMs, failed!.error.message], ["retry", 20, "not yet"]);
    await process.stop();
    await process.drain();
    assertEquals(attempts, [1, 2]);
    assertEquals((await world.committed()).offset, 1);
  },
);

behaviour(
  "A2: a worker is stopped after the 3rd of 100 jobs: at most the running job ends, and a restart performs the rest once",
  async (world) => {
    const runs: number[] = [];
    const thirdRan = Promise.withResolvers<void>();
    class SlowJob extends Job {
      async perform(n: number) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        runs.push(n);
        if (runs.length === 3) thirdRan.resolve();
      }
    }
    const first = await world.process({ jobs: [SlowJob], maxMessages: 1000 });
    for (let n = 0; n < 100; n++) await SlowJob.performLater(n);
    await first.app.flush();
    await first.start();
    await thirdRan.promise;
    await first.stop();
    const before = runs.length;
    assert(before === 3 || before === 4, `${before} jobs were performed`);
    assertEquals((await world.committed()).offset, before);
    await first.close();

    const second = await world.process({ jobs: [SlowJob], maxMessages: 1000 });
    await second.drain();
    assertEquals(runs, Array.from({ length: 100 }, (_, n) => n));
    assertEquals(second.events("job.performed").length, 100 - before);
  },
);

behaviour("A3: a job that is enqueued with two floats gets exactly these, in order", async (world) => {
  const got: unknown[][] = [];
  class FloatsJob extends Job {
    perform(...args: [number, number]) {
      got.push(args);
    }
  }
  const process = await world.process({ jobs: [FloatsJob] });
  const pairs: [number, number][] = [[0.1, -2.5e-7], [Number.MAX_VALUE, Number.MIN_VALUE], [1 / 3, 2 ** 53]];
  for (const [a, b] of pairs) await FloatsJob.performLater(a, b);
  await process.start();
  await process.untilEvents("job.performed", 3);
  assertEquals(got, pairs);
});

behaviour(
  "A4: with produceSync, performLater resolves only after the acknowledgement, and job.position is set",
  async (world) => {
    class SureJob extends Job {
      static override kafkaOptions = { dispatchMethod: "produceSync" } as const;
      perform(_n: number) {}
    }
    const process = await world.process({ jobs: [SureJob] });
    for (let n = 0; n < 3; n++) {
      const job = await SureJob.performLater(n);
      assertEquals(job.status, "delivered");
      assertEquals(job.position, { topic: world.topic(), partition: 0, offset: n });
      assertEquals((await world.client.admin.ends(world.topic()))[0]!.high, n + 1);
    }
    if (world.log === null) return;
    // Only the memory log can be offline.
    world.log.goOffline();
    let resolved = false;
    const later = SureJob.of(3);
    const enqueued = process.app.enqueue(later).then(() => resolved = true);
    await until(() => process.app.pending === 1, () => `one pending job, but there were ${process.app.pending}`);
    assertEquals([resolved, later.status, later.position], [false, "buffered", undefined]);
    world.log.goOnline();
    await enqueued;
    assertEquals(later.position?.offset, 3);
  },
);

behaviour("A5: jobs of several classes share a queue: each is performed by its own class", async (world) => {
  const runs: string[] = [];
  class MailJob extends Job {
    perform(n: number) {
      runs.push(`mail ${n}`);
    }
  }
  class ReportJob extends Job {
    static override jobName = "Admin::ReportJob";
    perform(n: number) {
      runs.push(`report ${n}`);
    }
  }
  class RenamedJob extends Job {
    static override jobAliases = ["OldJob"];
    perform(n: number) {
      runs.push(`renamed ${n}`);
    }
  }
  const process = await world.process({ jobs: [MailJob, ReportJob, RenamedJob] });
  for (let n = 0; n < 3; n++) {
    await MailJob.performLater(n);
    await ReportJob.performLater(n);
    await RenamedJob.performLater(n);
  }
  await process.app.flush();
  await world.append([{ value: JSON.stringify({ job_class: "OldJob", arguments: [3] }) }]);
  await process.start();
  await process.untilEvents("job.performed", 10);
  assertEquals(runs, [
    ...[0, 1, 2].flatMap((n) => [`mail ${n}`, `report ${n}`, `renamed ${n}`]),
    "renamed 3",
  ]);
  const names = new Set(process.events("job.performed").map(({ jobClass }) => jobClass));
  assertEquals([...names], ["MailJob", "Admin::ReportJob", "RenamedJob", "OldJob"]);
});

behaviour(
  "A6: a worker is stopped while the 2nd of 3 jobs runs: that job finishes and is marked, and the 3rd is left",
  async (world) => {
    const runs: number[] = [];
    const running = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    class NumberJob extends Job {
      async perform(n: number) {
        if (n === 1) {
          running.resolve();
          await goOn.promise;
        }
        runs.push(n);
      }
    }
    const process = await world.process({ jobs: [NumberJob] });
    for (let n = 0; n < 3; n++) await NumberJob.performLater(n);
    await process.start();
    await running.promise;
    const stopped = process.stop();
    await process.untilEvents("worker.stopping", 1);
    goOn.resolve();
    assertEquals(await stopped, { unfinished: [], stuck: [] });
    assertEquals(runs, [0, 1]);
    assertEquals(await world.committed(), { offset: 2, metadata: "" });
  },
);

behaviour(
  "A13: two jobs are performed: job.performing and job.performed are emitted twice, with class, id, position and duration",
  async (world) => {
    class TimedJob extends Job {
      async perform(ms: number) {
        const untilMs = performance.now() + ms;
        while (performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    const process = await world.process({ jobs: [TimedJob] });
    const jobs = [await TimedJob.performLater(10), await TimedJob.performLater(20)];
    await process.start();
    const performed = await process.untilEvents("job.performed", 2);
    const performing = await process.untilEvents("job.performing", 2);
    for (const [offset, job] of jobs.entries()) {
      const info = {
        jobClass: "TimedJob",
        jobId: job.jobId,
        queue: world.topic(),
        topic: world.topic(),
        partition: 0,
        offset,
        attempt: 1,
      };
      assertEquals(performing[offset], info);
      const { durationMs, waitMs, ...rest } = performed[offset]!;
      assertEquals(rest, info);
      const took = job.args[0];
      assert(durationMs >= took && durationMs < took + 5000, `${durationMs} ms`);
      assert(waitMs !== null && waitMs >= 0 && waitMs < 60_000, `${waitMs} ms`);
    }
  },
);

behaviour(
  "A15: a job for an undeclared queue is refused with an error that names the declared ones, or enqueued with a warning if configured",
  async (world) => {
    world.allowErrors(/^enqueue: InvalidConfigurationError: No topic declares the queue "maill"/);
    class LostJob extends Job {
      static override queue = "maill";
      perform() {}
    }
    const topics = [activeJobTopic("default"), activeJobTopic("mail")];
    const strict = await world.process({ jobs: [LostJob], topics });
    const error = await LostJob.performLater().then(() => null, (error) => error);
    assertEquals([error?.name, error?.written], ["EnqueueError", "no"]);
    assertEquals(
      error.message,
      'Cannot enqueue LostJob: No topic declares the queue "maill"; did you mean "mail"? (declared: "default", "mail")',
    );
    assertEquals((await strict.untilEvents("job.enqueue_failed", 1))[0]!.written, "no");
    await strict.close();

    await world.client.admin.create([{ name: world.topic("maill"), partitions: 1 }]);
    const lenient = await world.process({ jobs: [LostJob], topics, undeclaredQueues: "warn" });
    const jobs = [await LostJob.performLater(), await LostJob.performLater()];
    await Promise.all(jobs.map((job) => job.delivered()));
    await lenient.untilEvents("error.occurred", 1);
    assertEquals((await world.records("maill")).length, 2);
  },
);

behaviour(
  "A16: a queue prefix and delimiter apply to the topics of enqueued jobs, workers and dead letters alike",
  async (world) => {
    const prefix = `${world.group}-shop`;
    class MailJob extends Job {
      static override queue = "mail";
      perform(ok: boolean) {
        if (!ok) throw new Error("no");
      }
    }
    const process = await world.process({
      jobs: [MailJob],
      queuePrefix: prefix,
      queueDelimiter: "--",
      topics: [activeJobTopic("mail", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
    });
    const job = await MailJob.performLater(true);
    assertEquals((await job.delivered()).topic, `${prefix}--mail`);
    await MailJob.performLater(false);
    await process.start();
    const [performed] = await process.untilEvents("job.performed", 1);
    assertEquals([performed!.topic, performed!.queue], [`${prefix}--mail`, `${prefix}--mail`]);
    const [dead] = await process.untilEvents("record.dead_lettered", 1);
    assertEquals([dead!.topic, dead!.to.topic], [`${prefix}--mail`, `${prefix}--dead`]);
  },
);
