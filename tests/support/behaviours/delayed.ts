/** Set-ups of the tests about delayed jobs: a job that records its runs, a clock that the test moves, and what waits. */
import { activeJobTopic, Job } from "../../../mod.ts";
import { ManualClock } from "../manual_clock.ts";
import type { AppProcess, ProcessOptions, World } from "./world.ts";
import { until } from "../until.ts";

/** A job that records its argument. */
export class NoteJob extends Job {
  /** The arguments of each run, in order. */
  static got: unknown[] = [];

  perform(what: unknown): void {
    NoteJob.got.push(what);
  }
}

/** A process of NoteJobs, and its clock. */
export interface DelayedProcess extends Disposable {
  readonly process: AppProcess;
  readonly clock: ManualClock;
}

/** Makes a process that performs NoteJobs of one partition, by a clock that the test moves. */
export async function delayedProcess(
  world: World,
  options: Partial<ProcessOptions> = {},
  clock: ManualClock = new ManualClock(),
): Promise<{ readonly process: AppProcess; readonly clock: ManualClock }> {
  NoteJob.got = [];
  const process = await world.process({
    jobs: [NoteJob],
    topics: [activeJobTopic("default", { partitions: 1, deadLetterQueue: { topic: "dead", maxRetries: 1 } })],
    scheduledTopic: { partitions: 1 },
    clock,
    ...options,
  });
  return { process, clock };
}

/** The name of the topic in which the jobs of a world wait, without the prefix. */
export function scheduledQueue(world: World): string {
  return `${world.group}_scheduled_jobs`;
}

/** Waits until the worker has read everything, and a number of jobs wait. */
export async function untilWaiting(process: AppProcess, waiting: number): Promise<void> {
  const status = () => process.worker.status().scheduler;
  await until(
    () => {
      const now = status();
      return now !== null && now.partitions.length > 0 && now.partitions.every(({ isReady }) => isReady) &&
        now.waiting === waiting;
    },
    () => `${waiting} jobs to wait, but it is ${JSON.stringify(status())}`,
  );
}

/** Waits until a number of jobs were performed. */
export async function untilNoted(count: number): Promise<void> {
  await until(() => NoteJob.got.length >= count, () => `${count} jobs, but there were ${NoteJob.got.length}`);
}

/** Returns the record of a NoteJob. */
export function noteRecord(what: unknown): { value: string } {
  return { value: JSON.stringify({ job_class: "NoteJob", job_id: `note-${what}`, arguments: [what] }) };
}
