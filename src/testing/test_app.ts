/**
 * The App of a test: the same jobs and topics over a memory log of its own. While it lives, it gets all jobs that the
 * classes enqueue, also those from the handlers of a server. Disposing of it removes everything.
 *
 * Jobs are serialized, stored, and performed by a real worker. Only the waits between retries are left out.
 */
import { App, isApp } from "../app/app.ts";
import type { FakeClock } from "./fake_clock.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { JobClass } from "../job/job.ts";
import { bindTestRuntime } from "../job/runtime.ts";
import type { LoggerOptions } from "../monitor/logger.ts";
import type { JobInfo } from "../monitor/events.ts";
import { checkOptions, show } from "../support/validation.ts";
import { lazyImport } from "../support/root_context.ts";
import { findUserFrame } from "../support/stack_trace.ts";
import { type Block, splitArguments } from "./block.ts";
import type { JobFault } from "./fault_plan.ts";
import { Faults } from "./faults.ts";
import { JobAssertions } from "./job_assertions.ts";
import { Performer } from "./performer.ts";
import { interruptAt, takeInterrupt } from "./interrupts.ts";
import { jobNameIn, optionsToSelection, type PerformOptions } from "./selection.ts";
import { assertInUse, createTestContext, type TestContext } from "./test_context.ts";
import { testBroker } from "./test_broker.ts";

/** The differences between the App of a test and the real one. */
export interface TestAppOptions {
  /** Its logger. @default false */
  readonly logger?: LoggerOptions | false;
}

/**
 * The App of a test.
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
export class TestApp extends JobAssertions implements AsyncDisposable {
  /** The App over the log of the test. */
  override readonly app: App;
  /** The faults of this test. */
  readonly faults: Faults;
  /** The clock of this test, by which delayed jobs are due. */
  readonly clock: FakeClock;
  readonly #context: TestContext;
  readonly #performer: Performer;
  readonly #unbind: () => void;

  private constructor(original: App, { logger = false }: TestAppOptions) {
    const context = createTestContext(original);
    super(context);
    this.#context = context;
    // Before the App is made: if this throws, no App is left open.
    this.#unbind = bindTestRuntime({
      codec: original.codec,
      name: `the test's ${original.name}`,
      madeAt: findUserFrame(new Error().stack),
      jobs: original.jobs,
      // It is unbound instead.
      isClosed: false,
      // Resolves once the job is acknowledged, whatever the class says: a test asserts at once.
      enqueue: async (job) => {
        await this.app.enqueue(job);
        await this.app.flush();
        return job;
      },
      enqueueAcknowledged: (job) => this.app.enqueueAcknowledged(job),
      nowMs: () => this.app.nowMs(),
      enqueueAll: async (jobs) => {
        await this.app.enqueueAll(jobs);
        await this.app.flush();
      },
    });
    const withoutWaits = { backoff: { initialMs: 0, maxMs: 0, jitter: 0 }, unknownJobs: { retryForMs: 0 } };
    try {
      this.app = new App({
        ...original.options,
        ...withoutWaits,
        broker: testBroker(context),
        clock: context.clock,
        reports: false,
        // A rate limit would wait for the test's clock, which only the test moves.
        topics: original.options.topics.map(({ rateLimit: _, ...topic }) => ({ ...topic, ...withoutWaits })),
        logger,
      });
    } catch (error) {
      this.#unbind();
      throw error;
    }
    this.faults = new Faults(context);
    this.clock = context.clock;
    this.app.testConfig = {
      interruptReason: (jobClass, checkpoint) => takeInterrupt(context, jobClass, checkpoint),
      maxRetryWaitMs: 0,
      isRecurring: false,
    };
    this.clock.onMoved = (fromMs, toMs) => this.#enqueueTicks(fromMs, toMs);
    this.#performer = new Performer(this.app, context);
    this.app.on("job.performing", (job) => this.#causeFault("revoke", job));
    this.app.on("job.performed", (job) => {
      context.recorder.recordPerformed(job);
      this.#causeFault("crash", job);
    });
  }

  /**
   * Makes the App of a test. It gets the jobs of the App's classes until it is disposed of (`await using`).
   *
   * @throws {InvalidConfigurationError} if another test's App has these classes already, or a value is not an App or an
   * option
   */
  static of(app: App, options: TestAppOptions = {}): TestApp {
    if (!isApp(app)) throw new InvalidConfigurationError(`TestApp.of() needs an App, but it is given ${show(app)}`);
    checkOptions("TestApp.of()", options, { logger: () => null });
    return new TestApp(app, options);
  }

  /**
   * Performs the jobs that are enqueued and were not performed yet. The jobs that these enqueue wait for the next call.
   *
   * With a block: calls it, then performs the jobs that it has enqueued, and the jobs that these enqueue.
   *
   * A job that fails ends the call, which throws the error of the job as it is. The job and its attempt are named at
   * the end of the causes of the error. The job stays enqueued, and the next call retries it. With `retries: true` it
   * is retried at once, and dead-lettered as its topic says; only a job without a dead letter topic ends the call then.
   *
   * @returns the number of jobs that succeeded
   * @throws {Error} the error of a job
   * @throws {TimeoutError} if a job goes on beyond its `timeoutMs` and `timeoutGraceMs`
   * @throws {InvalidConfigurationError} for a wrong option, or while another call performs
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * class FlakyJob extends Job {
   *   perform() {
   *     if (this.attempt < 3) throw new RangeError("busy");
   *   }
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [FlakyJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await FlakyJob.performLater();
   * await assertRejects(() => t.performEnqueuedJobs(), RangeError, "busy");
   * assertEquals(await t.performEnqueuedJobs({ retries: true }), 1);
   * assertEquals(t.performedJobs()[0]!.attempt, 3);
   * ```
   */
  override performEnqueuedJobs(options?: PerformOptions, block?: Block): Promise<number>;
  /** Performs the jobs that a block enqueues. */
  override performEnqueuedJobs(block: Block): Promise<number>;
  override async performEnqueuedJobs(first?: PerformOptions | Block, second?: Block): Promise<number> {
    const [options, block] = splitArguments<PerformOptions>("performEnqueuedJobs()", first, second);
    const isSelected = optionsToSelection("performEnqueuedJobs()", options, assertInUse(this.#context).catalog);
    const { retries = false, at } = options;
    if (at !== undefined) await this.clock.advanceTo(at);
    return block === undefined
      ? await this.#performer.performWaiting(isSelected, retries)
      : await this.#performer.performBlock(block, isSelected, retries);
  }

  /**
   * Calls a function, and interrupts a job in steps when it sets its cursor in a step: as a worker does that stops.
   *
   * @param Class the class of the job
   * @param step the name of the step
   * @param options the cursor; without it the first checkpoint of the step interrupts
   * @param fn performs the job, such as `() => t.performEnqueuedJobs()`
   * @returns the result of the function
   * @throws {AssertionError} if no job came to that place
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const done: number[] = [];
   * class ImportJob extends Job {
   *   async perform(rows: number[]) {
   *     await this.step<number>("load", (step) => {
   *       for (let index = step.cursor; index < rows.length; index++) {
   *         done.push(rows[index]!);
   *         step.advance({ from: index });
   *       }
   *     }, { start: 0 });
   *   }
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [ImportJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await ImportJob.performLater([1, 2, 3]);
   * await t.interruptDuringStep(ImportJob, "load", { cursor: 2 }, () => t.performEnqueuedJobs());
   * assertEquals(done, [1, 2]);
   * await t.clock.advance({ seconds: 5 });
   * await t.performEnqueuedJobs();
   * assertEquals(done, [1, 2, 3]);
   * ```
   */
  async interruptDuringStep<T>(
    Class: JobClass,
    step: string,
    options: { readonly cursor?: unknown },
    fn: () => T | Promise<T>,
  ): Promise<T> {
    const jobClass = jobNameIn("interruptDuringStep()", Class, assertInUse(this.#context).catalog);
    const cursor = "cursor" in options ? { cursor: options.cursor } : {};
    return await interruptAt(this.#context, { jobClass, step, isCompleted: false, ...cursor }, fn);
  }

  /**
   * Calls a function, and interrupts a job in steps after a step: before its next one.
   *
   * @param Class the class of the job
   * @param step the name of the step
   * @param fn performs the job
   * @returns the result of the function
   * @throws {AssertionError} if no job came to that place
   */
  async interruptAfterStep<T>(Class: JobClass, step: string, fn: () => T | Promise<T>): Promise<T> {
    const jobClass = jobNameIn("interruptAfterStep()", Class, assertInUse(this.#context).catalog);
    return await interruptAt(this.#context, { jobClass, step, isCompleted: true }, fn);
  }

  /**
   * Forgets all jobs: those that were enqueued are not performed any more. Planned faults stay.
   */
  clear(): void {
    const { log, recorder, catalog: { routes, scheduledTopic } } = assertInUse(this.#context);
    recorder.clear();
    const topics = routes.all().flatMap(({ topic, deadLetterQueue }) => [topic, deadLetterQueue?.topic ?? topic]);
    for (const topic of new Set([...topics, scheduledTopic])) {
      for (const [partition, { high }] of (log.topic(topic)?.partitions ?? []).entries()) {
        log.deleteRecords({ topic, partition, offset: high });
      }
    }
  }

  /** Ends the App of the test. The classes belong to the real App again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.isDisposed = true;
    this.clock.onMoved = () => Promise.resolve();
    this.#unbind();
    // Calls that wait for a broker that is offline go on.
    this.faults.goOnline();
    await this.app.close();
  }

  async #enqueueTicks(fromMs: number, toMs: number): Promise<void> {
    if (!this.app.options.recurring?.length) return;
    const { enqueueTicks } = await lazyImport(() => import("./ticks.ts"));
    await enqueueTicks(this.app, this.#context.recorder, fromMs, toMs);
  }

  #causeFault(kind: JobFault, info: JobInfo): void {
    const { plan, recorder, consumers } = this.#context;
    const job = recorder.find(info)?.job;
    try {
      if (job === undefined || !plan.takeForJob(kind, job)) return;
    } catch (error) {
      // A function of the test threw: the run throws the same.
      return this.#performer.fail(error);
    }
    for (const consumer of consumers) {
      if (kind === "revoke") consumer.revoke(info);
      else consumer.loseMark(info);
    }
  }
}
