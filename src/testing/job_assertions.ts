/**
 * What a test can ask and assert of its jobs: what was enqueued, performed and dead-lettered. State assertions answer
 * at once; those around a block look only at what came of the block, and must be awaited. (Most of this file are
 * examples.)
 */
import type { App } from "../app/app.ts";
import type { Job, JobArguments, JobClass } from "../job/job.ts";
import { assertCount, type Asserter, assertFound, checkCount, type ExpectedJob, type Seen } from "./assertions.ts";
import { type Block, checkBlock, optionsAndBlock } from "./block.ts";
import type { DeadLetter, EnqueuedJob, PerformedJob } from "./jobs.ts";
import type { Since } from "./job_recorder.ts";
import { type JobFilter, type PerformOptions, performSelection, type Selection, selection } from "./selection.ts";
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

  /** Runs a block and performs what it enqueues. */
  abstract performEnqueuedJobs(options: PerformOptions, block: Block): Promise<number>;

  /**
   * What was enqueued, in order; what was performed stays in it, as in a topic.
   *
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  enqueuedJobs(filter: JobFilter = {}): EnqueuedJob[] {
    return assertInUse(this.#context).recorder.enqueued().filter(this.#selection("enqueuedJobs()", filter));
  }

  /**
   * What was performed well, in order; a job that was performed twice is there twice.
   *
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  performedJobs(filter: JobFilter = {}): PerformedJob[] {
    return assertInUse(this.#context).recorder.performed().filter(this.#selection("performedJobs()", filter));
  }

  /**
   * What is in the dead letter topics, in order. `queue` is the queue that the job came from.
   *
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  deadLetters(filter: JobFilter = {}): DeadLetter[] {
    return assertInUse(this.#context).recorder.deadLetters().filter(this.#selection("deadLetters()", filter));
  }

  /**
   * Asserts that so many jobs were enqueued; with a block, that the block enqueued so many.
   *
   * @throws {AssertionError} if there are more or fewer: it says what is there
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
  /** Asserts it of a part of what the block did. */
  assertEnqueuedJobs(expected: number, filter: JobFilter, block: Block): Promise<void>;
  /** Asserts it of all that was enqueued until now. */
  assertEnqueuedJobs(expected: number, filter?: JobFilter): void;
  assertEnqueuedJobs(expected: number, first?: JobFilter | Block, second?: Block): void | Promise<void> {
    return this.#countEnqueued(this.assertEnqueuedJobs, expected, first, second);
  }

  /**
   * Asserts that no job was enqueued; with a block, that the block enqueued none.
   *
   * @throws {AssertionError} if there is one
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertNoEnqueuedJobs(block: Block): Promise<void>;
  /** Asserts it of a part of what the block did. */
  assertNoEnqueuedJobs(filter: JobFilter, block: Block): Promise<void>;
  /** Asserts it of all that was enqueued until now. */
  assertNoEnqueuedJobs(filter?: JobFilter): void;
  assertNoEnqueuedJobs(first?: JobFilter | Block, second?: Block): void | Promise<void> {
    return this.#countEnqueued(this.assertNoEnqueuedJobs, 0, first, second);
  }

  /**
   * Asserts that a job of this class was enqueued; with a block, that the block enqueued it. Arguments are compared as
   * they come out of the log.
   *
   * @returns the first such job
   * @throws {AssertionError} if there is none: it says where the nearest differs
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   * @throws {SerializationError} for arguments that no job could have
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
  /** Asserts it of all that was enqueued until now. */
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
   * Asserts that so many jobs were performed well. With a block: runs it, performs what it has enqueued as
   * {@linkcode TestApp.performEnqueuedJobs} does, and counts these.
   *
   * @throws {AssertionError} if there are more or fewer: it says what is there, and what waits
   * @throws {Error} what a job threw that the block had enqueued
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
  /** Asserts it of a part of what the block did. */
  assertPerformedJobs(expected: number, options: PerformOptions, block: Block): Promise<void>;
  /** Asserts it of all that was performed until now. */
  assertPerformedJobs(expected: number, filter?: JobFilter): void;
  assertPerformedJobs(expected: number, first?: PerformOptions | Block, second?: Block): void | Promise<void> {
    return this.#countPerformed(this.assertPerformedJobs, expected, first, second);
  }

  /**
   * Asserts that no job was performed well. With a block: runs it, performs what it has enqueued, and counts these.
   *
   * @throws {AssertionError} if there is one
   * @throws {Error} what a job threw that the block had enqueued
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertNoPerformedJobs(block: Block): Promise<void>;
  /** Asserts it of a part of what the block did. */
  assertNoPerformedJobs(options: PerformOptions, block: Block): Promise<void>;
  /** Asserts it of all that was performed until now. */
  assertNoPerformedJobs(filter?: JobFilter): void;
  assertNoPerformedJobs(first?: PerformOptions | Block, second?: Block): void | Promise<void> {
    return this.#countPerformed(this.assertNoPerformedJobs, 0, first, second);
  }

  /**
   * Asserts that a job of this class was performed well. With a block: runs it, performs what it has enqueued, and
   * looks among these.
   *
   * @returns the first such job
   * @throws {AssertionError} if there is none: it says where the nearest differs, and what waits
   * @throws {Error} what a job threw that the block had enqueued
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertPerformedWith<J extends Job>(
    Class: JobClass<J>,
    expected: ExpectedJob<J>,
    block: Block,
  ): Promise<PerformedJob<JobArguments<J>>>;
  /** Asserts it of all that was performed until now. */
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
   * Asserts that a job of this class is in its dead letter topic.
   *
   * @returns the first such letter, with its error and the number of attempts
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
   * const letter = t.assertDeadLettered(BrokenJob, { args: [7] });
   * assertEquals([letter.attempts, letter.error.message], [3, "no order 7"]);
   * ```
   */
  assertDeadLettered<J extends Job>(Class: JobClass<J>, expected: ExpectedJob<J> = {}): DeadLetter<JobArguments<J>> {
    const { catalog, recorder } = assertInUse(this.#context);
    const seen: Seen<DeadLetter> = {
      kind: "dead-lettered",
      jobs: recorder.deadLetters(),
      waiting: waitingIn(this.#context),
    };
    return assertFound(this.assertDeadLettered, Class, expected, seen, catalog);
  }

  /**
   * Asserts that no dead letter topic has a job.
   *
   * @throws {AssertionError} if one has
   * @throws {InvalidConfigurationError} for a class or a queue that the App does not have
   */
  assertNoDeadLetters(filter: JobFilter = {}): void {
    const isMeant = this.#selection("assertNoDeadLetters()", filter);
    const jobs = this.#context.recorder.deadLetters();
    assertCount(this.assertNoDeadLetters, 0, isMeant, { kind: "dead-lettered", jobs, waiting: [] });
  }

  #selection(what: string, filter: JobFilter): Selection {
    return selection(what, filter, assertInUse(this.#context).catalog);
  }

  #countEnqueued(
    by: Asserter,
    expected: number,
    first: JobFilter | Block | undefined,
    second: Block | undefined,
  ): void | Promise<void> {
    const [filter, block] = optionsAndBlock<JobFilter>(`${by.name}()`, first, second);
    const isMeant = this.#selection(`${by.name}()`, filter);
    checkCount(`${by.name}()`, expected);
    return this.#around(block, (since) => assertCount(by, expected, isMeant, this.#enqueued(since)));
  }

  #countPerformed(
    by: Asserter,
    expected: number,
    first: PerformOptions | Block | undefined,
    second: Block | undefined,
  ): void | Promise<void> {
    const [options, block] = optionsAndBlock<PerformOptions>(`${by.name}()`, first, second);
    const select = block === undefined ? selection : performSelection;
    const isMeant = select(`${by.name}()`, options, assertInUse(this.#context).catalog);
    checkCount(`${by.name}()`, expected);
    return this.#around(
      block && (() => this.performEnqueuedJobs(options, block)),
      (since) => assertCount(by, expected, isMeant, this.#performed(since)),
    );
  }

  #enqueued(since: Since): Seen {
    return { kind: "enqueued", jobs: this.#context.recorder.enqueued(since), waiting: [] };
  }

  #performed(since: Since): Seen<PerformedJob> {
    return { kind: "performed", jobs: this.#context.recorder.performed(since), waiting: waitingIn(this.#context) };
  }

  /** Asserts of all there is; or runs a block first, and asserts of what came of it. */
  #around<Result>(block: Block | undefined, assert: (since: Since) => Result): Result | Promise<Result> {
    return block === undefined ? assert(0) : this.#after(block, assert);
  }

  async #after<Result>(block: Block, assert: (since: Since) => Result): Promise<Result> {
    const since = this.#context.recorder.now();
    await block();
    // While the broker is away nothing gets into the log.
    if (this.#context.log.tasks.isOnline) await this.app.flush();
    assertInUse(this.#context);
    return assert(since);
  }
}

function waitingIn({ recorder }: TestContext): EnqueuedJob[] {
  return recorder.waiting().map(({ job }) => job);
}
