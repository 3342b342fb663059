/** How the command line names jobs that run. */
import type { JobInfo, RecordInfo } from "../monitor/events.ts";

/** So many jobs are named. */
const MAX_NAMED = 10;

/** `"2 jobs still run: AJob from default/0@7, BJob from default/1@3"`; of many, the first. */
export function stillRunning(jobs: readonly JobInfo[]): string {
  const shown = jobs.slice(0, MAX_NAMED).map((job) => `${job.jobClass} from ${coordinates(job)}`);
  if (jobs.length > shown.length) shown.push("…");
  return `${count(jobs.length, "job still runs", "jobs still run")}: ${shown.join(", ")}`;
}

/** `"default/0@7"`. */
export function coordinates({ topic, partition, offset }: RecordInfo): string {
  return `${topic}/${partition}@${offset}`;
}

/** `"1 job"`, `"2 jobs"`. */
export function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
