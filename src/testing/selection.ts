/**
 * Which jobs are meant: `only`, `except` and `queue`, checked before they are used. A class or a queue that the App
 * does not have is an error, since nothing could ever be found there and an assertion that nothing is there could not
 * fail.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { isJobClass, type JobClass } from "../job/job.ts";
import { jobNameOf } from "../job/class_name.ts";
import { boolean, type Check, checkOptions, type Checks, didYouMean, show, topicName } from "../support/validation.ts";
import type { Naming, Routes } from "../routing/route.ts";
import type { EnqueuedJob } from "./jobs.ts";

/** A class, some classes, or a function that answers whether a job is meant. */
export type JobSelector = JobClass | readonly JobClass[] | ((job: EnqueuedJob) => boolean);

/** Which jobs are meant. What is absent leaves nothing out. */
export interface JobFilter {
  /** These only. */
  readonly only?: JobSelector;
  /** All but these. */
  readonly except?: JobSelector;
  /** Those of this queue only, without the App's prefix. */
  readonly queue?: string;
}

/** Which jobs are performed, and how. */
export interface PerformOptions extends JobFilter {
  /**
   * `false`: the first failure of a job ends it, and is thrown. `true`: failed jobs are tried again, without waiting,
   * and dead-lettered, as their topics say.
   *
   * @default false
   */
  readonly retries?: boolean;
}

/** Whether a job is meant. */
export type Selection = (job: EnqueuedJob) => boolean;

/** What can be chosen from: an App, as far as a test needs it. */
export interface Catalog {
  /** The App's name. */
  readonly name: string;
  /** The classes that it lists. */
  readonly jobs: ReadonlySet<JobClass>;
  /** Its topics. */
  readonly routes: Routes;
  /** How their names are made. */
  readonly naming: Naming;
}

/** What a `only` may be. */
export const selector: Check = (value) =>
  isJobClass(value) || isPredicate(value) || (Array.isArray(value) && value.length > 0 && value.every(isJobClass))
    ? null
    : "a job class, a list of job classes, or a function of the job";

const FILTER: Checks<JobFilter> = { only: selector, except: selector, queue: topicName };
const PERFORM: Checks<PerformOptions> = { ...FILTER, retries: boolean };

/**
 * Makes one function of a filter.
 *
 * @param what whose options they are, for messages, such as `assertEnqueuedJobs()`
 * @throws {InvalidConfigurationError} for an option that cannot be, a class that the App does not list, or a queue that
 * no topic declares
 */
export function selection(what: string, filter: JobFilter, catalog: Catalog): Selection {
  checkOptions(what, filter, FILTER);
  return selectionOf(what, filter, catalog);
}

/** The same of what `performEnqueuedJobs` takes. */
export function performSelection(what: string, options: PerformOptions, catalog: Catalog): Selection {
  checkOptions(what, options, PERFORM);
  return selectionOf(what, options, catalog);
}

function selectionOf(what: string, { only, except, queue }: JobFilter, catalog: Catalog): Selection {
  const isWanted = only === undefined ? () => true : selects(what, only, catalog);
  const isUnwanted = except === undefined ? () => false : selects(what, except, catalog);
  const topic = queue === undefined ? undefined : topicOf(queue, catalog);
  return (job) => isWanted(job) && !isUnwanted(job) && (topic === undefined || job.topic === topic);
}

/** Makes a function of one selector, which was checked before. */
export function selects(what: string, chosen: JobSelector, catalog: Catalog): Selection {
  if (isPredicate(chosen)) return chosen;
  const classes = (Array.isArray(chosen) ? chosen : [chosen]) as readonly JobClass[];
  const names = classes.map((Class) => listedName(what, Class, catalog));
  return (job) => names.includes(job.jobClass);
}

/**
 * The name on the wire of a class.
 *
 * @throws {InvalidConfigurationError} if the App does not list it
 */
export function listedName(what: string, Class: JobClass, { name, jobs }: Catalog): string {
  if (!isJobClass(Class)) {
    throw new InvalidConfigurationError(`Cannot look for ${show(Class)} in ${what}: it is no job class`);
  }
  if (jobs.has(Class)) return jobNameOf(Class);
  const known = didYouMean(jobNameOf(Class), Array.from(jobs, jobNameOf));
  throw new InvalidConfigurationError(
    `Cannot look for "${jobNameOf(Class)}" in ${what}: the App "${name}" does not list that class${known}`,
  );
}

/**
 * The topic of a queue, by its full name.
 *
 * @throws {InvalidConfigurationError} if no topic declares it
 */
export function topicOf(queue: string, { routes }: Catalog): string {
  return routes.select([queue])[0]!.topic;
}

/** A function that is no class: those cannot be called. */
function isPredicate(value: unknown): value is Selection {
  return typeof value === "function" && !isJobClass(value) && !/^class\b/.test(String(value));
}
