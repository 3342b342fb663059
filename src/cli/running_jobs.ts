/** How the command line names jobs that run. */
import type { JobInfo } from "../monitor/events.ts";
import { formatPosition } from "../support/position.ts";

/** So many jobs are named. */
const MAX_NAMED = 10;

/** `"2 jobs still run: AJob from default/0@7, BJob from default/1@3"`; of many, the first. */
export function stillRunning(jobs: readonly JobInfo[]): string {
  const shown = jobs.slice(0, MAX_NAMED).map((job) => `${job.jobClass} from ${formatPosition(job)}`);
  if (jobs.length > shown.length) shown.push("…");
  return `${count(jobs.length, "job still runs", "jobs still run")}: ${shown.join(", ")}`;
}

/** `"1 job"`, `"2 jobs"`. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
