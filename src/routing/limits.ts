/** The limits of a topic: how many of its jobs run at once, and how many start in a time, for each value of a function. */
import { type Check, integerFrom, MAX_TIMER_MS, optionsOf } from "../support/validation.ts";

/** A job, as the functions of limits see it. */
export interface LimitedJob {
  /** The name of its class. */
  readonly jobClass: string;
  /** Its id. */
  readonly jobId: string;
  /** The key of its record; `null` for none. */
  readonly key: string | null;
  /** Its arguments. A GlobalID is a `GlobalId`, also if the App has a locator. */
  readonly args: readonly unknown[];
}

/** Options of one limit of running jobs. */
export interface RunningLimitOptions {
  /** Returns the value whose jobs share the limit, such as the tenant. Current attributes can be read. */
  // deno-lint-ignore no-explicit-any
  readonly by: (job: LimitedJob & { readonly args: readonly any[] }) => string;
  /** Most jobs with the same value that run at once in a worker, from 1. */
  readonly max: number;
}

/** Options of a rate limit. */
export interface RateLimitOptions {
  /** Most jobs of a partition that start in any span of `perMs`, from 1 to 100000. */
  readonly jobs: number;
  /** The span, in ms: up to 2147483647. */
  readonly perMs: number;
  /** Returns the value whose jobs share the limit. @default all jobs of a partition share it */
  // deno-lint-ignore no-explicit-any
  readonly by?: (job: LimitedJob & { readonly args: readonly any[] }) => string;
}

/** Most starts that a rate limit remembers for each value. */
const MAX_JOBS = 100_000;

const isFunction: Check = (value) => typeof value === "function" ? null : "a function of the job";
const runningLimit = optionsOf<RunningLimitOptions>("a limit", { by: isFunction, max: integerFrom(1) });
const rateLimitOptions = optionsOf<RateLimitOptions>("rateLimit", {
  jobs: (value) =>
    integerFrom(1)(value) === null && (value as number) <= MAX_JOBS ? null : `an integer from 1 to ${MAX_JOBS}`,
  perMs: (value) =>
    integerFrom(1)(value) === null && (value as number) <= MAX_TIMER_MS
      ? null
      : `milliseconds, an integer from 1 to ${MAX_TIMER_MS}`,
  by: isFunction,
});

/** Checks the limits of running jobs, by name. */
export const limits: Check = (value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "an object of limits by name";
  for (const limit of Object.values(value)) {
    runningLimit(limit);
    const { by, max } = limit as Partial<RunningLimitOptions>;
    if (by === undefined || max === undefined) return `an object of limits, each with "by" and "max"`;
  }
  return null;
};

/** Checks a rate limit. */
export const rateLimit: Check = (value) => {
  rateLimitOptions(value);
  const { jobs, perMs } = value as Partial<RateLimitOptions>;
  return jobs === undefined || perMs === undefined ? `an object with "jobs" and "perMs"` : null;
};
