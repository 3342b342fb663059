/** An operator's orders: pause and resume, and cancel a job that waits, is delayed, or runs. */
import { activeJobTopic, CancelledError, type Duration, Job } from "@activejob/kafka";
import { assert, assertEquals } from "@std/assert";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { RunLog, runLogRecord } from "../support/behaviours/run_log.ts";
import { type AppProcess, until } from "../support/behaviours/world.ts";

function partitionsOf({ worker }: AppProcess) {
  return worker.status().groups.flatMap(({ partitions }) => partitions).sort((a, b) => a.partition - b.partition);
}

behaviour(
  "O1: a partition is paused before the worker starts: it runs no job, also after a kill -9, and all of them once resumed",
  { on: ["sqlite", "kafka"], because: "a process is killed" },
  async (world) => {
    const topics = [activeJobTopic("default", { partitions: 2 })];
    const { app } = await world.process({ jobs: [], topics, control: true });
    await using runLog = new RunLog(world);
    await app.pause("default", { partition: 0, by: "ada", why: "a bad deploy" });
    await world.append([0, 1, 2].map((n) => ({ ...runLogRecord(n), partition: 0 })));
    for (const n of [10, 11]) {
      await world.append([{ ...runLogRecord(n), partition: 1 }]);
      const worker = runLog.start("partition", { control: true });
      await worker.line(/^topic\.paused .*"partition":0,"by":"ada","why":"a bad deploy"/);
      await until(() => runLog.ended().includes(n), () => `job ${n}`);
      await world.untilCommitted(n - 9, "default", 1);
      worker.signal("SIGKILL");
      await worker.ended();
    }
    assertEquals(runLog.ended(), [10, 11]);
    const worker = runLog.start("partition", { control: true });
    await worker.line(/^topic\.paused /);
    assertEquals((await app.resume("default", { by: "grace" })).map(({ partition }) => partition), [0]);
    await worker.line(/^topic\.resumed .*"by":"grace"/);
    await world.untilCommitted(3);
    assertEquals(runLog.ended(), [10, 11, 0, 1, 2]);
    worker.signal("SIGTERM");
    await worker.ended();
  },
);

behaviour(
  "O2: a topic is paused: the job that runs ends, no other starts, the status says so, and resume lets it go on",
  async (world) => {
    const ran: number[] = [];
    const gate = Promise.withResolvers<void>();
    class GateJob extends Job {
      async perform(n: number) {
        ran.push(n);
        if (n === 0) await gate.promise;
      }
    }
    const process = await world.process({ jobs: [GateJob], control: true });
    for (const n of [0, 1, 2]) await GateJob.performLater(n);
    await process.start();
    await until(() => ran.length === 1, () => "the first job");
    await process.app.pause("default", { why: "look at it" });
    const [paused] = await process.untilEvents("topic.paused", 1);
    assertEquals([paused!.topic, paused!.partition, paused!.by, paused!.why], [
      world.topic(),
      null,
      world.group,
      "look at it",
    ]);
    gate.resolve();
    await world.untilCommitted(1);
    // The worker keeps the partition and its records.
    const [status] = partitionsOf(process);
    assertEquals([status!.pausedBy?.why, status!.waiting, status!.running, ran], ["look at it", 2, [], [0]]);
    // With --once a paused partition is left.
    await process.stop();
    assertEquals((await process.drain()).stuck, []);
    assertEquals(ran, [0]);
    await process.start();
    await process.app.resume("default");
    await process.untilEvents("topic.resumed", 1);
    await world.untilCommitted(3);
    assertEquals([ran, partitionsOf(process)[0]!.pausedBy], [[0, 1, 2], null]);
    await process.stop();
  },
);

behaviour(
  "O3: a cancelled job that waits or is delayed never runs; one that runs gets a CancelledError, and is neither retried nor dead-lettered",
  async (world) => {
    const ran: string[] = [];
    const reasons: unknown[] = [];
    class CancelJob extends Job {
      async perform(what: string) {
        ran.push(what);
        await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve()));
        reasons.push(this.signal.reason);
        if (what === "runs") throw new Error("stopped by its signal");
      }
    }
    const process = await world.process({
      jobs: [CancelJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 2 } })],
      control: true,
    });
    const { app } = process;
    const runs = await CancelJob.performLater("runs");
    const waits = await CancelJob.performLater("waits");
    const passes = await CancelJob.performLater("passes");
    const delayed = await CancelJob.set({ wait: { hours: 1 } }).performLater("delayed");
    await app.flush();
    await process.start();
    await until(() => ran.length === 1, () => "the first job");
    await app.cancel(delayed.jobId, { by: "eve", why: "too late" });
    await app.cancel(waits.jobId, { by: "ada" });
    await app.cancel(runs.jobId, { by: "ada", why: "wrong customer" });
    await until(() => ran.length === 2, () => `the third job, but ${ran} ran`);
    // It ends without an error although it was cancelled: it has passed.
    await app.cancel(passes.jobId);
    await until(
      () => process.events("job.cancelled").length === 3,
      () => JSON.stringify(process.events("job.cancelled")),
    );
    await world.untilCommitted(3);
    assertEquals([ran, reasons.length], [["runs", "passes"], 2]);
    assert(reasons[0] instanceof CancelledError, `${reasons[0]}`);
    assertEquals(reasons[0].message, "The job was cancelled by ada: wrong customer");
    const states = process.events("job.cancelled").map(({ jobId, state, by, why }) => [jobId, state, by, why]);
    assertEquals(
      states.sort((a, b) => a[1]! < b[1]! ? -1 : 1),
      [
        [delayed.jobId, "delayed", "eve", "too late"],
        [runs.jobId, "running", "ada", "wrong customer"],
        [waits.jobId, "waiting", "ada", null],
      ],
    );
    assertEquals([process.events("job.failed"), process.events("record.dead_lettered")], [[], []]);
    assertEquals(process.events("job.performed").map(({ jobId }) => jobId), [passes.jobId]);
    assertEquals(await app.scheduled(), []);
    await process.stop();
  },
);

behaviour(
  "O7: a job in steps that is cancelled in a step, between steps, or while its next run waits is not resumed, and is cancelled once",
  async (world) => {
    const ran: string[] = [];
    class StepsJob extends Job {
      static override resumeWait: Duration = { hours: 1 };
      async perform(kind: string) {
        const untilCancelled = async (place: string) => {
          if (kind !== place) return;
          ran.push(place);
          await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve()));
        };
        await this.step("first", async (step) => {
          await untilCancelled("in a step");
          await untilCancelled("in a step that goes on");
          if (kind === "in a step that goes on") await Promise.resolve().then(() => step.checkpoint()).catch(() => {});
          else step.checkpoint();
        }).catch((error) => {
          if (kind !== "in a step that goes on") throw error;
        });
        await untilCancelled("between steps");
        await this.step("last", () => void ran.push(`the last step of ${kind}`), { isolated: true });
      }
    }
    class SoonJob extends StepsJob {
      static override resumeWait = { seconds: 0 };
    }
    const process = await world.process({
      jobs: [StepsJob, SoonJob],
      topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 0 } })],
      control: true,
    });
    const { app } = process;
    await process.start();
    const places = ["in a step", "in a step that goes on", "between steps"];
    const ids: string[] = [];
    for (const [n, place] of places.entries()) {
      ids.push((await StepsJob.performLater(place)).jobId);
      await until(() => ran.length === n + 1, () => `${ran}`);
      await app.cancel(ids[n]!);
    }
    const delayed = await StepsJob.performLater("delayed");
    await until(async () => (await app.scheduled()).length === 1, () => "the next run to be delayed");
    await app.cancel(delayed.jobId);
    // The next run of the first one waits behind the second one, which runs.
    const [waiting, last] = [SoonJob.of("waiting"), StepsJob.of("in a step")];
    await app.enqueueAll([waiting, last]);
    await until(() => ran.length === 4, () => `${ran}`);
    await app.cancel(waiting.jobId);
    await app.cancel(last.jobId);
    const cancelled = process.events("job.cancelled");
    await until(() => cancelled.length === 6, () => JSON.stringify(cancelled));
    await world.untilCommitted((await world.records()).at(-1)!.offset + 1);
    assertEquals([ran, await app.scheduled()], [[...places, "in a step"], []]);
    const states = cancelled.map(({ jobId, state }) => `${jobId} ${state}`).toSorted();
    const running = [...ids, last.jobId].map((id) => `${id} running`);
    assertEquals(states, [...running, `${delayed.jobId} delayed`, `${waiting.jobId} waiting`].toSorted());
    assertEquals(process.events("job.interrupted").map(({ jobId }) => jobId), [delayed.jobId, waiting.jobId]);
    for (const event of ["job.resumed", "job.performed", "job.failed", "record.dead_lettered"] as const) {
      assertEquals(process.events(event), [], event);
    }
    await process.stop();
  },
);
