/** Workers report themselves to other processes: at a start, a change of state and an end, and never at a job's cost. */
import { assertEquals } from "@std/assert";
import { activeJobTopic, Job, type ReportedWorker } from "../../mod.ts";
import { behaviour } from "../support/behaviours/behaviour.ts";
import type { AppProcess, World } from "../support/behaviours/world.ts";
import { startWorker } from "../support/behaviours/worker_child.ts";
import { ManualClock } from "../support/manual_clock.ts";
import { until } from "../support/until.ts";

/** The passing of so many jobs is what a test waits for, not a time. */
const JOBS = 20;
const GONE_MS = 20_000;

let performed = 0;
class CountJob extends Job {
  perform(_n: number) {
    performed++;
  }
}

const topicOf = (world: World) => world.topic(`${world.group}_workers`);

/** Waits until the list of workers is as expected. */
function untilWorkers(
  { app }: AppProcess,
  isExpected: (workers: readonly ReportedWorker[]) => boolean,
): Promise<ReportedWorker[]> {
  let found: ReportedWorker[] = [];
  return until(
    async () => isExpected(found = await app.workers()) ? found : null,
    () => `the workers, which are ${JSON.stringify(found.map(({ id, state, status }) => [id, state, status]))}`,
  );
}

async function performJobs(process: AppProcess): Promise<void> {
  performed = 0;
  for (let n = 0; n < JOBS; n++) await process.app.enqueue(CountJob.of(n));
  await until(() => performed === JOBS, () => `${JOBS} jobs to be performed, but ${performed} were`);
}

behaviour(
  "report 1: another process sees a worker with its partitions and the jobs that it has performed, sees it become quiet, and no longer sees it after a stop",
  async (world) => {
    const process = await world.process({ jobs: [CountJob] });
    const operator = await world.process({ jobs: [] });
    assertEquals(await operator.app.workers(), []);
    await process.start();
    await performJobs(process);
    process.worker.quiet();
    const [worker] = await untilWorkers(operator, ([first]) => first?.state === "quiet");
    const { pid, runtime, status, totals, history } = worker!;
    assertEquals([pid, runtime, totals.partitions], [Deno.pid, `Deno ${Deno.version.deno}`, 1]);
    assertEquals(status.groups.map(({ group, isJoined }) => [group, isJoined]), [[world.group, true]]);
    assertEquals(history.topics.map(({ topic, performed }) => [topic, performed.reduce((sum, n) => sum + n)]), [
      [world.topic(), JOBS],
    ]);
    await process.stop();
    assertEquals(await operator.app.workers(), []);
    assertEquals(operator.events("report.failed").length + process.events("report.failed").length, 0);
  },
);

behaviour(
  "report 2: a worker that is killed stays listed, is gone after 20 seconds, and is another one when it starts again",
  { on: ["sqlite", "kafka"], because: "a log in memory ends with its process" },
  async (world) => {
    const clock = new ManualClock();
    const operator = await world.process({ jobs: [], clock, topics: [activeJobTopic("default", { partitions: 2 })] });
    await using child = startWorker(world);
    await child.event("worker.started");
    const [worker] = await untilWorkers(operator, ([first]) => first?.status.groups[0]?.isJoined === true);
    child.signal("SIGKILL");
    await child.ended();
    clock.advance(worker!.writtenAtMs + GONE_MS - clock.nowMs());
    const [killed] = await operator.app.workers();
    assertEquals([killed!.id, killed!.state], [worker!.id, "running"]);
    clock.advance(killed!.writtenAtMs + GONE_MS + 1 - clock.nowMs());
    assertEquals((await operator.app.workers()).map(({ id, state }) => [id, state]), [[worker!.id, "gone"]]);
    await using next = startWorker(world);
    const both = await untilWorkers(operator, ({ length }) => length === 2);
    assertEquals(new Set(both.map(({ id }) => id)).size, 2);
    next.signal("SIGTERM");
    assertEquals((await next.ended()).code, 0);
    assertEquals((await operator.app.workers()).map(({ id }) => id), [worker!.id]);
  },
);

behaviour("report 3: a worker with once does not report", async (world) => {
  const process = await world.process({ jobs: [CountJob] });
  for (let n = 0; n < JOBS; n++) await process.app.enqueue(CountJob.of(n));
  await process.drain();
  const ends = await world.client.admin.ends(topicOf(world));
  assertEquals(ends.map(({ high }) => high), [0]);
});

behaviour(
  "report 4: forged, malformed, huge and newer records on the topic do no harm, and sound ones among them are read",
  async (world) => {
    const process = await world.process({ jobs: [CountJob] });
    await process.start();
    const [worker] = await untilWorkers(process, ([first]) => first?.status.groups[0]?.isJoined === true);
    const { id: _id, state: _state, writtenAtMs: _writtenAtMs, ...report } = worker!;
    const stuck = { topic: "default", partition: 0, offset: 7, attempts: 1, nextTryInMs: 5, remedy: "rm -rf /" };
    const error = { errorClass: "<b>", message: "\u001b[2J" };
    const partition = { ...report.status.groups[0]!.partitions[0]!, stuck: [{ ...stuck, error }] };
    const forged = {
      ...report,
      status: { ...report.status, groups: [{ ...report.status.groups[0]!, partitions: [partition] }] },
    };
    const values = [
      ["newer", JSON.stringify({ ...report, version: "99.0.0", shape: { of: "things" } })],
      ["forged", JSON.stringify(forged)],
      ["broken", "{"],
      ["text", "\ufffd\u0000"],
      ["huge", JSON.stringify({ ...report, padding: "x".repeat(500_000) })],
      ["wrong", JSON.stringify({ ...report, pid: "1; rm -rf /", status: 7 })],
      ["not a worker", JSON.stringify(report)],
    ] as const;
    const outcomes = await world.client.append(topicOf(world), values.map(([key, value]) => ({ key, value })));
    assertEquals(outcomes.filter(({ ok }) => !ok), []);
    const found = await process.app.workers();
    assertEquals(found.map(({ id }) => id).sort(), ["forged", "newer", worker!.id].sort());
    const remedies = found.flatMap(({ status }) =>
      status.groups.flatMap(({ partitions }) => partitions.flatMap(({ stuck }) => stuck.map(({ remedy }) => remedy)))
    );
    assertEquals(remedies, ["deno run -A jsr:@activejob/kafka/cli skip --app app.ts default/0@7"]);
    await performJobs(process);
    await process.stop();
  },
);

behaviour("report 5: without the topic a worker says so once, and performs its jobs and stops as ever", {
  on: ["kafka"],
  because: "embedded brokers create it",
}, async (world) => {
  const process = world.unprepared({ jobs: [CountJob] });
  await world.client.admin.create([{ name: world.topic(), partitions: 1 }]);
  await process.start();
  await performJobs(process);
  const [failed] = await process.untilEvents("report.failed", 1);
  assertEquals([failed!.topic, failed!.error.errorClass], [topicOf(world), "UnknownTopicError"]);
  await process.stop();
  assertEquals(process.events("report.failed").length, 1);
});
