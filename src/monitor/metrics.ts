/**
 * Metrics: a listener of the event stream that counts jobs by outcome, and how long they run and wait. It lives in the
 * process, starts at zero with it, and is read by scraping: {@linkcode Metrics.text} is in Prometheus' text format.
 *
 * A job costs look-ups in two maps, and no object is allocated. Gauges (lag, running jobs) are read from a worker's status
 * at each scrape; the health handler of `@activejob/kafka/web` puts both together.
 */
import { ownListener } from "../support/root_context.ts";
import { checkOptions, integerFrom } from "../support/validation.ts";
import { ErrorCounts } from "./error_counts.ts";
import type { EventMap, EventName } from "./events.ts";
import { Exposition } from "./exposition.ts";
import { SeriesTable, UNKNOWN_CLASS } from "./job_series.ts";
import type { Listener } from "./monitor.ts";
import { ScheduleCounts } from "./schedule_counts.ts";
import { writeSeries } from "./write_series.ts";

/** A source of events: an App, of any copy of this library. */
export interface EventSource {
  /** Calls a listener at each event of a name, until the function that it returns is called. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /** The number of jobs that are buffered and not acknowledged. */
  readonly pending?: number;
}

/** Options of metrics. */
export interface MetricsOptions {
  /** Pairs of topic and class with series of their own; all others are counted together, as `(others)`. @default 500 */
  readonly maxSeries?: number;
}

/**
 * Counts events.
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { Metrics } from "@activejob/kafka/web";
 * import { assertStringIncludes } from "@std/assert";
 *
 * class PingJob extends Job {
 *   perform() {}
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [PingJob],
 *   topics: [activeJobTopic("default")],
 *   logger: false,
 * });
 * const metrics = new Metrics();
 * metrics.attach(app);
 *
 * await PingJob.performLater();
 * await app.worker().run(undefined, { once: true });
 * assertStringIncludes(
 *   metrics.text(),
 *   'activejob_jobs_total{topic="default",job_class="PingJob",outcome="performed"} 1\n',
 * );
 * ```
 */
export class Metrics {
  readonly #series: SeriesTable;
  readonly #sources = new Map<EventSource, () => void>();
  readonly #errors = new ErrorCounts();
  readonly #schedule = new ScheduleCounts();

  /**
   * Creates metrics that count nothing yet.
   *
   * @throws {InvalidConfigurationError} for an option that is unknown or out of range
   */
  constructor(options: MetricsOptions = {}) {
    checkOptions("new Metrics()", options, { maxSeries: integerFrom(1) });
    this.#series = new SeriesTable(options.maxSeries ?? 500);
  }

  /**
   * Counts the events of an App from now on, beside those of others. An App that is attached already is not counted twice.
   *
   * @returns a function that detaches it; the counts stay
   */
  attach(app: EventSource): () => void {
    const attached = this.#sources.get(app);
    if (attached !== undefined) return attached;
    const ends = this.#listen(app);
    const detach = () => {
      this.#sources.delete(app);
      for (const end of ends) end();
    };
    this.#sources.set(app, detach);
    return detach;
  }

  /** Returns the counts in Prometheus' text format 0.0.4. */
  text(): string {
    const exposition = new Exposition();
    this.write(exposition);
    return exposition.text;
  }

  /**
   * Adds the counts to a scrape.
   *
   * @internal
   */
  write(to: Exposition): void {
    writeSeries(to, this.#series);
    this.#schedule.write(to);
    to.counters(
      "activejob_errors_total",
      "Errors that no caller got, by where they occurred",
      this.#errors.entries().map(([where, count]) => [{ where }, count] as const),
    );
    const pending = [...this.#sources.keys()].reduce((sum, app) => sum + (app.pending ?? 0), 0);
    to.gauges("activejob_jobs_enqueuing", "Jobs buffered and not acknowledged", [[{}, pending]]);
  }

  #listen(app: EventSource): (() => void)[] {
    const [series, schedule] = [this.#series, this.#schedule];
    return [
      app.on("job.scheduled", () => void schedule.scheduled++),
      app.on(
        "job.released",
        ownListener(({ latenessMs }: EventMap["job.released"]) => schedule.latenessSeconds.observe(latenessMs / 1000)),
      ),
      app.on("job.cancelled", ({ state, topic, jobClass }) => {
        if (state === "delayed") schedule.cancelled++;
        else series.jobs(topic, jobClass ?? UNKNOWN_CLASS).cancelled++;
      }),
      app.on("schedule.unreadable", () => void schedule.unreadable++),
      // Once for each job: what an isolated call costs would be a large part of it.
      app.on(
        "job.performed",
        ownListener(({ topic, jobClass, durationMs, waitMs }: EventMap["job.performed"]) => {
          const jobs = series.jobs(topic, jobClass);
          jobs.performed++;
          jobs.runSeconds.observe(durationMs / 1000);
          if (waitMs !== null) jobs.waitSeconds.observe(waitMs / 1000);
        }),
      ),
      ...(
        [
          ["job.failed", "failed"],
          ["job.retry_scheduled", "retried"],
          ["job.discarded", "discarded"],
          ["job.rescued", "rescued"],
          ["job.halted", "halted"],
          ["job.interrupted", "interrupted"],
        ] as const
      ).map(([event, outcome]) =>
        app.on(event, ({ topic, jobClass, durationMs }) => {
          const jobs = series.jobs(topic, jobClass);
          jobs[outcome]++;
          jobs.runSeconds.observe(durationMs / 1000);
        })
      ),
      app.on("job.expired", ({ topic, jobClass }) => void series.jobs(topic, jobClass).expired++),
      app.on("job.revoked", ({ topic, jobClass }) => void series.jobs(topic, jobClass).revoked++),
      app.on("job.orphaned", ({ topic, jobClass }) => void series.jobs(topic, jobClass).orphaned++),
      app.on(
        "record.dead_lettered",
        ({ topic, jobClass }) => void series.jobs(topic, jobClass ?? UNKNOWN_CLASS).deadLettered++,
      ),
      app.on("record.skipped", ({ topic, reason }) => {
        if (reason === "tombstone") series.topic(topic).tombstones++;
        else series.topic(topic).finishedBefore++;
      }),
      app.on("records.expired", ({ topic, from, to }) => void (series.topic(topic).expired += to - from)),
      app.on("partition.assigned", ({ topic }) => {
        series.topic(topic).assigned++;
        // Create the series at 0, so that `increase()` sees the first event.
        series.jobs(topic, UNKNOWN_CLASS);
      }),
      app.on("partition.lost", ({ topic }) => void series.topic(topic).lost++),
      app.on("partition.leaderless", ({ topic }) => void series.topic(topic).leaderless++),
      app.on("job.enqueued", ({ queue, jobClass }) => void series.jobs(queue, jobClass).enqueued++),
      app.on("job.enqueue_failed", ({ queue, jobClass }) => void series.jobs(queue, jobClass).enqueueFailed++),
      app.on("error.occurred", ({ where }) => this.#errors.add(where)),
    ];
  }
}
