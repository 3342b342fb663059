/** What is counted of jobs and topics, as Prometheus reads it: the names, what they mean, and their labels. */
import type { Exposition, Labels } from "./exposition.ts";
import type { Histogram } from "./histogram.ts";
import { type JobSeries, type SeriesTable, type TopicSeries, UNKNOWN_CLASS } from "./job_series.ts";

type OfJobs = readonly (readonly [Labels, JobSeries])[];

/** Adds all of it to a text. */
export function writeSeries(to: Exposition, table: SeriesTable): void {
  const topics = Array.from(table.topics, ([topic, series]) => [{ topic }, series] as const);
  const jobs = topics.flatMap(([labels, { classes }]) =>
    Array.from(classes, ([job_class, series]) => [{ ...labels, job_class }, series] as const)
  );
  writeJobs(to, jobs.filter(([{ job_class }]) => job_class !== UNKNOWN_CLASS));
  to.counters(
    "activejob_dead_letters_total",
    "Records written to a dead letter topic",
    jobs.map(([labels, { deadLettered }]) => [labels, deadLettered]),
  );
  writeEnqueuing(to, jobs.filter(([, { enqueued, enqueueFailed }]) => enqueued + enqueueFailed > 0));
  writeTopics(to, topics);
}

/** What names no class is never performed. */
function writeJobs(to: Exposition, jobs: OfJobs): void {
  to.counters(
    "activejob_jobs_total",
    "Attempts at jobs by what came of them; a job that is tried again counts each time",
    jobs.flatMap(([labels, { performed, failed, revoked }]) =>
      Object.entries({ performed, failed, revoked }).map(([outcome, count]) => [{ ...labels, outcome }, count] as const)
    ),
  );
  to.counters(
    "activejob_jobs_orphaned_total",
    "Jobs that went on although they had been asked to end",
    jobs.map(([labels, { orphaned }]) => [labels, orphaned]),
  );
  to.histograms(
    "activejob_job_run_seconds",
    "How long attempts ran, those that failed included",
    observed(jobs, ({ runSeconds }) => runSeconds),
  );
  to.histograms(
    "activejob_job_wait_seconds",
    "From a job's enqueuing to the start of the attempt that passed",
    observed(jobs, ({ waitSeconds }) => waitSeconds),
  );
}

/** A worker that enqueues nothing has nothing to say of it. */
function writeEnqueuing(to: Exposition, jobs: OfJobs): void {
  to.counters(
    "activejob_jobs_enqueued_total",
    "Jobs written to a topic, acknowledged",
    jobs.map(([labels, { enqueued }]) => [labels, enqueued]),
  );
  to.counters(
    "activejob_jobs_enqueue_failed_total",
    "Jobs that could not be enqueued",
    jobs.map(([labels, { enqueueFailed }]) => [labels, enqueueFailed]),
  );
}

function writeTopics(to: Exposition, topics: readonly (readonly [Labels, TopicSeries])[]): void {
  to.counters(
    "activejob_records_skipped_total",
    "Records passed over: tombstones, and those that an earlier run had finished",
    topics.flatMap(([labels, { tombstones, finishedBefore }]) => [
      [{ ...labels, reason: "tombstone" }, tombstones] as const,
      [{ ...labels, reason: "finished" }, finishedBefore] as const,
    ]),
  );
  to.counters(
    "activejob_records_gone_total",
    "Offsets deleted from the log before they were performed",
    topics.map(([labels, { gone }]) => [labels, gone]),
  );
  to.counters(
    "activejob_partitions_assigned_total",
    "Partitions that became this process's",
    topics.map(([labels, { assigned }]) => [labels, assigned]),
  );
  to.counters(
    "activejob_partitions_lost_total",
    "Partitions that were no longer this process's",
    topics.map(([labels, { lost }]) => [labels, lost]),
  );
}

/** The histograms of those that have seen anything. */
function observed(jobs: OfJobs, pick: (series: JobSeries) => Histogram): (readonly [Labels, Histogram])[] {
  return jobs.map(([labels, series]) => [labels, pick(series)] as const)
    .filter(([, { counts }]) => counts.some((count) => count > 0));
}
