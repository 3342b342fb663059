/**
 * What holds of the jobs that a test has seen: how many there are, and whether there is one such as expected. What does
 * not hold is an `AssertionError` of `node:assert`, which every test runner knows, and which says what was there
 * instead.
 */
import { AssertionError } from "node:assert";
import { InvalidConfigurationError } from "../errors.ts";
import { readEnvelope, writeEnvelope } from "../job/envelope.ts";
import type { Job, JobArguments, JobClass } from "../job/job.ts";
import { checkOptions, integerFrom, show, topicName } from "../support/validation.ts";
import type { EnqueuedJob } from "./jobs.ts";
import { count, describeClasses, describeJob, describeJobs, differences, indented, showValue } from "./messages.ts";
import { type Catalog, listedName, type Selection, topicOf } from "./selection.ts";

/** What a job must have. What is absent may be anything. */
export interface ExpectedJob<J extends Job = Job> {
  /** Its arguments, typed from `perform`: as they are, or a function that answers whether they are right. */
  readonly args?: JobArguments<J> | ((...args: JobArguments<J>) => boolean);
  /** Its queue, without the App's prefix. */
  readonly queue?: string;
  /** Its priority. */
  readonly priority?: number | null;
}

/** The jobs that an assertion looks at. */
export interface Seen<Found extends EnqueuedJob = EnqueuedJob> {
  /** What happened to them. */
  readonly kind: "enqueued" | "performed" | "dead-lettered";
  /** The jobs. */
  readonly jobs: readonly Found[];
  /** Those to which it has not happened yet, where that is of interest. */
  readonly waiting: readonly EnqueuedJob[];
}

/** Who asserts: its name, and the function whose caller the error points at. */
export interface Asserter {
  readonly name: string;
}

/**
 * Refuses a number of jobs that there cannot be.
 *
 * @throws {InvalidConfigurationError} if it is no whole number from 0 up
 */
export function checkCount(what: string, expected: number): void {
  const wanted = integerFrom(0)(expected);
  if (wanted === null) return;
  throw new InvalidConfigurationError(`The number of jobs of ${what} must be ${wanted}, but it is ${show(expected)}`);
}

/**
 * Asserts how many jobs there are.
 *
 * @throws {AssertionError} if there are more or fewer
 */
export function assertCount(by: Asserter, expected: number, isMeant: Selection, { kind, jobs, waiting }: Seen): void {
  const counted = jobs.filter(isMeant);
  if (counted.length === expected) return;
  const others = jobs.filter((job) => !isMeant(job));
  const message =
    `${count(expected)} expected, but ${counted.length} ${counted.length === 1 ? "was" : "were"} ${kind}` +
    among(": ", describeJobs(counted)) + among("; not counted: ", describeJobs(others)) +
    among("; waiting: ", describeJobs(waiting.filter(isMeant)));
  throw failure(by, message, counted.length, expected);
}

/**
 * Asserts that there is such a job.
 *
 * @returns the first
 * @throws {AssertionError} if there is none
 */
export function assertFound<J extends Job, Found extends EnqueuedJob>(
  by: Asserter,
  Class: JobClass<J>,
  expected: ExpectedJob<J>,
  { kind, jobs, waiting }: Seen<Found>,
  catalog: Catalog,
): Found & EnqueuedJob<JobArguments<J>> {
  const what = `${by.name}()`;
  const name = listedName(what, Class, catalog);
  const differs = comparison(what, Class, expected, catalog);
  const ofClass = jobs.filter((job) => job.jobClass === name);
  const all = ofClass.map((job) => ({ job, lines: differs(job) }));
  const found = all.find(({ lines }) => lines.length === 0);
  if (found !== undefined) return found.job as Found & EnqueuedJob<JobArguments<J>>;
  const idle = among("; waiting: ", describeJobs(waiting.filter(({ jobClass }) => jobClass === name)));
  const [first, ...more] = all.toSorted((one, other) => one.lines.length - other.lines.length);
  if (first === undefined) {
    throw failure(by, `No job of class ${name} was ${kind}${among(`; ${kind}: `, describeClasses(jobs))}${idle}`);
  }
  const nearest = more.length === 0 ? "" : `\nThe nearest is ${describeJob(first.job)}:`;
  throw failure(
    by,
    `No job of class ${name} was ${kind} with ${showValue(expected)}; ${kind}: ${describeJobs(ofClass)}${idle}` +
      `${nearest}${indented(first.lines)}`,
    Object.fromEntries(Object.keys(expected).map((key) => [key, first.job[key as keyof ExpectedJob]])),
    expected,
  );
}

/** A function that answers where a job differs from what is expected. */
function comparison<J extends Job>(
  what: string,
  Class: JobClass<J>,
  expected: ExpectedJob<J>,
  catalog: Catalog,
): (job: EnqueuedJob) => string[] {
  checkOptions<ExpectedJob>(what, expected as ExpectedJob, {
    args: (value) => Array.isArray(value) || typeof value === "function" ? null : "a list of arguments, or a function",
    queue: topicName,
    priority: (value) => value === null || Number.isSafeInteger(value) ? null : "an integer or null",
  });
  const { args, queue, priority } = expected;
  if (queue !== undefined) topicOf(queue, catalog);
  const argsDiffer = args === undefined ? () => [] : argumentsComparison(Class, args);
  return (job) => [
    ...argsDiffer(job.args),
    ...(queue === undefined || topicOf(queue, catalog) === job.topic ? [] : differences(queue, job.queue, "queue")),
    ...(priority === undefined ? [] : differences(priority, job.priority, "priority")),
  ];
}

function argumentsComparison<J extends Job>(
  Class: JobClass<J>,
  expected: NonNullable<ExpectedJob<J>["args"]>,
): (args: readonly unknown[]) => string[] {
  if (typeof expected === "function") {
    return (args) => expected(...args as JobArguments<J>) ? [] : [`args: the function refuses ${showValue(args)}`];
  }
  // As a worker would read them: without the `undefined` at the end.
  const job = new Class();
  (job as Job).args = expected;
  const envelope = writeEnvelope(job, Class.queue, undefined);
  const stored = readEnvelope(envelope).arguments;
  return (args) => differences(stored, args, "args");
}

function failure(by: Asserter, message: string, actual?: unknown, expected?: unknown): AssertionError {
  const stackStartFn = by as unknown as (...args: unknown[]) => unknown;
  return new AssertionError({ message, actual, expected, operator: by.name, stackStartFn });
}

function among(before: string, text: string): string {
  return text === "" ? "" : `${before}${text}`;
}
