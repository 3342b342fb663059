/**
 * Worker processes of which one is killed each second, and another one started, until all jobs have run: counts the
 * jobs that were lost, and those that ran twice. A test runs it for seconds, the soak for minutes.
 */
import type { Random } from "../random.ts";
import type { Child } from "../child.ts";
import type { World } from "./world.ts";
import { type RunLog, runLogRecord } from "./run_log.ts";
import { until } from "../until.ts";

/** Options of a loop. */
export interface KillLoopOptions {
  readonly workers: number;
  readonly partitions: number;
  /** The number of jobs that are enqueued each second. */
  readonly jobsASecond: number;
  readonly seconds: number;
  readonly random: Random;
}

/** The result of a loop. */
export interface KillLoopReport {
  readonly jobs: number;
  readonly kills: number;
  /** The jobs that never ended. */
  readonly lost: readonly number[];
  /** The number of ends beyond one for each job. */
  readonly again: number;
  /** The number of runs that started and never ended. */
  readonly cut: number;
}

const SECOND_MS = 1000;
/** The time that a job takes, in ms. */
export const JOB_MS = 5;

/** Runs the loop. The topic "default" must have the number of partitions of the options. */
export async function killLoop(world: World, runLog: RunLog, options: KillLoopOptions): Promise<KillLoopReport> {
  const { random, partitions, jobsASecond, seconds } = options;
  const workers: Child[] = [];
  for (let n = 0; n < options.workers; n++) workers.push(runLog.start());
  await Promise.all(workers.map((worker) => worker.line(/^worker\.started /)));
  let jobs = 0;
  let kills = 0;
  for (let second = 0; second < seconds; second++) {
    const records = Array.from({ length: jobsASecond }, () => {
      return { ...runLogRecord(jobs++, { waitMs: JOB_MS }), partition: random.integer(0, partitions - 1) };
    });
    await world.append(records);
    // At a random moment of the second.
    await pause(random.next() * SECOND_MS);
    const victim = random.integer(0, workers.length - 1);
    workers[victim]!.signal("SIGKILL");
    kills++;
    workers[victim] = runLog.start();
    await workers[victim].line(/^partition\.assigned |^worker\.started /);
  }
  const ended = () => new Set(runLog.ended());
  await until(() => ended().size === jobs, () => `${jobs} jobs to end, not ${ended().size}`).catch(() => {});
  for (const worker of workers) worker.signal("SIGTERM");
  for (const worker of workers) await worker.ended();
  const lines = runLog.lines();
  const ends = lines.filter(({ what }) => what === "end").length;
  const lost = Array.from({ length: jobs }, (_, n) => n).filter((n) => !ended().has(n));
  return { jobs, kills, lost, again: ends - ended().size, cut: lines.length - 2 * ends };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
