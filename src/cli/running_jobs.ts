/** Text about running jobs. */
import type { JobInfo } from "../monitor/events.ts";
import { formatPosition } from "../support/position.ts";

/** At most this many jobs are named. */
const MAX_NAMED = 10;

/**
 * Formats jobs that run.
 *
 * @returns for example `"2 jobs still run: AJob from default/0@7, BJob from default/1@3"`; the first ten of many
 */
export function formatRunningJobs(jobs: readonly JobInfo[]): string {
  const shown = jobs.slice(0, MAX_NAMED).map((job) => `${job.jobClass} from ${formatPosition(job)}`);
  if (jobs.length > shown.length) shown.push("…");
  return `${formatCount(jobs.length, "job still runs", "jobs still run")}: ${shown.join(", ")}`;
}

/** Formats a number with its noun: `"1 job"`, `"2 jobs"`. */
export function formatCount(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
