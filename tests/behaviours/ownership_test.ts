/** A worker that is suspended, or blocked by its job: its ownerships, and its marks, afterwards. */
import { assert, assertEquals } from "@std/assert";
import { activeJobTopic, Job } from "../../mod.ts";
import type { Child } from "../support/child.ts";
import { commitAs } from "../support/behaviours/faults.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import { until, type World } from "../support/behaviours/world.ts";
import { eventOf, neverFell, OffsetWatch, RunLog, runLogRecord } from "../support/behaviours/run_log.ts";

/** A session that a busy machine does not end by itself, in milliseconds. */
const SESSION_MS = 3000;

const IN_PROCESSES = { on: ["sqlite", "kafka"], because: "the memory log lives in one process" } as const;

behaviour(
  "B4: a job runs far longer than the session timeout: the worker stays a member, other partitions go on, and the job runs once",
  {
    on: ["sqlite", "kafka"],
    because: "the memory log has no heartbeats to miss",
  },
  async (world) => {
    const release = Promise.withResolvers<void>();
    let longRuns = 0;
    class TimedJob extends Job {
      async perform(ms: number | null) {
        if (ms !== null) return await new Promise<void>((resolve) => setTimeout(resolve, ms));
        longRuns++;
        await release.promise;
      }
    }
    const topics = [activeJobTopic("default", { partitions: 2 })];
    const process = await world.process({ jobs: [TimedJob], topics, sessionTimeoutMs: SESSION_MS });
    const record = (partition: number, ms: number | null) => ({
      partition,
      value: JSON.stringify({ job_class: "TimedJob", arguments: [ms] }),
    });
    await process.start();
    await world.append([record(0, null), record(0, 0)]);
    await until(() => longRuns === 1, () => "the long job to begin");
    const startedMs = performance.now();
    for (let n = 1; performance.now() - startedMs < 2 * SESSION_MS; n++) {
      await world.append([record(1, 400)]);
      await process.untilEvents("job.performed", n);
    }
    const meanwhile = process.events("job.performed").map(({ partition }) => partition);
    assert(meanwhile.length >= 3 && meanwhile.every((partition) => partition === 1), `${meanwhile}`);
    release.resolve();
    await process.untilEvents("job.performed", meanwhile.length + 2);
    await world.untilCommitted(2);
    assertEquals(longRuns, 1);
    assertEquals(process.events("partition.lost"), []);
    assertEquals(process.events("membership.changed"), [{ isMember: true }]);
  },
);

/** Two worker processes of which one owns the only partition, and a watch over its offset. */
async function twoWorkers(world: World, runLog: RunLog): Promise<{ workers: [Child, Child]; watch: OffsetWatch }> {
  class RunLogJob extends Job {
    perform() {}
  }
  await world.process({ jobs: [RunLogJob] });
  const workers: [Child, Child] = [runLog.start(), runLog.start()];
  for (const worker of workers) await worker.line(/^worker\.started /);
  return { workers, watch: new OffsetWatch(world) };
}

/** Returns the events of a name that a worker has printed. */
function printedEvents(worker: Child, name: string): Record<string, unknown>[] {
  return worker.lines.filter((line) => line.startsWith(`${name} `)).map(eventOf);
}

behaviour(
  "B7: a job blocks the event loop until another worker has taken over: the blocked worker marks nothing",
  IN_PROCESSES,
  async (world) => {
    await using runLog = new RunLog(world);
    const { workers, watch } = await twoWorkers(world, runLog);
    await world.append(Array.from({ length: 20 }, (_, n) => runLogRecord(n, n === 5 ? { blocks: true } : {})));
    await world.untilCommitted(20);
    const [blocker, heir] = printedEvents(workers[0], "job.performed").some(({ jobId }) => jobId === "job-19")
      ? [workers[1], workers[0]]
      : workers;
    const revoked = eventOf(await blocker.line(/^job\.revoked /));
    assertEquals([revoked.jobClass, revoked.jobId, revoked.offset, revoked.outcome], [
      "RunLogJob",
      "job-5",
      5,
      "passed",
    ]);
    await blocker.line(/^partition\.lost /);
    for (const worker of workers) worker.signal("SIGTERM");
    assertEquals([(await blocker.ended()).code, (await heir.ended()).code], [0, 0]);
    const offsets = await watch.stop();
    assert(neverFell(offsets), `the group's offset went ${offsets}`);
    assertEquals(offsets.at(-1), 20);
    // The other worker performed the job that blocked again, and all later ones; the blocked worker performed none of
    // them.
    assertEquals(runLog.ended().filter((n) => n === 5).length, 2);
    assertEquals(
      runLog.ended().filter((n) => n > 5).toSorted((a, b) => a - b),
      Array.from({ length: 14 }, (_, n) => n + 6),
    );
    assert(
      printedEvents(blocker, "job.performed").every(({ offset }) => Number(offset) < 5),
      "it performed no other job",
    );
    assert(
      printedEvents(blocker, "offset.committed").every(({ offset }) => Number(offset) <= 5),
      "it committed no more",
    );
    assertEquals([...printedEvents(blocker, "error.occurred"), ...printedEvents(heir, "error.occurred")], []);
  },
);

behaviour(
  "B8: a worker process is suspended for two session timeouts: it treats its partitions as lost, and the committed offset never falls",
  IN_PROCESSES,
  async (world) => {
    await using runLog = new RunLog(world);
    const { workers, watch } = await twoWorkers(world, runLog);
    await world.append(Array.from({ length: 60 }, (_, n) => runLogRecord(n, { waitMs: 50 })));
    await until(() => runLog.ended().length >= 5, () => `5 jobs, not ${runLog.ended()}`);
    const [stopped, heir] = printedEvents(workers[0], "job.performed").length > 0 ? workers : [workers[1], workers[0]];
    stopped.signal("SIGSTOP");
    // The lines that it prints may come later.
    const before = { ends: runLog.ended().length, offset: (await world.committed()).offset! };
    await world.untilCommitted(60);
    stopped.signal("SIGCONT");
    await stopped.line(/^partition\.lost /);
    // The suspended job has settled before the worker leaves.
    stopped.signal("SIGTERM");
    assertEquals((await stopped.ended()).code, 0);
    heir.signal("SIGTERM");
    assertEquals((await heir.ended()).code, 0);
    const offsets = await watch.stop();
    assert(neverFell(offsets), `the group's offset went ${offsets}`);
    assertEquals(offsets.at(-1), 60);
    const mine = printedEvents(stopped, "job.performed").map(({ offset }) => Number(offset));
    const theirs = printedEvents(heir, "job.performed").map(({ offset }) => Number(offset));
    assertEquals(theirs, Array.from({ length: 60 - theirs[0]! }, (_, n) => theirs[0]! + n));
    // Jobs that it had performed, but not committed, run twice; the suspended run counts for nothing.
    assert(mine.length - before.ends <= 1 && theirs[0]! >= before.offset, `${mine} and ${theirs}`);
    assert(
      printedEvents(stopped, "offset.committed").every(({ offset }) => Number(offset) <= theirs[0]!),
      "it committed no more",
    );
  },
);

behaviour(
  "B8: another member commits the same offset with its own metadata: the ownership ends",
  async (world) => {
    let runs = 0;
    class HeldJob extends Job {
      async perform() {
        if (++runs > 1) return;
        await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve()));
      }
    }
    const topics = [activeJobTopic("default"), activeJobTopic("other")];
    const process = await world.process({ jobs: [HeldJob], topics });
    const value = JSON.stringify({ job_class: "HeldJob", arguments: [] });
    // The first record is not a job: the group must have committed an offset.
    await world.append([{ value: null }, { value }]);
    await process.start({ topics: ["default"] });
    await world.untilCommitted(1);
    await until(() => runs === 1, () => "the job to begin");
    const to = { topic: world.topic(), partition: 0, offset: 1 };
    await commitAs(world, to, "theirs");
    const [revoked] = await process.untilEvents("job.revoked", 1);
    const [performed] = await process.untilEvents("job.performed", 1);
    assertEquals([revoked!.offset, performed!.offset, runs], [1, 1, 2]);
    assertEquals(process.events("partition.lost").length, 1);
    assertEquals(process.events("partition.assigned").map(({ offset }) => offset), [null, 1]);
    await world.untilCommitted(2);
  },
);
