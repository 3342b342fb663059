/**
 * Selects jobs by `only`, `except` and `queue`. A class or a queue that the App does not have is an error: an assertion
 * that no such job exists could not fail.
 */
import { InvalidConfigurationError } from "../errors.ts";
import type { JobClass } from "../job/job.ts";
import { isJobClass } from "../job/job_checks.ts";
import { jobNameOf } from "../job/class_name.ts";
import type { EnvelopeCodec } from "../job/envelope.ts";
import { boolean, type Check, checkOptions, type Checks, didYouMean, show, topicName } from "../support/validation.ts";
import type { Naming, Routes } from "../routing/route.ts";
import type { EnqueuedJob } from "./jobs.ts";

/** A class, a list of classes, or a function that returns whether a job is selected. */
export type JobSelector = JobClass | readonly JobClass[] | ((job: EnqueuedJob) => boolean);

/** Selects jobs. @default all jobs */
export interface JobFilter {
  /** Only these jobs. @default all */
  readonly only?: JobSelector;
  /** All but these jobs. @default none */
  readonly except?: JobSelector;
  /** Only the jobs of this queue, without the prefix of the App. @default all queues */
  readonly queue?: string;
}

/** Selects the jobs to perform, and how a failure is treated. */
export interface PerformOptions extends JobFilter {
  /**
   * `false`: the first job that fails ends the call, which throws the error of the job. `true`: jobs that fail are
   * retried and dead-lettered as their topics say, without waiting.
   *
   * @default false
   */
  readonly retries?: boolean;
  /** Moves the clock of the test to this time first, so that the jobs that are due by then are performed. @default now */
  readonly at?: Date;
}

/** Returns whether a job is selected. */
export type Selection = (job: EnqueuedJob) => boolean;

/** The classes and topics of an App. */
export interface Catalog {
  /** The name of the App. */
  readonly name: string;
  /** The classes that the App lists. */
  readonly jobs: ReadonlySet<JobClass>;
  /** The topics of the App. */
  readonly routes: Routes;
  /** The topic in which delayed jobs wait, with the prefix. */
  readonly scheduledTopic: string;
  /** The prefix of the topics. */
  readonly naming: Naming;
  /** The codec of the App. */
  readonly codec: EnvelopeCodec;
}

/** Checks a selector. */
export const checkSelector: Check = (value) =>
  isJobClass(value) || isPredicate(value) || (Array.isArray(value) && value.length > 0 && value.every(isJobClass))
    ? null
    : "a job class, a list of job classes, or a function of the job";

const FILTER: Checks<JobFilter> = { only: checkSelector, except: checkSelector, queue: topicName };
const PERFORM: Checks<PerformOptions> = {
  ...FILTER,
  retries: boolean,
  at: (value) => value instanceof Date ? null : "a Date",
};

/**
 * Turns a filter into a function.
 *
 * @param what the call that has the filter, for messages, such as `assertEnqueuedJobs()`
 * @throws {InvalidConfigurationError} for an invalid option, a class that the App does not list, or a queue that no
 * topic declares
 */
export function filterToSelection(what: string, filter: JobFilter, catalog: Catalog): Selection {
  checkOptions(what, filter, FILTER);
  return combine(what, filter, catalog);
}

/** The same for the options of `performEnqueuedJobs`. */
export function optionsToSelection(what: string, options: PerformOptions, catalog: Catalog): Selection {
  checkOptions(what, options, PERFORM);
  return combine(what, options, catalog);
}

function combine(what: string, { only, except, queue }: JobFilter, catalog: Catalog): Selection {
  const isWanted = only === undefined ? () => true : toSelection(what, only, catalog);
  const isUnwanted = except === undefined ? () => false : toSelection(what, except, catalog);
  const name = queue === undefined ? undefined : queueNameOf(queue, catalog);
  return (job) => isWanted(job) && !isUnwanted(job) && (name === undefined || job.queue === name);
}

/** Turns a selector, which was checked before, into a function. */
export function toSelection(what: string, chosen: JobSelector, catalog: Catalog): Selection {
  if (isPredicate(chosen)) return chosen;
  const classes = (Array.isArray(chosen) ? chosen : [chosen]) as readonly JobClass[];
  const names = classes.map((Class) => jobNameIn(what, Class, catalog));
  return (job) => names.includes(job.jobClass);
}

/**
 * Returns the name of a class in envelopes.
 *
 * @throws {InvalidConfigurationError} if the App does not list it
 */
export function jobNameIn(what: string, Class: JobClass, { name, jobs }: Catalog): string {
  if (!isJobClass(Class)) {
    throw new InvalidConfigurationError(`Cannot look for ${show(Class)} in ${what}: it is not a job class`);
  }
  if (jobs.has(Class)) return jobNameOf(Class);
  const known = didYouMean(jobNameOf(Class), Array.from(jobs, jobNameOf));
  throw new InvalidConfigurationError(
    `Cannot look for "${jobNameOf(Class)}" in ${what}: the App "${name}" does not list that class${known}`,
  );
}

/**
 * Returns the name of a queue without the prefix of the App.
 *
 * @throws {InvalidConfigurationError} if no topic declares it
 */
export function queueNameOf(queue: string, { routes }: Catalog): string {
  return routes.select([queue])[0]!.queue;
}

/** Whether a value is a function that can be called: a class cannot. */
function isPredicate(value: unknown): value is Selection {
  return typeof value === "function" && !isJobClass(value) && !/^class\b/.test(String(value));
}
