/**
 * The faults of real brokers, for a test to plan: a partition that is lost while a job runs, a worker that dies before
 * it marks a job, an enqueue that is refused or whose acknowledgement is lost, a broker that is offline.
 *
 * A planned fault comes at the next occasion, as often as it was planned.
 */
import { BrokerError, InvalidConfigurationError, type Written } from "../errors.ts";
import { boolean, type Check, checkOptions, didYouMean, integerFrom, oneOf, show } from "../support/validation.ts";
import { fullName } from "../routing/route.ts";
import type { JobFault } from "./fault_plan.ts";
import { checkSelector, type JobSelector, toSelection } from "./selection.ts";
import { assertInUse, type TestContext } from "./test_context.ts";

/** The number of times that a fault comes. */
export interface FaultOptions {
  /** The number of times. @default 1 */
  readonly times?: number;
}

/** The appends that fail, and how they fail. */
export interface AppendFaultOptions {
  /** The queue or dead letter topic, without the prefix of the App. @default all of them */
  readonly topic?: string;
  /** The error of the broker. @default a `BrokerError` */
  readonly error?: Error;
  /** `"no"`: the record is certainly not in the log. `"unknown"`: the acknowledgement is lost. @default "no" */
  readonly written?: Written;
  /** With `written: "unknown"`: whether the record is in the log nevertheless. @default false */
  readonly stored?: boolean;
}

/**
 * The faults of one test: `t.faults`.
 *
 * @example A worker dies after a job has succeeded and before it is marked: is the job idempotent?
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { TestApp } from "@activejob/kafka/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const charged = new Map<string, number>();
 * class ChargeJob extends Job {
 *   perform(cents: number) {
 *     charged.set(this.jobId, cents);
 *   }
 * }
 * await using app = new App({
 *   name: "shop",
 *   broker: "kafka://localhost:9092",
 *   jobs: [ChargeJob],
 *   topics: [activeJobTopic("default")],
 * });
 *
 * await using t = TestApp.of(app);
 * await ChargeJob.performLater(500);
 * t.faults.crashBeforeMark(ChargeJob);
 * await t.performEnqueuedJobs();
 * t.assertPerformedJobs(2, { only: ChargeJob });
 * assertEquals(t.faults.pending, 0);
 * assertEquals(charged.size, 1);
 * ```
 */
export class Faults {
  readonly #context: TestContext;

  /** @internal */
  constructor(context: TestContext) {
    this.#context = context;
  }

  /** The number of planned faults that have not come yet. A test whose fault never came has shown nothing. */
  get pending(): number {
    return this.#context.plan.pending;
  }

  /**
   * Takes the partition away as soon as one of these jobs starts. The `signal` of the job aborts, its outcome is not
   * marked, and the next owner of the partition performs it again, perhaps while the first run goes on.
   *
   * @param only the jobs: a class, a list of classes, or a function of the job
   * @param options the number of times
   * @throws {InvalidConfigurationError} for a class that the App does not list, or a wrong option
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job, RevokedError } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const ends: string[] = [];
   * class ExportJob extends Job {
   *   async perform(pages: number) {
   *     for (let page = 1; page <= pages; page++) {
   *       await new Promise((resolve) => setTimeout(resolve));
   *       if (this.signal.aborted) return void ends.push((this.signal.reason as RevokedError).name);
   *     }
   *     ends.push("exported");
   *   }
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [ExportJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await ExportJob.performLater(100);
   * t.faults.revoke(ExportJob);
   * assertEquals(await t.performEnqueuedJobs(), 1);
   * assertEquals(ends.toSorted(), ["RevokedError", "exported"]);
   * ```
   */
  revoke(only: JobSelector, options: FaultOptions = {}): void {
    this.#planForJobs("revoke", "faults.revoke()", only, options);
  }

  /**
   * Lets the worker die after one of these jobs has succeeded and before it is marked: the job is performed again. Jobs
   * that ended before it are marked.
   *
   * @param only the jobs: a class, a list of classes, or a function of the job
   * @param options the number of times
   * @throws {InvalidConfigurationError} for a class that the App does not list, or a wrong option
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const mails: string[] = [];
   * class MailJob extends Job {
   *   perform(to: string) {
   *     if (!mails.includes(to)) mails.push(to);
   *   }
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [MailJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * await MailJob.performLater("ada@example.com");
   * t.faults.crashBeforeMark((job) => job.args[0] === "ada@example.com", { times: 2 });
   * assertEquals(await t.performEnqueuedJobs(), 3);
   * assertEquals(mails, ["ada@example.com"]);
   * ```
   */
  crashBeforeMark(only: JobSelector, options: FaultOptions = {}): void {
    this.#planForJobs("crash", "faults.crashBeforeMark()", only, options);
  }

  /**
   * Lets the next appends fail: an enqueue is refused, or its acknowledgement is lost. A dead letter is an append, too:
   * it is retried, and its job is not performed again.
   *
   * @param times the number of records
   * @param options the records, and how they fail
   * @throws {InvalidConfigurationError} for a topic that the App does not have, or a wrong option
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, EnqueueError, Job, type KafkaOptions } from "@activejob/kafka";
   * import { TestApp } from "@activejob/kafka/testing";
   * import { assertEquals, assertRejects } from "@std/assert";
   *
   * class OrderJob extends Job {
   *   static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
   *   perform(_id: string) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "kafka://localhost:9092",
   *   jobs: [OrderJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * await using t = TestApp.of(app);
   * t.faults.failAppends(1, { topic: "default", written: "unknown", stored: true });
   * const error = await assertRejects(() => OrderJob.performLater("a1"), EnqueueError);
   * assertEquals(error.written, "unknown");
   * t.assertEnqueuedJobs(1, { only: OrderJob }); // it is in the log nevertheless
   * ```
   */
  failAppends(times: number, options: AppendFaultOptions = {}): void {
    const what = "faults.failAppends()";
    checkOptions(what, { times, ...options }, {
      times: integerFrom(1),
      topic: (value) => typeof value === "string" ? null : "the name of a queue or of a dead letter topic",
      error: (value) => value instanceof Error ? null : "an Error",
      written: oneOf("no", "unknown"),
      stored: boolean,
    });
    const { topic, written = "no", stored = false } = options;
    if (stored && written === "no") {
      throw new InvalidConfigurationError(`Option "stored" of ${what} needs written: "unknown", but it is "no"`);
    }
    const { error = new BrokerError("The test lets this append fail") } = options;
    assertInUse(this.#context).plan.addForAppends(
      topic === undefined ? null : this.#fullName(topic),
      { error, written, stored },
      times,
    );
  }

  /**
   * Takes the broker offline: enqueues wait until {@linkcode Faults.goOnline}, or until the test's App is disposed of.
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
   * t.faults.goOffline();
   * const enqueuing = WelcomeJob.performLater(7);
   * t.assertNoEnqueuedJobs();
   * t.faults.goOnline();
   * await enqueuing;
   * t.assertEnqueuedJobs(1);
   * ```
   */
  goOffline(): void {
    assertInUse(this.#context).log.goOffline();
  }

  /** Brings the broker back: calls that wait go on. See {@linkcode Faults.goOffline}. */
  goOnline(): void {
    this.#context.log.goOnline();
  }

  #planForJobs(kind: JobFault, what: string, only: JobSelector, options: FaultOptions): void {
    const count: Check = integerFrom(1);
    if (only === undefined) throw new InvalidConfigurationError(`${what} needs a job class, but it is ${show(only)}`);
    checkOptions(what, { only, ...options }, { only: checkSelector, times: count });
    assertInUse(this.#context).plan.addForJobs(
      kind,
      toSelection(what, only, this.#context.catalog),
      options.times ?? 1,
    );
  }

  /** Returns the full name of a topic that the App appends to. */
  #fullName(name: string): string {
    const { routes, naming } = this.#context.catalog;
    const topics = routes.all().flatMap(({ topic, deadLetterQueue }) => [topic, deadLetterQueue?.topic ?? topic]);
    const wanted = fullName(name, naming);
    if (topics.includes(wanted)) return wanted;
    const known = new Set(topics.map((topic) => topic.slice(fullName("", naming).length)));
    throw new InvalidConfigurationError(`The App has no topic "${name}"${didYouMean(name, [...known])}`);
  }
}
