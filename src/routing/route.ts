/**
 * A route: a declared topic with nothing left open. Names are full (with the App's prefix), every option has its value:
 * the topic's own, else the App's, else the default. Made once, when an App is made, and frozen.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { didYouMean } from "../support/validation.ts";
import type { JobOptions } from "./job_options.ts";
import type { JobTopic, Ordering } from "./topic.ts";

/** Everything that a worker and a dispatcher need to know about one topic. */
export interface Route {
  /** The queue: the topic's name without the prefix. */
  readonly queue: string;
  /** The topic's full name. */
  readonly topic: string;
  /** The consumer group. */
  readonly group: string;
  /** The jobs that run one by one. */
  readonly ordering: Ordering;
  /** Most jobs of a partition that run at once; `Infinity` for no limit of its own. */
  readonly maxConcurrency: number;
  /** Most records of a partition that are in the process and not finished. */
  readonly maxMessages: number;
  /** Options of the backoff, times in ms. */
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly jitter: number };
  /** The dead letter queue, with the full name of its topic; `null` for none. */
  readonly deadLetterQueue:
    | { readonly topic: string; readonly maxRetries: number; readonly independent: boolean }
    | null;
  /** Time limit of a job, in ms; `null` for none. */
  readonly timeoutMs: number | null;
  /** Age at which a job is not performed any more, in ms; `null` for none. */
  readonly expiresAfterMs: number | null;
  /** Time that a job may run longer before it is reported as orphaned, in ms. */
  readonly timeoutGraceMs: number;
  /** Largest value, in bytes. */
  readonly maxPayloadBytes: number;
  /** Time for which jobs of unknown classes are retried, in ms. */
  readonly unknownJobsRetryForMs: number;
  /** The topic as it was declared. */
  readonly declared: JobTopic;
}

/** Default number of retries of a failed job. */
export const DEFAULT_MAX_RETRIES = 3;

/** The parts of full topic names. */
export interface Naming {
  /** Prefix of each name; `""` for none. */
  readonly queuePrefix: string;
  /** Delimiter between prefix and name. */
  readonly queueDelimiter: string;
}

/** Returns the full name of a topic. */
export function fullName(name: string, naming: Naming): string {
  return naming.queuePrefix === "" ? name : `${naming.queuePrefix}${naming.queueDelimiter}${name}`;
}

/** The routes of an App. */
export class Routes {
  readonly #byTopic = new Map<string, Route>();
  readonly #naming: Naming;

  /**
   * @throws {InvalidConfigurationError} if a topic is declared twice, is its own dead letter topic, or has an `ordering` for
   * which its dead letter queue has no meaning
   */
  constructor(topics: readonly JobTopic[], defaults: JobOptions, naming: Naming, group: string) {
    this.#naming = naming;
    for (const declared of topics) {
      const route = resolve(declared, defaults, naming, group);
      if (this.#byTopic.has(route.topic)) {
        throw new InvalidConfigurationError(`Topic "${declared.name}" is declared twice`);
      }
      this.#byTopic.set(route.topic, route);
    }
    for (const route of this.#byTopic.values()) {
      const deadLetters = route.deadLetterQueue?.topic;
      if (deadLetters !== undefined && this.#byTopic.has(deadLetters)) {
        throw new InvalidConfigurationError(
          `Topic "${route.queue}" cannot have "${deadLetters}" as its dead letter topic: jobs are performed from there`,
        );
      }
    }
  }

  /** Returns every route, in the order of declaration. */
  all(): Route[] {
    return [...this.#byTopic.values()];
  }

  /** Returns the full topic name of a queue. The full name of a declared topic is returned as it is: jobs on a worker have it. */
  topicOf(queue: string): string {
    const topic = fullName(queue, this.#naming);
    return !this.#byTopic.has(topic) && this.#byTopic.has(queue) ? queue : topic;
  }

  /** Returns the route of a topic, by its full name. */
  find(topic: string): Route | undefined {
    return this.#byTopic.get(topic);
  }

  /**
   * The routes of some queues, each once.
   *
   * @throws {InvalidConfigurationError} for a queue that is not declared
   */
  select(queues: readonly string[]): Route[] {
    const routes = queues.map((queue) => {
      const route = this.find(this.topicOf(queue));
      if (route === undefined) throw new InvalidConfigurationError(this.undeclared(queue));
      return route;
    });
    return [...new Set(routes)];
  }

  /** The largest value of a job, in bytes. */
  get maxPayloadBytes(): number {
    return Math.max(...this.all().map((route) => route.maxPayloadBytes));
  }

  /** Returns the message about a queue that is not declared. */
  undeclared(queue: string): string {
    return `No topic declares the queue "${queue}"${didYouMean(queue, this.all().map((route) => route.queue))}`;
  }
}

function resolve(declared: JobTopic, defaults: JobOptions, naming: Naming, group: string): Route {
  const of = <Key extends keyof JobOptions>(key: Key) => declared[key] ?? defaults[key];
  const deadLetterQueue = of("deadLetterQueue");
  const { ordering = "partition" } = declared;
  if (deadLetterQueue?.independent === false && ordering !== "partition") {
    throw new InvalidConfigurationError(
      `Topic "${declared.name}" has ordering "${ordering}": its deadLetterQueue cannot count retries for the whole ` +
        `partition (independent: false)`,
    );
  }
  if (declared.limits !== undefined && ordering === "partition") {
    throw new InvalidConfigurationError(
      `Topic "${declared.name}" has "limits", but its jobs run one by one: it needs the ordering "key" or "none"`,
    );
  }
  return Object.freeze({
    queue: declared.name,
    topic: fullName(declared.name, naming),
    group: declared.group ?? group,
    ordering,
    maxConcurrency: declared.maxConcurrency ?? Infinity,
    maxMessages: of("maxMessages") ?? (ordering === "partition" ? 100 : 2000),
    backoff: {
      initialMs: declared.backoff?.initialMs ?? defaults.backoff?.initialMs ?? 1000,
      maxMs: declared.backoff?.maxMs ?? defaults.backoff?.maxMs ?? 30_000,
      jitter: declared.backoff?.jitter ?? defaults.backoff?.jitter ?? 0.15,
    },
    deadLetterQueue: deadLetterQueue === undefined ? null : {
      topic: fullName(deadLetterQueue.topic, naming),
      maxRetries: deadLetterQueue.maxRetries ?? DEFAULT_MAX_RETRIES,
      independent: deadLetterQueue.independent ?? true,
    },
    timeoutMs: of("timeoutMs") ?? null,
    expiresAfterMs: of("expiresAfterMs") ?? null,
    timeoutGraceMs: of("timeoutGraceMs") ?? 5000,
    maxPayloadBytes: of("maxPayloadBytes") ?? 1024 * 1024,
    unknownJobsRetryForMs: of("unknownJobs")?.retryForMs ?? 300_000,
    declared,
  });
}
