/**
 * A test's App: the same jobs and topics over a memory log of the test's own. While it lives, what the classes enqueue
 * goes to it, also from a server's handlers; nothing stays behind when it is disposed of.
 *
 * Jobs take the real way: they are serialized, stored, and performed by a real worker. Only the waits between retries
 * are left out.
 */
import { App, isApp } from "../app/app.ts";
import { FaultyLog } from "./faulty_log.ts";
import { InvalidConfigurationError } from "../errors.ts";
import { bindTestRuntime } from "../job/runtime.ts";
import type { LoggerOptions } from "../monitor/logger.ts";
import type { JobInfo } from "../monitor/events.ts";
import { checkOptions, show } from "../support/validation.ts";
import { Routes } from "../routing/route.ts";
import { firstUserFrame } from "../support/stack_trace.ts";
import { type Block, optionsAndBlock } from "./block.ts";
import { FaultPlan, type JobFault } from "./fault_plan.ts";
import { Faults } from "./faults.ts";
import { JobAssertions } from "./job_assertions.ts";
import { JobRecorder } from "./job_recorder.ts";
import { Performer } from "./performer.ts";
import { type PerformOptions, performSelection } from "./selection.ts";
import { assertInUse, type TestContext } from "./test_context.ts";
import { testBroker } from "./test_broker.ts";

/** How a test's App differs from the App. */
export interface TestAppOptions {
  /** Its logger. @default false */
  readonly logger?: LoggerOptions | false;
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
export class TestApp extends JobAssertions implements AsyncDisposable {
  /** The App over the test's log. */
  override readonly app: App;
  /** What goes wrong in this test. */
  readonly faults: Faults;
  readonly #context: TestContext;
  readonly #performer: Performer;
  readonly #unbind: () => void;

  private constructor(original: App, { logger = false }: TestAppOptions) {
    const context = contextOf(original);
    super(context);
    this.#context = context;
    // Before the App is made, since it may throw: no App is left behind then.
    this.#unbind = bindTestRuntime({
      name: `the test's ${original.name}`,
      madeAt: firstUserFrame(new Error().stack),
      jobs: original.jobs,
      // It ends with its binding.
      isClosed: false,
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
    const impatient = { backoff: { initialMs: 0, maxMs: 0, jitter: 0 }, unknownJobs: { retryForMs: 0 } };
    try {
      this.app = new App({
        ...original.options,
        ...impatient,
        broker: testBroker(context),
        topics: original.options.topics.map((topic) => ({ ...topic, ...impatient })),
        logger,
      });
    } catch (error) {
      this.#unbind();
      throw error;
    }
    this.faults = new Faults(context);
    this.#performer = new Performer(this.app, context);
    this.app.on("job.performing", (job) => this.#strike("revoke", job));
    this.app.on("job.performed", (job) => {
      context.recorder.perform(job);
      this.#strike("crash", job);
    });
  }

  /**
   * Puts a test's App over an App's classes until it is disposed of (`await using`).
   *
   * @throws {InvalidConfigurationError} if another one is over them already, or for what is no App or no option
   */
  static of(app: App, options: TestAppOptions = {}): TestApp {
    if (!isApp(app)) throw new InvalidConfigurationError(`TestApp.of() needs an App, but it is given ${show(app)}`);
    checkOptions("TestApp.of()", options, { logger: () => null });
    return new TestApp(app, options);
  }

  /**
   * Performs what is enqueued now and was not performed yet. What these jobs enqueue waits for the next call.
   *
   * With a block: runs it, then performs what it has enqueued, and what these jobs enqueue in their turn.
   *
   * A job that fails ends the run, and its error is thrown as it is; who it was, and at which attempt, stands where the
   * error's causes end. The job stays enqueued: the next call tries it again. With `retries: true` it is tried again at
   * once, and dead-lettered, as its topic says; only what has no dead letter topic is thrown then.
   *
   * @returns how many jobs were performed well
   * @throws {Error} what a job threw
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
  /** Performs what a block enqueues. */
  override performEnqueuedJobs(block: Block): Promise<number>;
  override async performEnqueuedJobs(first?: PerformOptions | Block, second?: Block): Promise<number> {
    const [options, block] = optionsAndBlock<PerformOptions>("performEnqueuedJobs()", first, second);
    const isMeant = performSelection("performEnqueuedJobs()", options, assertInUse(this.#context).catalog);
    const { retries = false } = options;
    return block === undefined
      ? await this.#performer.waiting(isMeant, retries)
      : await this.#performer.enqueuedBy(block, isMeant, retries);
  }

  /**
   * Forgets what was enqueued, performed and dead-lettered: nothing of it is performed any more. Planned faults stay.
   */
  clear(): void {
    const { log, recorder, catalog: { routes } } = assertInUse(this.#context);
    recorder.clear();
    for (const { topic } of routes.all()) {
      for (const [partition, { high }] of (log.topic(topic)?.partitions ?? []).entries()) {
        log.deleteRecords({ topic, partition, offset: high });
      }
    }
  }

  /** Takes the test's App away. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#context.isDisposed = true;
    this.#unbind();
    // What waits for a broker that is away goes on.
    this.faults.goOnline();
    await this.app.close();
  }

  #strike(kind: JobFault, info: JobInfo): void {
    const { plan, recorder, consumers } = this.#context;
    const job = recorder.at(info)?.job;
    try {
      if (job === undefined || !plan.strikes(kind, job)) return;
    } catch (error) {
      // The test's own function threw. No one else would tell the test.
      return this.#performer.fail(error as Error);
    }
    for (const partitions of consumers) {
      if (kind === "revoke") partitions.revoke(info);
      else partitions.loseMark(info);
    }
  }
}

function contextOf({ name, jobs, options }: App): TestContext {
  const { queuePrefix = "", queueDelimiter = "_" } = options;
  const naming = { queuePrefix, queueDelimiter };
  const routes = new Routes(options.topics, options, naming, name);
  return {
    log: new FaultyLog(),
    recorder: new JobRecorder(routes.all()),
    plan: new FaultPlan(),
    catalog: { name, jobs, routes, naming },
    consumers: new Set(),
    chosen: null,
    isDisposed: false,
  };
}
