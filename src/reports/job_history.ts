/**
 * The history of the jobs of one App: a listener of the event stream that counts them by topic and minute. All workers of an
 * App share its event stream, so that they share one history, and the first of them reports it.
 */
import type { EventMap } from "../monitor/events.ts";
import { RUN_BOUNDS, WAIT_BOUNDS } from "../monitor/job_series.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Clock } from "../support/clock.ts";
import { MinuteRing, RecentHistogram } from "./recent_counts.ts";
import type { ReportedHistogram, TopicHistory, WorkerHistory } from "./reported_worker.ts";

/** Most topics of a report. */
export const MAX_TOPICS = 50;

const MINUTE_MS = 60_000;
const toMs = (seconds: number) => seconds * 1000;
const RUN_BOUNDS_MS = RUN_BOUNDS.map(toMs);
const WAIT_BOUNDS_MS = WAIT_BOUNDS.map(toMs);

/** The counts of one topic. */
class TopicCounts {
  readonly performed = new MinuteRing();
  readonly failed = new MinuteRing();
  readonly retried = new MinuteRing();
  readonly deadLettered = new MinuteRing();
  readonly runMs = new RecentHistogram(RUN_BOUNDS_MS);
  readonly waitMs = new RecentHistogram(WAIT_BOUNDS_MS);

  /** Returns the number of jobs in the hour that ends with a minute. */
  jobsUntil(minute: number): number {
    return this.performed.sumUntil(minute) + this.failed.sumUntil(minute) + this.deadLettered.sumUntil(minute);
  }
}

/** See the module. */
export class JobHistory {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #topics = new Map<string, TopicCounts>();
  readonly #ends: readonly (() => void)[];

  /** Counts from now on. */
  constructor(monitor: Monitor, clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
    this.#ends = [
      monitor.on("job.performed", (event) => {
        const minute = this.#minute();
        const counts = this.#done(event, minute);
        if (event.waitMs !== null) counts.waitMs.observe(event.waitMs, minute);
      }),
      monitor.on("job.halted", (event) => void this.#done(event, this.#minute())),
      monitor.on("job.rescued", (event) => void this.#done(event, this.#minute())),
      monitor.on("job.failed", (event) => this.#failed(event, event.next === "retry")),
      monitor.on("job.retry_scheduled", (event) => this.#failed(event, true)),
      monitor.on("job.discarded", (event) => this.#failed(event, false)),
      monitor.on("record.dead_lettered", ({ topic }) => this.#countsOf(topic).deadLettered.count(this.#minute())),
    ];
  }

  /** Counts nothing any more. */
  close(): void {
    for (const end of this.#ends) end();
  }

  /** Returns the last hour, with the topics that had a job in it. */
  snapshot(): WorkerHistory {
    const minute = this.#minute();
    const busy = Array.from(this.#topics, ([topic, counts]) => ({ topic, counts, jobs: counts.jobsUntil(minute) }))
      .filter(({ jobs }) => jobs > 0);
    const topics = busy.toSorted((a, b) => b.jobs - a.jobs).slice(0, MAX_TOPICS);
    return {
      minuteMs: minute * MINUTE_MS,
      topics: topics.map(({ topic, counts }) => historyOf(topic, counts, minute)),
      otherTopics: busy.length - topics.length,
    };
  }

  #minute(): number {
    return Math.floor(this.#clock.nowMs() / MINUTE_MS);
  }

  #countsOf(topic: string): TopicCounts {
    let counts = this.#topics.get(topic);
    if (counts === undefined) this.#topics.set(topic, counts = new TopicCounts());
    return counts;
  }

  #done({ topic, durationMs }: Run, minute: number): TopicCounts {
    const counts = this.#countsOf(topic);
    counts.performed.count(minute);
    counts.runMs.observe(durationMs, minute);
    return counts;
  }

  #failed({ topic, durationMs }: Run, isRetried: boolean): void {
    const minute = this.#minute();
    const counts = this.#countsOf(topic);
    counts.failed.count(minute);
    if (isRetried) counts.retried.count(minute);
    counts.runMs.observe(durationMs, minute);
  }
}

type Run = Pick<EventMap["job.halted"], "topic" | "durationMs">;

function historyOf(topic: string, counts: TopicCounts, minute: number): TopicHistory {
  const histogram = (recent: RecentHistogram): ReportedHistogram => ({
    bounds: recent.bounds,
    ...recent.until(minute),
  });
  return {
    topic,
    performed: counts.performed.until(minute),
    failed: counts.failed.until(minute),
    retried: counts.retried.until(minute),
    deadLettered: counts.deadLettered.until(minute),
    runMs: histogram(counts.runMs),
    waitMs: histogram(counts.waitMs),
  };
}
