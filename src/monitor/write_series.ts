/** Writes the counts of jobs and topics for Prometheus: the metrics' names, help and labels. */
import type { Exposition, Labels } from "./exposition.ts";
import type { Histogram } from "./histogram.ts";
import { type JobSeries, type SeriesTable, type TopicSeries, UNKNOWN_CLASS } from "./job_series.ts";

type LabeledJobs = readonly (readonly [Labels, JobSeries])[];

/** Adds all series to a scrape. */
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

/** Writes what jobs came to. Records without a class have no such series: they are never performed. */
function writeJobs(to: Exposition, jobs: LabeledJobs): void {
  to.counters(
    "activejob_jobs_total",
    "Attempts at jobs by outcome; a job that is retried counts each time",
    jobs.flatMap((
      [labels, { performed, failed, retried, discarded, rescued, halted, expired, interrupted, cancelled, revoked }],
    ) =>
      Object.entries({
        performed,
        failed,
        retried,
        discarded,
        rescued,
        halted,
        expired,
        interrupted,
        cancelled,
        revoked,
      })
        .map(([outcome, count]) => [{ ...labels, outcome }, count] as const)
    ),
  );
  to.counters(
    "activejob_jobs_orphaned_total",
    "Jobs that went on although they had been aborted",
    jobs.map(([labels, { orphaned }]) => [labels, orphaned]),
  );
  to.histograms(
    "activejob_job_run_seconds",
    "How long attempts ran, those that failed included",
    withValues(jobs, ({ runSeconds }) => runSeconds),
  );
  to.histograms(
    "activejob_job_wait_seconds",
    "From a job's enqueuing to the start of the attempt that passed",
    withValues(jobs, ({ waitSeconds }) => waitSeconds),
  );
}

/** Writes what was enqueued. A process that enqueues nothing has no such series. */
function writeEnqueuing(to: Exposition, jobs: LabeledJobs): void {
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
    "Records skipped: tombstones, and those that an earlier run had finished",
    topics.flatMap(([labels, { tombstones, finishedBefore }]) => [
      [{ ...labels, reason: "tombstone" }, tombstones] as const,
      [{ ...labels, reason: "finished" }, finishedBefore] as const,
    ]),
  );
  to.counters(
    "activejob_records_expired_total",
    "Offsets deleted from the log before they were performed",
    topics.map(([labels, { expired }]) => [labels, expired]),
  );
  to.counters(
    "activejob_partitions_assigned_total",
    "Partitions assigned to this process",
    topics.map(([labels, { assigned }]) => [labels, assigned]),
  );
  to.counters(
    "activejob_partitions_lost_total",
    "Partitions lost or released by this process",
    topics.map(([labels, { lost }]) => [labels, lost]),
  );
  to.counters(
    "activejob_partitions_leaderless_total",
    "How often a partition of this process had no leader",
    topics.map(([labels, { leaderless }]) => [labels, leaderless]),
  );
}

/** Returns the histograms that have a value. */
function withValues(jobs: LabeledJobs, pick: (series: JobSeries) => Histogram): (readonly [Labels, Histogram])[] {
  return jobs.map(([labels, series]) => [labels, pick(series)] as const)
    .filter(([, { counts }]) => counts.some((count) => count > 0));
}
