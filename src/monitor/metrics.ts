/**
 * Metrics: a listener of the event stream that counts what jobs come to, and how long they run and wait. It lives in the
 * process, starts at zero with it, and is read by scraping: {@linkcode Metrics.text} is in Prometheus' text format.
 *
 * It costs a job a look into two maps and no object of its own. What is not counted but measured at a moment (lag, what
 * runs) is a worker's to say; the health handler of `@activejob/kafka/web` puts both together.
 */
import { checkOptions, integerFrom } from "../support/validation.ts";
import type { EventName } from "./events.ts";
import { Exposition } from "./exposition.ts";
import { SeriesTable, UNKNOWN_CLASS } from "./job_series.ts";
import type { Listener } from "./monitor.ts";
import { writeSeries } from "./write_series.ts";

/** Where events come from: an App, of whichever copy of this library. */
export interface EventSource {
  /** Calls a listener at each event of a name, until the function that it returns is called. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void;
  /** How many jobs are buffered and not acknowledged. */
  readonly pending?: number;
}

/** How metrics are counted. */
export interface MetricsOptions {
  /** How many pairs of topic and class are told apart; all others are counted together, as `(others)`. @default 500 */
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
  #errors = 0;

  /**
   * Makes one that counts nothing yet.
   *
   * @throws {InvalidConfigurationError} for an option that cannot be
   */
  constructor(options: MetricsOptions = {}) {
    checkOptions("new Metrics()", options, { maxSeries: integerFrom(1) });
    this.#series = new SeriesTable(options.maxSeries ?? 500);
  }

  /**
   * Counts the events of an App, beside those of others. The same one is counted once.
   *
   * @returns a function that ends that; what was counted stays
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

  /** What was counted so far, in Prometheus' text format 0.0.4. */
  text(): string {
    const exposition = new Exposition();
    this.write(exposition);
    return exposition.text;
  }

  /**
   * Adds it to a text.
   *
   * @internal
   */
  write(to: Exposition): void {
    writeSeries(to, this.#series);
    to.counters("activejob_errors_total", "Errors that no caller heard of", [[{}, this.#errors]]);
    const pending = [...this.#sources.keys()].reduce((sum, app) => sum + (app.pending ?? 0), 0);
    to.gauges("activejob_jobs_enqueuing", "Jobs buffered and not acknowledged", [[{}, pending]]);
  }

  #listen(app: EventSource): (() => void)[] {
    const series = this.#series;
    return [
      app.on("job.performed", ({ topic, jobClass, durationMs, waitMs }) => {
        const jobs = series.jobs(topic, jobClass);
        jobs.performed++;
        jobs.runSeconds.observe(durationMs / 1000);
        if (waitMs !== null) jobs.waitSeconds.observe(waitMs / 1000);
      }),
      app.on("job.failed", ({ topic, jobClass, durationMs }) => {
        const jobs = series.jobs(topic, jobClass);
        jobs.failed++;
        jobs.runSeconds.observe(durationMs / 1000);
      }),
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
      app.on("records.expired", ({ topic, from, to }) => void (series.topic(topic).gone += to - from)),
      app.on("partition.assigned", ({ topic }) => {
        series.topic(topic).assigned++;
        // There from the start: an increase from nothing to one is none for whoever watches.
        series.jobs(topic, UNKNOWN_CLASS);
      }),
      app.on("partition.lost", ({ topic }) => void series.topic(topic).lost++),
      app.on("job.enqueued", ({ queue, jobClass }) => void series.jobs(queue, jobClass).enqueued++),
      app.on("job.enqueue_failed", ({ queue, jobClass }) => void series.jobs(queue, jobClass).enqueueFailed++),
      app.on("error.occurred", () => void this.#errors++),
    ];
  }
}
