/** Jobs in steps on a worker: a stop interrupts them, and another worker goes on. */
import { assert, assertEquals } from "@std/assert";
import { Abort, activeJobTopic, Job, type JobClass, type TopicOptions } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { type AppProcess, asString, until, type World } from "../support/behaviours/world.ts";

/** The work of all runs, and what the test does at a row. */
let done: string[] = [];
let atRow: (row: number, job: Job) => unknown = () => {};

class ImportJob extends Job {
  static override resumeWait = { seconds: 0 };
  async perform(rows: number) {
    await this.step("prepare", () => void done.push("prepare"));
    await this.step<number>("load", async (step) => {
      for (let row = step.cursor; row < rows; row++) {
        await atRow(row, this);
        done.push(`row ${row}`);
        step.advance({ from: row });
      }
    }, { start: 0 });
    await this.step("report", () => void done.push(`report ${this.executions}`));
  }
}

function options(topic: TopicOptions = {}) {
  return { jobs: [ImportJob], topics: [activeJobTopic("default", { partitions: 1, ...topic })] };
}

behaviour(
  "a stop interrupts a job in steps at its next checkpoint, and another worker goes on there: no row twice",
  async (world) => {
    done = [];
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    atRow = async (row) => {
      if (row !== 2) return;
      reached.resolve();
      await goOn.promise;
    };
    const first = await world.process(options());
    const { jobId } = await ImportJob.performLater(5);
    await first.start();
    await reached.promise;
    const stopped = first.stop();
    goOn.resolve();
    await stopped;
    const [interrupted] = first.events("job.interrupted");
    assertEquals([interrupted!.jobId, interrupted!.step, interrupted!.reason], [jobId, "load", "stopping"]);
    assertEquals((await world.committed()).offset, 1);

    const second = await world.process(options());
    await second.start();
    await second.untilEvents("job.performed", 1);
    await second.stop();
    assertEquals(done, ["prepare", "row 0", "row 1", "row 2", "row 3", "row 4", "report 2"]);
    const [resumed] = second.events("job.resumed");
    assertEquals([resumed!.jobId, resumed!.resumptions, resumed!.completed, resumed!.step], [
      jobId,
      1,
      ["prepare"],
      "load",
    ]);
    const envelopes = (await world.records()).map(({ value }) => JSON.parse(asString(value)!));
    assertEquals(envelopes.map(({ continuation, resumptions }) => [continuation, resumptions]), [
      [undefined, undefined],
      [{ completed: ["prepare"], current: ["load", 3] }, 0],
    ]);
  },
);

behaviour(
  "a job in steps that fails after progress goes on there, and its attempts are not counted; before any progress it fails",
  async (world) => {
    done = [];
    const failures = new Set([1, 3]);
    atRow = (row) => {
      if (failures.delete(row)) throw new RangeError(`row ${row}`);
    };
    const process = await world.process(options({ deadLetterQueue: { topic: "dead", maxRetries: 0 } }));
    await ImportJob.performLater(4);
    await process.start();
    await process.untilEvents("job.performed", 1);
    await process.stop();
    assertEquals(done, ["prepare", "row 0", "row 1", "row 2", "row 3", "report 3"]);
    assertEquals(process.events("job.retry_scheduled").map(({ executions }) => executions), [1, 2]);
    assertEquals([process.events("job.failed").length, process.events("record.dead_lettered").length], [0, 0]);

    done = [];
    atRow = () => {
      throw new RangeError("always");
    };
    const again = await world.process(options({ deadLetterQueue: { topic: "dead", maxRetries: 0 } }));
    await again.app.enqueue(ImportJob.of(4));
    await again.start();
    await again.untilEvents("record.dead_lettered", 1);
    await again.stop();
    assertEquals(done, ["prepare"]);
  },
);

behaviour(
  "a quiet worker interrupts a job in steps, which goes on elsewhere",
  async (world) => {
    done = [];
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    atRow = async (row) => {
      if (row !== 1) return;
      reached.resolve();
      await goOn.promise;
    };
    const process = await world.process(options());
    await ImportJob.performLater(3);
    await process.start();
    await reached.promise;
    process.worker.quiet();
    goOn.resolve();
    const interrupted = process.events("job.interrupted");
    await until(() => interrupted.length === 1, () => `one interrupt, but there were ${interrupted.length}`);
    await process.stop();
    const second = await world.process(options());
    await second.start();
    await second.untilEvents("job.performed", 1);
    await second.stop();
    assertEquals([done, interrupted[0]!.reason], [["prepare", "row 0", "row 1", "row 2", "report 2"], "quiet"]);
  },
);

/** Performs a job until a stop, which begins in its first run; then a second worker runs until a job has this event. */
async function interruptAndGoOn(
  world: World,
  Class: JobClass & { of(): Job },
  event: "job.performed" | "record.dead_lettered" | null,
): Promise<AppProcess[]> {
  const topics = [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 0 } })];
  const first = await world.process({ jobs: [Class], topics });
  const reached = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  atRow = async () => {
    atRow = () => {};
    reached.resolve();
    await goOn.promise;
  };
  done = [];
  await first.app.enqueue(Class.of());
  await first.start();
  await reached.promise;
  const stopped = first.stop();
  goOn.resolve();
  await stopped;
  if (event === null) return [first];
  const second = await world.process({ jobs: [Class], topics });
  await second.start();
  await second.untilEvents(event, 1);
  await second.stop();
  return [first, second];
}

for (const way of ["swallows", "swallows, without a callback,", "wraps in an error"]) {
  behaviour(
    `an interrupt that the job ${way} interrupts it all the same`,
    async (world) => {
      class CatchingJob extends ImportJob {
        static {
          if (!way.includes("without")) this.afterPerform(() => void done.push("after"));
        }
        override async perform() {
          try {
            await this.step<number>("load", async (step) => {
              await atRow(0, this);
              step.checkpoint();
              done.push("row");
            });
          } catch (error) {
            done.push(`caught ${(error as Error).name}`);
            if (way.startsWith("wraps")) throw new Error("wrapped", { cause: error });
          }
        }
      }
      const [first] = await interruptAndGoOn(world, CatchingJob, "job.performed");
      assertEquals(done, ["caught Interrupt", "row", ...(way.includes("without") ? [] : ["after"])]);
      assertEquals([first!.events("job.interrupted").length, first!.events("job.failed").length], [1, 0]);
    },
  );
}

behaviour(
  "an interrupted job whose enqueuing a callback halts is given up: it is discarded, with its afterDiscard",
  async (world) => {
    class HaltedJob extends ImportJob {
      static {
        this.beforeEnqueue((job) => {
          if (job.executions > 0) throw new Abort();
        });
        this.afterDiscard((_job, error) => void done.push(`discarded ${(error as Error).name}`));
      }
      override async perform() {
        await super.perform(1);
      }
    }
    const [first] = await interruptAndGoOn(world, HaltedJob, null);
    assertEquals(done, ["prepare", "row 0", "discarded Interrupt"]);
    assertEquals([first!.events("job.interrupted").length, first!.events("job.discarded").length], [0, 1]);
    assertEquals([(await world.records()).length, (await world.committed()).offset], [1, 1]);
  },
);

behaviour(
  "an interrupted job whose cursor cannot be written fails, with the path of the cursor",
  async (world) => {
    class CursorJob extends Job {
      async perform() {
        await this.step<unknown>("load", async (step) => {
          await atRow(0, this);
          step.set(() => {});
        });
      }
    }
    world.allowErrors(/continuation/);
    const [first] = await interruptAndGoOn(world, CursorJob, null);
    const [letter] = first!.events("record.dead_lettered");
    assertEquals([letter!.error.errorClass, first!.events("job.failed").length], ["SerializationError", 1]);
    assert(letter!.error.message.includes("continuation.current[1]"), letter!.error.message);
  },
);

behaviour(
  "steps in a wrong order fail the job also after progress: it would never end otherwise",
  async (world) => {
    class NestedJob extends ImportJob {
      override async perform() {
        await this.step<number>("outer", async (step) => {
          step.set(this.executions);
          await this.step("inner", () => {});
        });
      }
    }
    const topics = [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 0 } })];
    const process = await world.process({ jobs: [NestedJob], topics });
    await process.app.enqueue(NestedJob.of());
    await process.start();
    await process.untilEvents("record.dead_lettered", 1);
    await process.stop();
    assertEquals(process.events("job.retry_scheduled").length, 0);
    assertEquals(process.events("job.failed").map(({ error }) => error.errorClass), ["ContinuationError"]);
  },
);
