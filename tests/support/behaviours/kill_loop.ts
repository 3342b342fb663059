/**
 * Worker processes of which one is killed each second, and a new one started, until all jobs are in the ledger: what is lost
 * then, and what ran twice? A row runs it for seconds, the soak for minutes.
 */
import type { Random } from "../random.ts";
import type { Child } from "../child.ts";
import type { World } from "./world.ts";
import { type Ledger, ledgerRecord } from "./ledger.ts";
import { until } from "../until.ts";

/** How it goes. */
export interface KillLoopOptions {
  readonly workers: number;
  readonly partitions: number;
  /** How many jobs are written each second. */
  readonly jobsASecond: number;
  readonly seconds: number;
  readonly random: Random;
}

/** How it went. */
export interface KillLoopReport {
  readonly jobs: number;
  readonly kills: number;
  /** The jobs that never ended. */
  readonly lost: readonly number[];
  /** How many ends there were beyond one a job. */
  readonly again: number;
  /** How many runs began and never ended. */
  readonly cut: number;
}

const SECOND_MS = 1000;
const JOB_MS = 5;
/** A killed worker's partitions wait for the end of its session. */
const PATIENCE_MS = 30_000;

/** Runs it. The topic "default" must have so many partitions. */
export async function killLoop(world: World, ledger: Ledger, options: KillLoopOptions): Promise<KillLoopReport> {
  const { random, partitions, jobsASecond, seconds } = options;
  const workers: Child[] = [];
  for (let n = 0; n < options.workers; n++) workers.push(ledger.start());
  await Promise.all(workers.map((worker) => worker.line(/^worker\.started /)));
  let jobs = 0;
  let kills = 0;
  for (let second = 0; second < seconds; second++) {
    const records = Array.from({ length: jobsASecond }, () => {
      return { ...ledgerRecord(jobs++, { waitMs: JOB_MS }), partition: random.integer(0, partitions - 1) };
    });
    await world.append(records);
    // At any instant of the second.
    await pause(random.next() * SECOND_MS);
    const victim = random.integer(0, workers.length - 1);
    workers[victim]!.signal("SIGKILL");
    kills++;
    workers[victim] = ledger.start();
    await workers[victim].line(/^partition\.assigned |^worker\.started /);
  }
  const ended = () => new Set(ledger.ended());
  await until(() => ended().size === jobs, () => `${jobs} jobs to end, not ${ended().size}`, PATIENCE_MS).catch(
    () => {},
  );
  for (const worker of workers) worker.signal("SIGTERM");
  for (const worker of workers) await worker.ended();
  const lines = ledger.lines();
  const ends = lines.filter(({ what }) => what === "end").length;
  const lost = Array.from({ length: jobs }, (_, n) => n).filter((n) => !ended().has(n));
  return { jobs, kills, lost, again: ends - ended().size, cut: lines.length - 2 * ends };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
