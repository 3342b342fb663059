/** The parts of `deno task soak`. Each runs for a number of seconds, prints its results, and returns the failures. */
import { activeJobTopic, Job } from "../../mod.ts";
import type { Child } from "../support/child.ts";
import { Random } from "../support/random.ts";
import type { AppProcess } from "../support/behaviours/app_process.ts";
import { World } from "../support/behaviours/world.ts";
import { killLoop } from "../support/behaviours/kill_loop.ts";
import { neverFell, OffsetWatch, RunLog, runLogRecord } from "../support/behaviours/run_log.ts";
import type { LoadReport } from "../support/behaviours/children/rebalance_load.ts";
import { until } from "../support/until.ts";

const LOAD = new URL("../support/behaviours/children/rebalance_load.ts", import.meta.url).pathname;
const MINUTE_MS = 60_000;
const SESSION_MS = 2000;

class RunLogJob extends Job {
  perform() {}
}

/** The brokers that several processes can share. */
type Shared = "sqlite" | "kafka";

async function within(body: (world: World) => Promise<string[]>, broker: Shared = "kafka"): Promise<string[]> {
  const world = await World.open(broker);
  try {
    return await body(world);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    await world.close();
  }
}

/** Returns the failures. */
function broken(claims: Readonly<Record<string, boolean>>): string[] {
  return Object.entries(claims).filter(([, holds]) => !holds).map(([claim]) => claim);
}

/** Partitions move every second under load. */
export function rebalances(seconds: number): Promise<string[]> {
  return within(async (world) => {
    const settings = JSON.stringify({ url: world.url, group: world.group, seconds });
    const run = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--v8-flags=--expose-gc", LOAD, settings],
      stderr: "inherit",
    });
    const { stdout } = await run.output();
    const report: LoadReport = JSON.parse(new TextDecoder().decode(stdout).trim().split("\n").at(-1)!);
    console.log(`  ${JSON.stringify(report)}`);
    return broken({
      "no job is lost": report.missing === 0 && report.lag === 0,
      "a job runs again only where it was revoked": report.runs === report.enqueued + report.revoked,
      "no partition is frozen": report.drainMs < 5000,
      "the heap stays below 1.3 of what it was at a third": report.heap[1] <= report.heap[0] * 1.3,
      "no error occurred": report.errors.length === 0,
    });
  });
}

/** One job as long as this part, with a session of two seconds. */
export function longJob(seconds: number): Promise<string[]> {
  return within(async (world) => {
    let runs = 0;
    class LongJob extends Job {
      async perform(ms: number) {
        runs++;
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    }
    const process = await world.process({ jobs: [LongJob], sessionTimeoutMs: SESSION_MS });
    await process.start();
    await world.append([{ value: JSON.stringify({ job_class: "LongJob", arguments: [seconds * 1000] }) }]);
    await until(() => process.events("job.performed").length === 1, () => "the job", seconds * 1000 + MINUTE_MS);
    console.log(`  ${runs} runs, membership ${JSON.stringify(process.events("membership.changed"))}`);
    return broken({ "it runs once": runs === 1, "it stays": process.events("partition.lost").length === 0 });
  });
}

/** One of three workers is killed each second. */
export function kills(seconds: number, broker?: Shared): Promise<string[]> {
  return within(async (world) => {
    const partitions = 6;
    await world.process({ jobs: [RunLogJob], topics: [activeJobTopic("default", { partitions })] });
    await using runLog = new RunLog(world);
    const seed = Math.trunc(Math.random() * 2 ** 32);
    const random = new Random(seed);
    const report = await killLoop(world, runLog, { workers: 3, partitions, jobsASecond: 200, seconds, random });
    console.log(`  seed ${seed}: ${JSON.stringify(report)}`);
    return broken({
      "no job is lost": report.lost.length === 0,
      "at most one run a partition is cut short at each kill": report.cut <= report.kills * partitions,
      "few run twice": report.again <= report.kills * partitions * 20,
    });
  }, broker);
}

/** The same on an SQLite file. */
export function killsOnSqlite(seconds: number): Promise<string[]> {
  return kills(seconds, "sqlite");
}

/** Eight workers on 24 partitions; a ninth comes and goes, and each time at most three partitions move. */
export function ninthWorker(seconds: number): Promise<string[]> {
  return within(async (world) => {
    const topics = [activeJobTopic("default", { partitions: 24 })];
    const options = { jobs: [RunLogJob], topics };
    const eight: AppProcess[] = [];
    for (let n = 0; n < 8; n++) eight.push(await world.process(options));
    await Promise.all(eight.map((process) => process.start()));
    const lost = () => eight.reduce((sum, process) => sum + process.events("partition.lost").length, 0);
    const owned = (process: AppProcess) =>
      process.events("partition.assigned").length - process.events("partition.lost").length;
    const settled = (of: readonly AppProcess[]) =>
      until(
        () =>
          of.every((process) => owned(process) >= 2 && owned(process) <= 3) &&
          of.reduce((sum, process) => sum + owned(process), 0) === 24,
        () => `24 partitions shared out, not ${of.map(owned)}`,
      );
    await settled(eight);
    const moved: number[] = [];
    const endMs = performance.now() + seconds * 1000;
    while (performance.now() < endMs) {
      const before = lost();
      const ninth = await world.process(options);
      await ninth.start();
      await settled([...eight, ninth]);
      await ninth.stop();
      await settled(eight);
      moved.push(lost() - before);
    }
    console.log(`  it came and went ${moved.length} times; partitions that the others lost each time: ${moved}`);
    return broken({ "at most three move": moved.every((count) => count <= 3) });
  });
}

/** TERM at a random instant, and STOP for two sessions, in turn. */
export function signals(seconds: number, broker?: Shared): Promise<string[]> {
  return within(async (world) => {
    const topics = [activeJobTopic("default", { partitions: 1 })];
    await world.process({ jobs: [RunLogJob], topics });
    await using runLog = new RunLog(world);
    const random = new Random(Math.trunc(Math.random() * 2 ** 32));
    const workers: Child[] = [runLog.start(), runLog.start()];
    for (const worker of workers) await worker.line(/^worker\.started /);
    const watch = new OffsetWatch(world);
    const endMs = performance.now() + seconds * 1000;
    const codes: number[] = [];
    let jobs = 0;
    let stops = 0;
    for (let turn = 0; performance.now() < endMs; turn++) {
      await world.append(Array.from({ length: 200 }, () => runLogRecord(jobs++, { waitMs: 5 })));
      await pause(random.next() * 1000);
      const at = random.integer(0, 1);
      const worker = workers[at]!;
      if (turn % 2 === 0) {
        worker.signal("SIGTERM");
        codes.push((await worker.ended()).code);
        workers[at] = runLog.start();
        await workers[at]!.line(/^worker\.started /);
      } else {
        worker.signal("SIGSTOP");
        await pause(2 * SESSION_MS);
        worker.signal("SIGCONT");
        stops++;
      }
      await until(() => new Set(runLog.ended()).size === jobs, () => `${jobs} jobs`);
    }
    for (const worker of workers) worker.signal("SIGTERM");
    for (const worker of workers) codes.push((await worker.ended()).code);
    const offsets = await watch.stop();
    const again = runLog.ended().length - jobs;
    console.log(`  ${jobs} jobs, ${codes.length} ends by TERM, ${stops} stops; ${again} ran twice`);
    return broken({
      "no job is lost": new Set(runLog.ended()).size === jobs,
      "TERM ends with 0": codes.every((code) => code === 0),
      "the group's offset never falls": neverFell(offsets),
      // The jobs that one worker had finished and not committed when it was stopped, and those that ran.
      "few run twice": again <= stops * 25,
    });
  }, broker);
}

/** The same on an SQLite file. */
export function signalsOnSqlite(seconds: number): Promise<string[]> {
  return signals(seconds, "sqlite");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
