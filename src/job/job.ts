/**
 * The base class of jobs. The statics of a class set its queue and the options for sending; an instance is one job. It is made
 * by `of` or `performLater` where it is enqueued, and made again from its envelope where it is performed.
 */
import { type EnqueueError, InvalidConfigurationError } from "../errors.ts";
import type { Duration } from "../support/duration.ts";
import { lazyImport } from "../support/root_context.ts";
import { show } from "../support/validation.ts";
import { CARRIED, type Carried, carriedOf, type CarriedSource, SOURCE } from "./carried.ts";
import { DELIVERY, Delivery, type DeliveryStatus } from "./delivery.ts";
import { jobNameOf } from "./class_name.ts";
import { NO_PLAN, planOf } from "./declarations.ts";
import { JobHooks } from "./job_hooks.ts";
import type { JobPriority, JobQueue } from "./job_state.ts";
import type { KafkaOptions } from "./kafka_options.ts";
import { describeQueue } from "./placement.ts";
import type { Step, StepOptions } from "./continuation.ts";
import type { EnqueueableArguments, PerformParameters } from "./enqueueable.ts";
import { applySchema, type ArgumentsSchema } from "./schema.ts";
import { type JobLogger, JobRun, RUN } from "./run.ts";
import { runtimeOf } from "./runtime.ts";
import { applySetOptions, checkSetOptions, type SetOptions } from "./set_options.ts";
import { formatPosition, type Position } from "../support/position.ts";

/** Marks the constructors of jobs: see `job_checks.ts`. */
export const BRAND: unique symbol = Symbol.for("@activejob/kafka.Job") as never;
const DENO_INSPECT: unique symbol = Symbol.for("Deno.customInspect") as never;
const NODE_INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/** The statics of a job class that concern its jobs. */
export type JobStatics = Pick<
  typeof Job,
  | "queue"
  | "priority"
  | "kafkaOptions"
  | "jobName"
  | "jobAliases"
  | "timeoutMs"
  | "expiresAfterMs"
  | "schema"
  | "resumeWait"
  | "maxResumptions"
  | "resumeErrorsAfterAdvancing"
>;

/** A job class that is not abstract. */
export type JobClass<J extends Job = Job> = (new () => J) & JobStatics;

/** Any job class, also an abstract one. */
export type AnyJobClass<J extends Job = Job> = (abstract new () => J) & JobStatics;

/**
 * The arguments of a job, as `performLater` takes them: the parameters of its `perform`. A parameter that cannot be
 * enqueued, such as a function, has a message in place of its type.
 */
export type JobArguments<J extends Job> = EnqueueableArguments<PerformParameters<J["perform"]>>;

/** The result of a job's `perform`, awaited. */
export type JobResult<J extends Job> = Awaited<ReturnType<J["perform"]>>;

/** A job as {@linkcode Job.toJSON} describes it: without its arguments. */
export interface JobDescription {
  /** The name of its class on the wire. */
  readonly jobClass: string;
  /** Its id. */
  readonly jobId: string;
  /** Its queue. On a worker: the full name of the topic. */
  readonly queue: string;
  /** The state of its enqueuing. */
  readonly status: DeliveryStatus;
  /** Its place in the log, once acknowledged. */
  readonly position?: Position;
}

/** A class with the options of {@linkcode Job.set}. */
export interface ConfiguredJob<J extends Job> {
  /** Enqueues one job with these options. */
  performLater(...args: JobArguments<J>): Promise<J>;
  /** Makes a job with these options, for `performAllLater`. */
  of(...args: JobArguments<J>): J;
}

/**
 * A job. Extend it and write `perform`.
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * class WelcomeJob extends Job {
 *   static override queue = "mail";
 *   perform(userId: number) {
 *     return `Welcome, ${userId}`;
 *   }
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [WelcomeJob],
 *   topics: [activeJobTopic("mail")],
 * });
 * const job = await WelcomeJob.performLater(42);
 * assertEquals(job.enqueued, true);
 * assertEquals(await WelcomeJob.performNow(42), "Welcome, 42");
 * ```
 */
export abstract class Job extends JobHooks {
  /** @internal */
  static readonly [BRAND] = true;

  /** The queue: the name of a topic, without the App's prefix; or a function of the job that returns it. @default "default" */
  static queue: JobQueue = "default";
  /** The priority in the envelope, or a function of the job that returns it. It has no effect here. @default null */
  static priority: JobPriority = null;
  /** Options for sending jobs of this class, merged along the prototype chain. @default {} */
  static kafkaOptions: KafkaOptions = {};
  /** The name on the wire, such as `"Admin::RefreshJob"`. It is not inherited. @default the class's name */
  static jobName?: string;
  /** Further names on the wire, such as the old names of a class that was renamed. Not inherited. @default none */
  static jobAliases?: readonly string[];
  /** Time after which an interrupted job of this class goes on. @default { seconds: 5 } */
  static resumeWait: Duration = { seconds: 5 };
  /** Most times that a job of this class goes on after an interruption. Then it fails with `ContinuationError`. @default none */
  static maxResumptions?: number;
  /** Whether a job that fails after progress in its steps goes on there, before its error handlers are asked. @default true */
  static resumeErrorsAfterAdvancing: boolean = true;
  /** Time limit in ms: then the job's `signal` aborts, and the job counts as failed. @default the topic's */
  static timeoutMs?: number;
  /** Age in ms at which a job of this class is not performed any more. @default the topic's */
  static expiresAfterMs?: number;
  /** A schema of the list of arguments: checked at `performLater` and before `perform`. @default none */
  static schema?: ArgumentsSchema;

  /** The arguments of `perform`. */
  declare args: PerformParameters<this["perform"]>;
  /** A UUID, the same over retries. */
  jobId: string = "";
  /** The queue, if `set` changed it. On a worker: the full name of the topic, from the envelope. */
  queueName: string | undefined = undefined;
  /** The priority in the envelope. It has no effect here. */
  priority: number | null = null;
  /** Number of runs over all records of the job, the current one included. 0 until it is performed. */
  executions: number = 0;
  /** Number of the run of this record, from 1; restarts and other workers count. 0 until it is performed. */
  attempt: number = 0;
  /** Time of the enqueuing, in ISO 8601; `null` before it, or if the envelope has none. */
  enqueuedAt: string | null = null;
  /** The time at which it is due; `null` for at once. */
  scheduledAt: Date | null = null;
  /** @internal */
  [DELIVERY]: Delivery | undefined = undefined;
  /** @internal */
  [CARRIED]: Carried | undefined = undefined;
  /** @internal */
  [SOURCE]: CarriedSource | undefined = undefined;
  /** @internal */
  [RUN]: JobRun | undefined = undefined;

  /** Does the work of the job. Its arguments are those of `performLater`. */
  // The parameters are each subclass's own.
  // deno-lint-ignore no-explicit-any
  abstract perform(...args: any[]): unknown;

  /**
   * Enqueues a job.
   *
   * With `dispatchMethod: "produceAsync"`, the default, it resolves once the job is buffered; `job.delivered()` waits for the
   * broker. Scripts should use `"produceSync"`, which waits for the acknowledgement and rejects if there is none.
   *
   * @param args the arguments of `perform`: plain data, built-in types such as `Date`, and types with a serializer
   * @returns the job, once it is buffered or acknowledged
   * @throws {SerializationError} if no serializer takes an argument
   * @throws {EnqueueError} if no topic declares the queue, the arguments do not fit the class's schema, the job is too large, or the buffer stays full; with `produceSync`
   * also if the broker refuses the job, or its response is lost
   * @throws {InvalidConfigurationError} if not exactly one App lists the class
   *
   * @example A script that fails if its job is lost
   * ```ts
   * import { activeJobTopic, App, Job, type KafkaOptions } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * class CleanUpJob extends Job {
   *   static override kafkaOptions: KafkaOptions = { dispatchMethod: "produceSync" };
   *   perform(_olderThanDays: number) {}
   * }
   *
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [CleanUpJob],
   *   topics: [activeJobTopic("default")],
   *   logger: false,
   * });
   * const job = await CleanUpJob.performLater(30);
   * assertEquals(job.position, { topic: "default", partition: 0, offset: 0 });
   * ```
   */
  static performLater<J extends Job>(this: JobClass<J>, ...args: JobArguments<J>): Promise<J> {
    return enqueueNew(this, args, undefined);
  }

  /**
   * Performs a job at once, in this process, without a broker: with its callbacks and error handlers. It needs an App only
   * where a handler retries the job, which is then enqueued.
   *
   * @param args the arguments of `perform`, of any type
   * @returns the result of `perform`; `undefined` if a callback halted the job, or a handler has handled its error
   * @throws whatever `perform` throws and no handler handles
   * @throws {SchemaError} if the arguments do not fit the class's schema
   * @throws {EnqueueError} if a retry cannot be enqueued
   */
  static performNow<J extends Job>(
    this: JobClass<J>,
    ...args: PerformParameters<J["perform"]>
  ): Promise<JobResult<J>> {
    return performNow(newJob(this, args));
  }

  /**
   * Makes a job without enqueuing it, for `performAllLater` and `app.enqueue`.
   *
   * @param args the arguments of `perform`
   */
  static of<J extends Job>(this: JobClass<J>, ...args: JobArguments<J>): J {
    return newJob(this, args);
  }

  /**
   * Returns the class with a wait, another queue or another priority.
   *
   * @throws {InvalidConfigurationError} for a wrong option
   */
  static set<J extends Job>(this: JobClass<J>, options: SetOptions): ConfiguredJob<J> {
    checkSetOptions(options);
    return {
      performLater: (...args) => enqueueNew(this, args, options),
      of: (...args) => newJob(this, args).set(options),
    };
  }

  /**
   * Enqueues a job once a promise has resolved, such as that of a database transaction: a worker would not find its rows before.
   * If the promise rejects, the job is dropped: its `enqueued` is `false` and its `status` `"halted"`.
   *
   * @param transaction the promise
   * @throws {InvalidConfigurationError} if it is not a promise
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * class WelcomeJob extends Job {
   *   perform(_userId: number) {}
   * }
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [WelcomeJob],
   *   topics: [activeJobTopic("default")],
   * });
   *
   * const commit = Promise.resolve({ id: 7 });
   * const rollback = Promise.reject(new Error("a duplicate"));
   * assertEquals((await WelcomeJob.enqueueAfter(commit).performLater(7)).enqueued, true);
   * assertEquals((await WelcomeJob.enqueueAfter(rollback).performLater(8)).enqueued, false);
   * ```
   */
  static enqueueAfter<J extends Job>(
    this: JobClass<J>,
    transaction: PromiseLike<unknown>,
  ): Pick<ConfiguredJob<J>, "performLater"> {
    if (typeof (transaction as Partial<PromiseLike<unknown>> | null | undefined)?.then !== "function") {
      throw new InvalidConfigurationError(
        `${this.name}.enqueueAfter() needs a promise, but it is given ${show(transaction)}`,
      );
    }
    return {
      performLater: async (...args) => {
        const job = newJob(this, args);
        try {
          await transaction;
        } catch {
          (job[DELIVERY] = new Delivery()).halt(jobNameOf(this), "its transaction was rolled back");
          return job;
        }
        return await runtimeOf(this).enqueue(job);
      },
    };
  }

  /**
   * Sets a wait, another queue or another priority for this job, before it is enqueued.
   *
   * @returns the same job
   * @throws {InvalidConfigurationError} for a wrong option
   */
  set(options: SetOptions): this {
    applySetOptions(this, options);
    return this;
  }

  /**
   * Enqueues this job again, from inside of its `perform` or of an error handler: a new record with the same `jobId` and
   * `executions`. The run that goes on ends as it would have; return from it.
   *
   * @param options a wait, another queue or another priority
   * @returns the same job, once the new record is acknowledged
   * @throws {EnqueueError} if it cannot be enqueued
   * @throws {InvalidConfigurationError} for a wrong option
   */
  retryJob(options: SetOptions = {}): Promise<this> {
    const enqueue = async (): Promise<this> => {
      this.scheduledAt = null;
      this.set(options);
      await runtimeOf(this.constructor as JobClass).enqueueAcknowledged(this);
      return this;
    };
    const enqueued = enqueue();
    // Also if the job does not await it.
    (this[RUN] ??= new JobRun()).waitFor(enqueued);
    return enqueued;
  }

  /**
   * Runs a step of the job, unless an earlier run has completed it. If the worker stops, is quiet, or loses the partition, the
   * job is interrupted before its next step, or where a step sets its cursor; it goes on there after `static resumeWait`, in
   * another run, perhaps elsewhere. The steps must come in the same order each time.
   *
   * @param name the name of the step, unique in the job
   * @param perform does the work of the step, which may be async
   * @param options the cursor of the beginning; whether the step has a run of its own
   * @throws {ContinuationError} if the steps are not those of the earlier run, in their order
   *
   * @example
   * ```ts
   * import { Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * const done: string[] = [];
   * class ImportJob extends Job {
   *   async perform(rows: string[]) {
   *     await this.step<number>("load", async (step) => {
   *       for (let index = step.cursor; index < rows.length; index++) {
   *         done.push(await Promise.resolve(rows[index]!));
   *         step.advance({ from: index });
   *       }
   *     }, { start: 0 });
   *     await this.step("report", () => void done.push("report"));
   *   }
   * }
   *
   * await ImportJob.performNow(["a", "b"]);
   * assertEquals(done, ["a", "b", "report"]);
   * ```
   */
  async step<Cursor = unknown>(
    name: string,
    perform: (step: Step<Cursor>) => unknown,
    options: StepOptions<Cursor> = {},
  ): Promise<void> {
    const { continuationOf } = await lazyImport(() => import("./continuation.ts"));
    await continuationOf(this).step(name, perform, options);
  }

  /** The number of failed runs of each declaration of `retryOn`, by Rails' key, such as `"[TimeoutError]"`. */
  get exceptionExecutions(): Readonly<Record<string, number>> {
    return carriedOf(this).exceptionExecutions;
  }

  /** The locale that Rails wrote in the envelope; `null` for none. It has no effect here. */
  get locale(): string | null {
    return carriedOf(this).locale;
  }

  /** The time zone that Rails wrote in the envelope, by its name there; `null` for none. It has no effect here. */
  get timezone(): string | null {
    return carriedOf(this).timezone;
  }

  /** Whether it is buffered, or in the log. */
  get enqueued(): boolean {
    return this.status === "buffered" || this.status === "delivered";
  }

  /** State of its enqueuing. */
  get status(): DeliveryStatus {
    return this[DELIVERY]?.status ?? "new";
  }

  /** Position of its record, once acknowledged. */
  get position(): Position | undefined {
    return this[DELIVERY]?.position;
  }

  /** The error, if it could not be enqueued. */
  get enqueueError(): EnqueueError | undefined {
    return this[DELIVERY]?.error;
  }

  /**
   * Waits for the broker's response. It may be called before the job is enqueued; if the job never is, the promise stays
   * pending.
   *
   * @returns the position of the job's record
   * @throws {EnqueueError} if the job could not be enqueued
   */
  delivered(): Promise<Position> {
    return (this[DELIVERY] ??= new Delivery()).settled();
  }

  /** Aborts at the job's time limit, when its partition is lost, or when a worker that stops waits no longer. */
  get signal(): AbortSignal {
    return (this[RUN] ??= new JobRun()).signal;
  }

  /** Position of the job's record on a worker; `null` outside of a worker. */
  get record(): Position | null {
    return this[RUN]?.record ?? null;
  }

  /** A logger that names the job in each line. */
  get logger(): JobLogger {
    return (this[RUN] ??= new JobRun()).loggerOf(jobNameOf(this.constructor as JobClass), this.jobId);
  }

  /**
   * Describes the job for `JSON.stringify`. Its arguments are left out, since they may hold secrets.
   *
   * @returns class name, id, queue, status, and the position once it is acknowledged
   */
  toJSON(): JobDescription {
    const { jobId, status, position } = this;
    const Class = this.constructor as JobClass;
    const description = { jobClass: jobNameOf(Class), jobId, queue: describeQueue(this), status };
    return position === undefined ? description : { ...description, position };
  }

  /**
   * Describes the job in one line, without its arguments.
   *
   * @returns for example `"WelcomeJob(0198…) on mail, delivered to shop_mail/0@3"`
   */
  override toString(): string {
    const { jobClass, jobId, queue, status, position } = this.toJSON();
    const outcome = position === undefined ? status : `${status} to ${formatPosition(position)}`;
    return `${jobClass}(${jobId}) on ${queue}, ${outcome}`;
  }

  /** @internal */
  [DENO_INSPECT](): string {
    return this.toString();
  }

  /** @internal */
  [NODE_INSPECT](): string {
    return this.toString();
  }
}

/** Runs a job once, in the context of the caller. */
export async function performNow<J extends Job>(job: J): Promise<JobResult<J>> {
  job.attempt = 1;
  job.executions++;
  const plan = planOf(job.constructor as JobClass);
  const args = applySchema(job.constructor as JobClass, job.args);
  if (plan === NO_PLAN) {
    const result = await job.perform(...args);
    await job[RUN]?.settled();
    return result as JobResult<J>;
  }
  const { performWithPlan } = await lazyImport(() => import("./perform_now.ts"));
  return await performWithPlan(plan, job, args) as JobResult<J>;
}

function newJob<J extends Job>(Class: JobClass<J>, args: JobArguments<J> | PerformParameters<J["perform"]>): J {
  const job = new Class();
  job.jobId = crypto.randomUUID();
  job.args = args as PerformParameters<J["perform"]>;
  return job;
}

/** Not an async function: one more promise for each job is a tenth of the cost of enqueuing. */
function enqueueNew<J extends Job>(
  Class: JobClass<J>,
  args: JobArguments<J>,
  options: SetOptions | undefined,
): Promise<J> {
  try {
    const job = newJob(Class, args);
    if (options !== undefined) job.set(options);
    return runtimeOf(Class).enqueue(job);
  } catch (error) {
    return Promise.reject(error);
  }
}
