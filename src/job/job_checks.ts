/**
 * Checks of values that should be job classes or jobs. They are recognised by a brand on the constructor, never by `instanceof`:
 * an application may load two copies of this library.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { show } from "../support/validation.ts";
import { BRAND, type Job, type JobClass } from "./job.ts";

/** Returns whether a value is a job class, of any copy of this library. */
export function isJobClass(value: unknown): value is JobClass {
  return typeof value === "function" && (value as { [BRAND]?: unknown })[BRAND] === true;
}

/** Returns whether a value is a job, of any copy of this library. */
function isJob(value: unknown): value is Job {
  return isJobClass((value as Partial<Job> | null | undefined)?.constructor);
}

/**
 * Checks that a value is a job that `of` made.
 *
 * @param caller the function that needs it, for the message, such as `"app.enqueue()"`
 * @throws {InvalidConfigurationError} for any other value, such as a class, or a job made by `new`
 */
export function assertJob(caller: string, value: unknown): asserts value is Job {
  // `new` alone gives a job neither an id nor arguments.
  if (isJob(value) && value.jobId !== "" && Array.isArray(value.args)) return;
  const Class = isJob(value) ? value.constructor : value;
  const of = isJobClass(Class) ? `${Class.name}.of(…)` : "of(…) of its class";
  throw new InvalidConfigurationError(`${caller} needs a job, made by ${of}, but it is given ${show(value)}`);
}

/**
 * Checks that a value is an array of jobs that `of` made.
 *
 * @param caller the function that needs it, for the message
 * @throws {InvalidConfigurationError} for any other value, or the first element that is not such a job
 */
export function assertJobs(caller: string, value: unknown): asserts value is readonly Job[] {
  if (!Array.isArray(value)) {
    throw new InvalidConfigurationError(`${caller} needs an array of jobs, but it is given ${show(value)}`);
  }
  for (const job of value) assertJob(caller, job);
}
