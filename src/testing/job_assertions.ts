/**
 * The questions and assertions of a test about its jobs. An assertion about the state returns at once. An assertion
 * around a block looks only at the jobs of the block, and must be awaited. (Most of this file is examples.)
 */
import type { App } from "../app/app.ts";
import type { Job, JobArguments, JobClass } from "../job/job.ts";
import { assertCount, type Asserter, assertFound, checkCount, type ExpectedJob, type Observed } from "./assertions.ts";
import { type Block, checkBlock, splitArguments } from "./block.ts";
import type { DeadLetter, EnqueuedJob, PerformedJob } from "./jobs.ts";
import type { Moment } from "./job_recorder.ts";
import {
  filterToSelection,
  type JobFilter,
  optionsToSelection,
  type PerformOptions,
  type Selection,
} from "./selection.ts";
import { assertInUse, type TestContext } from "./test_context.ts";

/** The questions and assertions of a {@linkcode TestApp}. */
export abstract class JobAssertions {
  /** The App over the test's log. */
  abstract readonly app: App;
  readonly #context: TestContext;

  /** @internal */
  constructor(context: TestContext) {
    this.#context = context;
  }

  /** Calls a block and performs the jobs that it enqueues. */
  abstract performEnqueuedJobs(options: PerformOptions, block: Block): Promise<number>;

  /**
   * Returns the jobs that were enqueued, in order. A job that was performed stays among them, as its record stays in
   * its topic.
   *
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  enqueuedJobs(filter: JobFilter = {}): EnqueuedJob[] {
    return assertInUse(this.#context).recorder.enqueued().filter(this.#selection("enqueuedJobs()", filter));
  }

  /**
   * Returns the jobs that succeeded, in order. A job that was performed twice occurs twice.
   *
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  performedJobs(filter: JobFilter = {}): PerformedJob[] {
    return assertInUse(this.#context).recorder.performed().filter(this.#selection("performedJobs()", filter));
  }

  /**
   * Returns the dead letters, in order. The `queue` of a filter is the queue that the job came from.
   *
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  deadLetters(filter: JobFilter = {}): DeadLetter[] {
    return assertInUse(this.#context).recorder.deadLetters().filter(this.#selection("deadLetters()", filter));
  }

  /**
   * Asserts the number of jobs that were enqueued; with a block, of the jobs that the block enqueued.
   *
   * @throws {AssertionError} if there are more or fewer; its message lists them
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have, or a negative number
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   *
   * class WelcomeJob extends Job {
   *   perform(_userId: number) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [WelcomeJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await WelcomeJob.performLater(1);
   * t.assertEnqueuedJobs(1);
   * await t.assertEnqueuedJobs(2, { only: WelcomeJob }, async () => {
   *   await WelcomeJob.performLater(2);
   *   await WelcomeJob.performLater(3);
   * });
   * ```
   */
  assertEnqueuedJobs(expected: number, block: Block): Promise<void>;
  /** The same, for a part of the jobs of the block. */
  assertEnqueuedJobs(expected: number, filter: JobFilter, block: Block): Promise<void>;
  /** The same, for all jobs that were enqueued until now. */
  assertEnqueuedJobs(expected: number, filter?: JobFilter): void;
  assertEnqueuedJobs(expected: number, first?: JobFilter | Block, second?: Block): void | Promise<void> {
    return this.#countEnqueued(this.assertEnqueuedJobs, expected, first, second);
  }

  /**
   * Asserts that no job was enqueued; with a block, that the block enqueued none.
   *
   * @throws {AssertionError} if there is one; its message lists them
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertNoEnqueuedJobs(block: Block): Promise<void>;
  /** The same, for a part of the jobs of the block. */
  assertNoEnqueuedJobs(filter: JobFilter, block: Block): Promise<void>;
  /** The same, for all jobs that were enqueued until now. */
  assertNoEnqueuedJobs(filter?: JobFilter): void;
  assertNoEnqueuedJobs(first?: JobFilter | Block, second?: Block): void | Promise<void> {
    return this.#countEnqueued(this.assertNoEnqueuedJobs, 0, first, second);
  }

  /**
   * Asserts that a job of this class was enqueued; with a block, that the block enqueued it. Arguments are compared as
   * they come out of the log.
   *
   * @returns the first such job
   * @throws {AssertionError} if there is none; its message shows the differences to the most similar job
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   * @throws {SerializationError} for arguments that cannot be serialized
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals } from "@std/assert";
   *
   * class WelcomeJob extends Job {
   *   perform(_user: { id: number; name: string }) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [WelcomeJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await WelcomeJob.set({ priority: 3 }).performLater({ id: 7, name: "Ada" });
   * t.assertEnqueuedWith(WelcomeJob, { args: [{ id: 7, name: "Ada" }], queue: "default", priority: 3 });
   * const job = t.assertEnqueuedWith(WelcomeJob, { args: (user) => user.id === 7 });
   * assertEquals(job.args[0].name, "Ada");
   * ```
   */
  assertEnqueuedWith<J extends Job>(
    Class: JobClass<J>,
    expected: ExpectedJob<J>,
    block: Block,
  ): Promise<EnqueuedJob<JobArguments<J>>>;
  /** The same, for all jobs that were enqueued until now. */
  assertEnqueuedWith<J extends Job>(Class: JobClass<J>, expected?: ExpectedJob<J>): EnqueuedJob<JobArguments<J>>;
  assertEnqueuedWith<J extends Job>(
    Class: JobClass<J>,
    expected: ExpectedJob<J> = {},
    block?: Block,
  ): EnqueuedJob<JobArguments<J>> | Promise<EnqueuedJob<JobArguments<J>>> {
    const { catalog } = assertInUse(this.#context);
    checkBlock("assertEnqueuedWith()", block);
    return this.#around(
      block,
      (since) => assertFound(this.assertEnqueuedWith, Class, expected, this.#enqueued(since), catalog),
    );
  }

  /**
   * Asserts the number of jobs that succeeded. With a block: calls it, performs the jobs that it enqueues as
   * {@linkcode TestApp.performEnqueuedJobs} does, and counts these.
   *
   * @throws {AssertionError} if there are more or fewer; its message lists them, and the jobs that wait
   * @throws {Error} the error of a job that the block enqueued and that failed
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have, or a negative number
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   *
   * class WelcomeJob extends Job {
   *   perform(_userId: number) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [WelcomeJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await t.assertPerformedJobs(1, () => WelcomeJob.performLater(7));
   * t.assertPerformedJobs(1, { only: WelcomeJob });
   * ```
   */
  assertPerformedJobs(expected: number, block: Block): Promise<void>;
  /** The same, for a part of the jobs of the block. */
  assertPerformedJobs(expected: number, options: PerformOptions, block: Block): Promise<void>;
  /** The same, for all jobs that succeeded until now. */
  assertPerformedJobs(expected: number, filter?: JobFilter): void;
  assertPerformedJobs(expected: number, first?: PerformOptions | Block, second?: Block): void | Promise<void> {
    return this.#countPerformed(this.assertPerformedJobs, expected, first, second);
  }

  /**
   * Asserts that no job succeeded. With a block: calls it, performs the jobs that it enqueues, and counts these.
   *
   * @throws {AssertionError} if there is one; its message lists them
   * @throws {Error} the error of a job that the block enqueued and that failed
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertNoPerformedJobs(block: Block): Promise<void>;
  /** The same, for a part of the jobs of the block. */
  assertNoPerformedJobs(options: PerformOptions, block: Block): Promise<void>;
  /** The same, for all jobs that succeeded until now. */
  assertNoPerformedJobs(filter?: JobFilter): void;
  assertNoPerformedJobs(first?: PerformOptions | Block, second?: Block): void | Promise<void> {
    return this.#countPerformed(this.assertNoPerformedJobs, 0, first, second);
  }

  /**
   * Asserts that a job of this class succeeded. With a block: calls it, performs the jobs that it enqueues, and looks
   * only at these.
   *
   * @returns the first such job
   * @throws {AssertionError} if there is none; its message shows the differences to the most similar job, and the jobs
   * that wait
   * @throws {Error} the error of a job that the block enqueued and that failed
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertPerformedWith<J extends Job>(
    Class: JobClass<J>,
    expected: ExpectedJob<J>,
    block: Block,
  ): Promise<PerformedJob<JobArguments<J>>>;
  /** The same, for all jobs that succeeded until now. */
  assertPerformedWith<J extends Job>(Class: JobClass<J>, expected?: ExpectedJob<J>): PerformedJob<JobArguments<J>>;
  assertPerformedWith<J extends Job>(
    Class: JobClass<J>,
    expected: ExpectedJob<J> = {},
    block?: Block,
  ): PerformedJob<JobArguments<J>> | Promise<PerformedJob<JobArguments<J>>> {
    const { catalog } = assertInUse(this.#context);
    checkBlock("assertPerformedWith()", block);
    return this.#around(
      block && (() => this.performEnqueuedJobs({}, block)),
      (since) => assertFound(this.assertPerformedWith, Class, expected, this.#performed(since), catalog),
    );
  }

  /**
   * Asserts that a job of this class was dead-lettered.
   *
   * @returns the first such dead letter, with its error and the number of attempts
   * @throws {AssertionError} if there is none
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals } from "@std/assert";
   *
   * class BrokenJob extends Job {
   *   perform(id: number) {
   *     throw new RangeError(`no order ${id}`);
   *   }
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [BrokenJob],
   *   topics: [activeJobTopic("default", { deadLetterQueue: { topic: "dead_jobs", maxRetries: 2 } })],
   * });
   *
   * await using t = TestApp.of(app);
   * await BrokenJob.performLater(7);
   * await t.performEnqueuedJobs({ retries: true });
   * const deadLetter = t.assertDeadLettered(BrokenJob, { args: [7] });
   * assertEquals([deadLetter.attempts, deadLetter.error.message], [3, "no order 7"]);
   * ```
   */
  assertDeadLettered<J extends Job>(Class: JobClass<J>, expected: ExpectedJob<J> = {}): DeadLetter<JobArguments<J>> {
    const { catalog, recorder } = assertInUse(this.#context);
    const seen: Observed<DeadLetter> = {
      kind: "dead-lettered",
      jobs: recorder.deadLetters(),
      waiting: waitingIn(this.#context),
    };
    return assertFound(this.assertDeadLettered, Class, expected, seen, catalog);
  }

  /**
   * Asserts that no job was dead-lettered.
   *
   * @throws {AssertionError} if there is a dead letter; its message lists them
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertNoDeadLetters(filter: JobFilter = {}): void {
    const isSelected = this.#selection("assertNoDeadLetters()", filter);
    const jobs = this.#context.recorder.deadLetters();
    assertCount(this.assertNoDeadLetters, 0, isSelected, { kind: "dead-lettered", jobs, waiting: [] });
  }

  #selection(what: string, filter: JobFilter): Selection {
    return filterToSelection(what, filter, assertInUse(this.#context).catalog);
  }

  #countEnqueued(
    by: Asserter,
    expected: number,
    first: JobFilter | Block | undefined,
    second: Block | undefined,
  ): void | Promise<void> {
    const [filter, block] = splitArguments<JobFilter>(`${by.name}()`, first, second);
    const isSelected = this.#selection(`${by.name}()`, filter);
    checkCount(`${by.name}()`, expected);
    return this.#around(block, (since) => assertCount(by, expected, isSelected, this.#enqueued(since)));
  }

  #countPerformed(
    by: Asserter,
    expected: number,
    first: PerformOptions | Block | undefined,
    second: Block | undefined,
  ): void | Promise<void> {
    const [options, block] = splitArguments<PerformOptions>(`${by.name}()`, first, second);
    const select = block === undefined ? filterToSelection : optionsToSelection;
    const isSelected = select(`${by.name}()`, options, assertInUse(this.#context).catalog);
    checkCount(`${by.name}()`, expected);
    return this.#around(
      block && (() => this.performEnqueuedJobs(options, block)),
      (since) => assertCount(by, expected, isSelected, this.#performed(since)),
    );
  }

  #enqueued(since: Moment): Observed {
    return { kind: "enqueued", jobs: this.#context.recorder.enqueued(since), waiting: [] };
  }

  #performed(since: Moment): Observed<PerformedJob> {
    return { kind: "performed", jobs: this.#context.recorder.performed(since), waiting: waitingIn(this.#context) };
  }

  /** Asserts at once, over all jobs; or calls a block first, and asserts over its jobs only. */
  #around<Result>(block: Block | undefined, assert: (since: Moment) => Result): Result | Promise<Result> {
    return block === undefined ? assert(0) : this.#after(block, assert);
  }

  async #after<Result>(block: Block, assert: (since: Moment) => Result): Promise<Result> {
    const since = this.#context.recorder.now();
    await block();
    // While the broker is offline nothing gets into the log.
    if (this.#context.log.tasks.isOnline) await this.app.flush();
    assertInUse(this.#context);
    return assert(since);
  }
}

function waitingIn({ recorder }: TestContext): EnqueuedJob[] {
  return recorder.waiting().map(({ job }) => job);
}
