/**
 * The counts of jobs: one series for each topic, and one for each class of jobs in it. Names come from records and from
 * callers, so their number has no limit of its own: beyond a bound all new names are counted together.
 */
import { Histogram } from "./histogram.ts";

/** The name under which everything beyond the bound is counted. It is not a valid topic name. */
export const OTHERS = "(others)";
/** The class of records that name none, or an unknown one. */
export const UNKNOWN_CLASS = "(unknown)";

/** Buckets of run times, in seconds: jobs take from less than a millisecond to hours. */
export const RUN_BOUNDS: readonly number[] = [
  0.001,
  0.005,
  0.025,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300,
  900,
  3600,
];
/** Buckets of waiting times, in seconds. */
export const WAIT_BOUNDS: readonly number[] = [
  0.005,
  0.025,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300,
  900,
  3600,
  21_600,
  86_400,
];

/** The counts of one class of jobs in one topic. */
export class JobSeries {
  performed = 0;
  failed = 0;
  retried = 0;
  discarded = 0;
  rescued = 0;
  halted = 0;
  expired = 0;
  interrupted = 0;
  cancelled = 0;
  revoked = 0;
  orphaned = 0;
  deadLettered = 0;
  enqueued = 0;
  enqueueFailed = 0;
  readonly runSeconds: Histogram = new Histogram(RUN_BOUNDS);
  readonly waitSeconds: Histogram = new Histogram(WAIT_BOUNDS);
}

/** The counts of one topic. */
export class TopicSeries {
  readonly classes: Map<string, JobSeries> = new Map();
  tombstones = 0;
  finishedBefore = 0;
  expired = 0;
  assigned = 0;
  lost = 0;
  leaderless = 0;
}

/** The series of all topics and classes. */
export class SeriesTable {
  readonly #max: number;
  readonly #topics = new Map<string, TopicSeries>();
  #size = 0;

  /** @param max the pairs of topic and class that get series of their own */
  constructor(max: number) {
    this.#max = max;
  }

  /** The series by topic. */
  get topics(): ReadonlyMap<string, TopicSeries> {
    return this.#topics;
  }

  /** Returns the series of a topic. */
  topic(name: string): TopicSeries {
    return this.#topics.get(name) ?? this.#newTopic(name);
  }

  /** Returns the series of a class in a topic. */
  jobs(topic: string, jobClass: string): JobSeries {
    return this.#topics.get(topic)?.classes.get(jobClass) ?? this.#newClass(topic, jobClass);
  }

  #newTopic(name: string): TopicSeries {
    const counted = this.#size < this.#max ? name : OTHERS;
    return getOrCreate(this.#topics, counted, () => new TopicSeries());
  }

  #newClass(topic: string, jobClass: string): JobSeries {
    const isFull = this.#size >= this.#max;
    return getOrCreate(this.topic(topic).classes, isFull ? OTHERS : jobClass, () => {
      this.#size++;
      return new JobSeries();
    });
  }
}

function getOrCreate<T>(map: Map<string, T>, key: string, create: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = create());
  return value;
}
