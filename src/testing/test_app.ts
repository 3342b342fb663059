/**
 * A test's App: the same jobs and topics over a memory log of the test's own. While it lives, what the classes enqueue
 * goes to it, also from a server's handlers; nothing stays behind when it is disposed of.
 *
 * Jobs take the real way: they are serialized, stored, and performed by a real worker. Only the waits between retries are
 * left out.
 */
import { inspect, isDeepStrictEqual } from "node:util";
import { App } from "../app/app.ts";
import { MemoryLog } from "../broker/memory/log.ts";
import { memoryOver } from "../broker/memory/mod.ts";
import { readEnvelope } from "../job/envelope.ts";
import { type Job, type JobArguments, type JobClass, jobNameOf } from "../job/job.ts";
import { bindTestRuntime } from "../job/runtime.ts";
import type { EventMap, JobInfo } from "../monitor/events.ts";
import { fullName } from "../routing/route.ts";

/** A job that is in the log. */
export interface EnqueuedJob {
  /** The name that its envelope gives. */
  readonly jobClass: string;
  /** Its id. */
  readonly jobId: string | null;
  /** The topic's full name. */
  readonly queue: string;
  /** Its arguments, as they come out of the envelope. */
  readonly args: readonly unknown[];
  /** Its priority. */
  readonly priority: number | null;
  /** Its current attributes by class name. */
  readonly currentAttributes: unknown;
}

/** Which jobs are meant. */
export interface EnqueuedFilter {
  /** Jobs of these classes only. */
  readonly only?: JobClass | readonly JobClass[];
  /** No jobs of these classes. */
  readonly except?: JobClass | readonly JobClass[];
  /** Jobs of this queue only, without the App's prefix. */
  readonly queue?: string;
}

/** What an enqueued job must have. */
export interface EnqueuedWith<J extends Job> {
  /** Its arguments. */
  readonly args?: JobArguments<J>;
  /** Its queue, without the App's prefix. */
  readonly queue?: string;
  /** Its priority. */
  readonly priority?: number | null;
}

/**
 * A test's App.
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { TestApp } from "@activejob/kafka/testing";
 * import { assertEquals } from "@std/assert";
 *
 * class WelcomeJob extends Job {
 *   perform(_userId: number) {}
 * }
 * const app = new App({
 *   name: "shop",
 *   broker: "kafka://localhost:9092",
 *   jobs: [WelcomeJob],
 *   topics: [activeJobTopic("default")],
 * });
 *
 * await using t = TestApp.of(app);
 * await WelcomeJob.performLater(7);
 * t.assertEnqueuedWith(WelcomeJob, { args: [7], queue: "default" });
 * assertEquals(await t.performEnqueuedJobs(), 1);
 * ```
 */
export class TestApp implements AsyncDisposable {
  /** The App over the test's log. */
  readonly app: App;
  readonly #log = new MemoryLog();
  readonly #unbind: () => void;
  readonly #performed: JobInfo[] = [];

  private constructor(original: App) {
    // First, since it may throw: nothing is left behind then.
    this.#unbind = bindTestRuntime({
      name: `the test's ${original.name}`,
      jobs: original.jobs,
      // Acknowledged, whatever the class says: a test looks at once.
      enqueue: async (job) => {
        await this.app.enqueue(job);
        await this.app.flush();
        return job;
      },
      enqueueAll: async (jobs) => {
        await this.app.enqueueAll(jobs);
        await this.app.flush();
      },
    });
    const impatient = { initialMs: 0, maxMs: 0, jitter: 0 };
    this.app = new App({
      ...original.options,
      broker: memoryOver(this.#log),
      backoff: impatient,
      topics: original.options.topics.map((topic) => ({ ...topic, backoff: impatient })),
    });
    this.app.on("job.performed", (job) => void this.#performed.push(job));
  }

  /**
   * Puts a test's App over an App's classes until it is disposed of (`await using`).
   *
   * @throws {InvalidConfigurationError} if another one is over them already
   */
  static of(app: App): TestApp {
    return new TestApp(app);
  }

  /** What was enqueued, in the order of the log; what was performed stays in it. */
  enqueuedJobs(filter: EnqueuedFilter = {}): EnqueuedJob[] {
    return this.app.options.topics
      .flatMap(({ name }) => this.#read(name))
      .filter((job) => matches(job, filter));
  }

  /** What was performed well, in order. */
  performedJobs(): readonly JobInfo[] {
    return this.#performed;
  }

  /**
   * Performs what is enqueued now, with its retries.
   *
   * @returns how many jobs were performed well
   * @throws {Error} if a job fails again and again and its topic has no dead letter queue
   */
  async performEnqueuedJobs(): Promise<number> {
    const before = this.#performed.length;
    let lasting: EventMap["partition.paused"] | undefined;
    const forget = this.app.on("partition.paused", (event) => {
      if (event.lasting) lasting ??= event;
    });
    try {
      await this.app.worker().run(undefined, { once: true });
    } finally {
      forget();
    }
    await this.app.flush();
    if (lasting !== undefined) {
      const { topic, partition, offset, error } = lasting;
      throw new Error(`The job at ${topic}/${partition}@${offset} failed: ${error.errorClass}: ${error.message}`);
    }
    return this.#performed.length - before;
  }

  /** Asserts that so many jobs were enqueued. */
  assertEnqueuedJobs(expected: number, filter: EnqueuedFilter = {}): void {
    const jobs = this.enqueuedJobs(filter);
    if (jobs.length === expected) return;
    const were = jobs.length === 1 ? "was" : "were";
    throw new Error(`${count(expected)} expected, but ${jobs.length} ${were} enqueued${names(jobs)}`);
  }

  /** Asserts that no job was enqueued. */
  assertNoEnqueuedJobs(filter: EnqueuedFilter = {}): void {
    this.assertEnqueuedJobs(0, filter);
  }

  /**
   * Asserts that a job of this class was enqueued.
   *
   * @returns the first such job
   */
  assertEnqueuedWith<J extends Job>(Class: JobClass<J>, expected: EnqueuedWith<J> = {}): EnqueuedJob {
    const jobs = this.enqueuedJobs();
    const ofClass = jobs.filter((job) => job.jobClass === jobNameOf(Class));
    if (ofClass.length === 0) throw new Error(`No job of class ${Class.name} was enqueued${names(jobs)}`);
    const queue = expected.queue === undefined ? undefined : this.#topicOf(expected.queue);
    const found = ofClass.find((job) =>
      (expected.args === undefined || isDeepStrictEqual(job.args, expected.args)) &&
      (queue === undefined || job.queue === queue) &&
      (expected.priority === undefined || job.priority === expected.priority)
    );
    if (found === undefined) {
      throw new Error(
        `No job of class ${Class.name} was enqueued with ${inspect(expected)}; enqueued: ${
          ofClass.map(({ args, queue, priority }) => inspect({ args, queue, priority })).join(", ")
        }`,
      );
    }
    return found;
  }

  /** Takes the test's App away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#unbind();
    await this.app.close();
  }

  #topicOf(queue: string): string {
    const { queuePrefix = "", queueDelimiter = "_" } = this.app.options;
    return fullName(queue, { queuePrefix, queueDelimiter });
  }

  #read(queue: string): (EnqueuedJob & { name: string })[] {
    const topic = this.#topicOf(queue);
    const partitions = this.#log.topic(topic)?.partitions ?? [];
    const records = partitions.flatMap((partition) => partition.read(partition.low, Infinity)?.records ?? []);
    return records.filter(({ value }) => value !== null).map(({ value }) => {
      const envelope = readEnvelope(new TextDecoder().decode(value!), () => true);
      const { jobClass, jobId, priority, currentAttributes } = envelope;
      return { name: queue, jobClass, jobId, queue: topic, args: envelope.arguments, priority, currentAttributes };
    });
  }
}

function matches(job: EnqueuedJob & { name: string }, { only, except, queue }: EnqueuedFilter): boolean {
  return (only === undefined || namesOf(only).includes(job.jobClass)) &&
    (except === undefined || !namesOf(except).includes(job.jobClass)) &&
    (queue === undefined || queue === job.name || queue === job.queue);
}

function namesOf(classes: JobClass | readonly JobClass[]): string[] {
  return (Array.isArray(classes) ? classes : [classes]).map(jobNameOf);
}

function count(jobs: number): string {
  return jobs === 1 ? "1 job" : `${jobs} jobs`;
}

function names(jobs: readonly EnqueuedJob[]): string {
  return jobs.length === 0 ? "" : `; enqueued: ${jobs.map((job) => job.jobClass).join(", ")}`;
}
