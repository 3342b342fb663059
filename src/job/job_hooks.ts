/**
 * The declarations that a job class can make, as static methods: callbacks and error handlers. `Job` extends this class.
 *
 * They are checked where they are made, so that a wrong one fails when the class is loaded.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { show } from "../support/validation.ts";
import { type CallbackKind, declare, type ErrorBlock, type ErrorClass } from "./declarations.ts";
import type { JobState } from "./job_state.ts";
import { readRetryOptions, type RetryOptions } from "./retry_options.ts";

/** One error class, or several that are handled in the same way. */
export type ErrorClasses = ErrorClass | readonly ErrorClass[];

/** The type of an error of these classes. */
export type ErrorOf<Errors extends ErrorClasses> = Errors extends readonly (infer Class)[]
  ? Class extends ErrorClass<infer E> ? E : never
  : Errors extends ErrorClass<infer E> ? E
  : never;

/** The class that declares, of jobs of this type. */
type DeclaringClass<J extends JobState> = abstract new () => J;

type Perform<J extends JobState> = () => Promise<Awaited<ReturnType<J["perform"]>>>;

/** The declarations of a job class. Write them in a `static` block, or after the class. */
export abstract class JobHooks {
  /**
   * Calls a function before a job of this class, or of one that extends it, is enqueued. `throw new Abort()` halts: the job
   * is not enqueued, its `enqueued` is `false` and its `status` `"halted"`. `performAllLater` calls none of the enqueue
   * callbacks.
   *
   * @param callback a function of the job, which may be async
   *
   * @example
   * ```ts
   * import { Abort, activeJobTopic, App, Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * class NotifyJob extends Job {
   *   static {
   *     this.beforeEnqueue((job) => {
   *       if (job.args[0] === "") throw new Abort();
   *     });
   *   }
   *   perform(_address: string) {}
   * }
   *
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [NotifyJob],
   *   topics: [activeJobTopic("default")],
   * });
   * assertEquals((await NotifyJob.performLater("")).enqueued, false);
   * assertEquals((await NotifyJob.performLater("ada@example.org")).enqueued, true);
   * ```
   */
  static beforeEnqueue<J extends JobState>(this: DeclaringClass<J>, callback: (job: J) => unknown): void {
    declareCallback(this, "beforeEnqueue", "enqueue", "before", callback);
  }

  /**
   * Calls a function around the enqueuing of a job. It goes on with `enqueue()`, once; without that the job is not enqueued.
   *
   * @param callback a function of the job and of `enqueue`, which returns a promise
   */
  static aroundEnqueue<J extends JobState>(
    this: DeclaringClass<J>,
    callback: (job: J, enqueue: () => Promise<unknown>) => unknown,
  ): void {
    declareCallback(this, "aroundEnqueue", "enqueue", "around", callback);
  }

  /**
   * Calls a function after a job was enqueued: buffered or acknowledged, as its class says.
   *
   * @param callback a function of the job, which may be async
   */
  static afterEnqueue<J extends JobState>(this: DeclaringClass<J>, callback: (job: J) => unknown): void {
    declareCallback(this, "afterEnqueue", "enqueue", "after", callback);
  }

  /**
   * Calls a function before a job is performed, on a worker or by `performNow`. `throw new Abort()` halts: `perform` is not
   * called, and the job counts as done.
   *
   * @param callback a function of the job, which may be async
   */
  static beforePerform<J extends JobState>(this: DeclaringClass<J>, callback: (job: J) => unknown): void {
    declareCallback(this, "beforePerform", "perform", "before", callback);
  }

  /**
   * Calls a function around `perform`. It goes on with `perform()`, once, which returns a promise of the result; without
   * that the job counts as done. The value that the function itself returns has no meaning.
   *
   * @param callback a function of the job and of `perform`
   *
   * @example
   * ```ts
   * import { Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * const lines: string[] = [];
   * class SumJob extends Job {
   *   static {
   *     this.aroundPerform(async (job, perform) => {
   *       lines.push(`begin ${job.args.join("+")}`);
   *       lines.push(`end ${await perform()}`);
   *     });
   *   }
   *   perform(a: number, b: number) {
   *     return a + b;
   *   }
   * }
   *
   * await SumJob.performNow(1, 2);
   * assertEquals(lines, ["begin 1+2", "end 3"]);
   * ```
   */
  static aroundPerform<J extends JobState>(
    this: DeclaringClass<J>,
    callback: (job: J, perform: Perform<J>) => unknown,
  ): void {
    declareCallback(this, "aroundPerform", "perform", "around", callback);
  }

  /**
   * Calls a function after `perform` has succeeded.
   *
   * @param callback a function of the job, which may be async
   */
  static afterPerform<J extends JobState>(this: DeclaringClass<J>, callback: (job: J) => unknown): void {
    declareCallback(this, "afterPerform", "perform", "after", callback);
  }

  /**
   * Runs a job again that failed with one of these errors, or with an error that was caused by one. Of all handlers that match
   * the one declared last decides; those of the class come before those of its parent.
   *
   * The next run is a new record with the same `jobId`; it is written before the failed one is marked. If it cannot be
   * written, the worker retries the failed one as its topic says. Once no run is left, `exhausted` is called and the job ends;
   * without it, the record goes to the dead letter topic at once.
   *
   * @param errors the error classes
   * @param options the wait and the number of runs
   * @param exhausted a function of the job and the error, which may be async
   * @throws {InvalidConfigurationError} for a wrong option, or if `errors` has none
   *
   * @example
   * ```ts
   * import { activeJobTopic, App, Job } from "@activejob/kafka";
   * import { assertEquals } from "@std/assert";
   *
   * class Busy extends Error {}
   * const runs: number[] = [];
   *
   * class SyncJob extends Job {
   *   static {
   *     this.retryOn(Busy, { attempts: 3, wait: { seconds: 0 } });
   *   }
   *   perform() {
   *     runs.push(this.executions);
   *     if (this.executions < 3) throw new Busy();
   *   }
   * }
   *
   * await using app = new App({
   *   name: "shop",
   *   broker: "memory:",
   *   jobs: [SyncJob],
   *   topics: [activeJobTopic("default")],
   *   logger: false,
   * });
   * const succeeded = Promise.withResolvers<void>();
   * app.on("job.performed", () => succeeded.resolve());
   * await SyncJob.performLater();
   * const stop = new AbortController();
   * const worker = app.worker().run(stop.signal);
   * await succeeded.promise;
   * stop.abort();
   * await worker;
   * assertEquals(runs, [1, 2, 3]);
   * ```
   */
  static retryOn<J extends JobState, const Errors extends ErrorClasses>(
    this: DeclaringClass<J>,
    errors: Errors,
    options: RetryOptions<ErrorOf<Errors>> = {},
    exhausted?: (job: J, error: ErrorOf<Errors>) => unknown,
  ): void {
    const what = `${this.name}.retryOn()`;
    const classes = readErrorClasses(what, errors);
    declare(this, "errorHandlers", {
      errors: classes,
      kind: "retry",
      counter: `[${classes.map(({ name }) => name).join(", ")}]`,
      ...readRetryOptions(what, options as RetryOptions),
      exhausted: readBlock(what, exhausted),
    });
  }

  /**
   * Ends a job that failed with one of these errors, or with an error that was caused by one: it counts as done.
   *
   * @param errors the error classes
   * @param block a function of the job and the error, which may be async
   * @throws {InvalidConfigurationError} if `errors` has none
   */
  static discardOn<J extends JobState, const Errors extends ErrorClasses>(
    this: DeclaringClass<J>,
    errors: Errors,
    block?: (job: J, error: ErrorOf<Errors>) => unknown,
  ): void {
    const what = `${this.name}.discardOn()`;
    declare(this, "errorHandlers", {
      errors: readErrorClasses(what, errors),
      kind: "discard",
      block: readBlock(what, block),
    });
  }

  /**
   * Calls a function for a job that failed with one of these errors, or with an error that was caused by one: the job counts
   * as done, unless the function throws.
   *
   * @param errors the error classes
   * @param block a function of the job and the error, which may be async
   * @throws {InvalidConfigurationError} if `errors` has none, or `block` is not a function
   */
  static rescueFrom<J extends JobState, const Errors extends ErrorClasses>(
    this: DeclaringClass<J>,
    errors: Errors,
    block: (job: J, error: ErrorOf<Errors>) => unknown,
  ): void {
    const what = `${this.name}.rescueFrom()`;
    declare(this, "errorHandlers", {
      errors: readErrorClasses(what, errors),
      kind: "rescue",
      block: readFunction(what, block) as ErrorBlock,
    });
  }

  /**
   * Calls a function once for a job that is given up: discarded, without a run left, or about to be dead-lettered.
   *
   * @param block a function of the job and the error, which may be async
   */
  static afterDiscard<J extends JobState>(this: DeclaringClass<J>, block: (job: J, error: unknown) => unknown): void {
    declare(this, "afterDiscard", readFunction(`${this.name}.afterDiscard()`, block) as ErrorBlock);
  }
}

function readErrorClasses(what: string, errors: ErrorClasses): readonly ErrorClass[] {
  const classes = Array.isArray(errors) ? [...errors] : [errors];
  const wrong = classes.findIndex((Class) => typeof Class !== "function" || typeof Class.prototype !== "object");
  if (classes.length > 0 && wrong < 0) return classes;
  const given = classes.length === 0 ? "an empty array" : show(classes[wrong]);
  throw new InvalidConfigurationError(`${what} needs error classes, but it is given ${given}`);
}

function readBlock(what: string, block: unknown): ErrorBlock | undefined {
  return block === undefined ? undefined : readFunction(what, block) as ErrorBlock;
}

function readFunction(what: string, value: unknown): (...args: never[]) => unknown {
  if (typeof value === "function") return value as (...args: never[]) => unknown;
  throw new InvalidConfigurationError(`${what} needs a function, but it is given ${show(value)}`);
}

function declareCallback(
  Class: abstract new () => object,
  name: string,
  part: "enqueue" | "perform",
  kind: CallbackKind,
  callback: unknown,
): void {
  declare(Class, part, { kind, fn: readFunction(`${Class.name}.${name}()`, callback) as never });
}
