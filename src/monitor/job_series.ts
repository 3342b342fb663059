/**
 * What is counted of jobs: one set of numbers for each topic, and one for each class of jobs in it. Names come from records
 * and from callers, so there may be any number of them: beyond a bound all new ones are counted together.
 */
import { Histogram } from "./histogram.ts";

/** The name under which everything beyond the bound is counted; no topic can be called so. */
export const OTHERS = "(others)";
/** What stands for the class of a record that names none, or none that is known. */
export const UNKNOWN_CLASS = "(unknown)";

/** In seconds. Jobs take from less than a millisecond to hours. */
const RUN_BOUNDS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
/** In seconds. */
const WAIT_BOUNDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];

/** The numbers of one class of jobs in one topic. */
export class JobSeries {
  performed = 0;
  failed = 0;
  revoked = 0;
  orphaned = 0;
  deadLettered = 0;
  enqueued = 0;
  enqueueFailed = 0;
  readonly runSeconds: Histogram = new Histogram(RUN_BOUNDS);
  readonly waitSeconds: Histogram = new Histogram(WAIT_BOUNDS);
}

/** The numbers of one topic. */
export class TopicSeries {
  readonly classes: Map<string, JobSeries> = new Map();
  tombstones = 0;
  finishedBefore = 0;
  gone = 0;
  assigned = 0;
  lost = 0;
}

/** All of them. */
export class SeriesTable {
  readonly #max: number;
  readonly #topics = new Map<string, TopicSeries>();
  #size = 0;

  /** @param max how many pairs of topic and class are told apart */
  constructor(max: number) {
    this.#max = max;
  }

  /** By topic. */
  get topics(): ReadonlyMap<string, TopicSeries> {
    return this.#topics;
  }

  /** The numbers of a topic. */
  topic(name: string): TopicSeries {
    return this.#topics.get(name) ?? this.#newTopic(name);
  }

  /** The numbers of a class in a topic. */
  jobs(topic: string, jobClass: string): JobSeries {
    return this.#topics.get(topic)?.classes.get(jobClass) ?? this.#newClass(topic, jobClass);
  }

  #newTopic(name: string): TopicSeries {
    const counted = this.#size < this.#max ? name : OTHERS;
    return getOrMake(this.#topics, counted, () => new TopicSeries());
  }

  #newClass(topic: string, jobClass: string): JobSeries {
    const isFull = this.#size >= this.#max;
    return getOrMake(this.topic(topic).classes, isFull ? OTHERS : jobClass, () => {
      this.#size++;
      return new JobSeries();
    });
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) map.set(key, value = make());
  return value;
}
