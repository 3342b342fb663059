/**
 * Assertions about lists of jobs: their number, and that one of them has the expected fields. A failed assertion throws
 * the `AssertionError` of `node:assert`, which every test runner knows. Its message lists the jobs that there are.
 */
import type { AssertionError } from "node:assert";
import { nodeBuiltin } from "../support/node_builtin.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { Job, JobArguments, JobClass } from "../job/job.ts";
import { checkOptions, integerFrom, show, topicName } from "../support/validation.ts";
import type { EnqueuedJob } from "./jobs.ts";
import {
  describeClasses,
  describeDifferences,
  describeJob,
  describeJobs,
  formatCount,
  formatValue,
  indentLines,
} from "./messages.ts";
import { type Catalog, jobNameIn, queueNameOf, type Selection } from "./selection.ts";

/** The fields that a job must have. A field that is left out may have any value. */
export interface ExpectedJob<J extends Job = Job> {
  /** Its arguments, typed from `perform`, or a function that returns whether they are as expected. */
  readonly args?: JobArguments<J> | ((...args: JobArguments<J>) => boolean);
  /** Its queue, without the prefix of the App. */
  readonly queue?: string;
  /** Its priority. */
  readonly priority?: number | null;
  /** The time at which it is due, to the millisecond; `null` for at once. */
  readonly at?: Date | null;
}

/** The jobs that an assertion looks at. */
export interface Observed<Found extends EnqueuedJob = EnqueuedJob> {
  /** The state of the jobs. */
  readonly kind: "enqueued" | "performed" | "dead-lettered";
  /** The jobs. */
  readonly jobs: readonly Found[];
  /** The jobs that have not reached that state, for messages; `[]` if they do not matter. */
  readonly waiting: readonly EnqueuedJob[];
}

/** The assertion that a test called. The stack of the error starts at its caller. */
export interface Asserter {
  readonly name: string;
}

/**
 * Checks an expected number of jobs.
 *
 * @throws {InvalidConfigurationError} if it is not an integer from 0 up
 */
export function checkCount(what: string, expected: number): void {
  const wanted = integerFrom(0)(expected);
  if (wanted === null) return;
  throw new InvalidConfigurationError(`The number of jobs of ${what} must be ${wanted}, but it is ${show(expected)}`);
}

/**
 * Asserts the number of selected jobs.
 *
 * @throws {AssertionError} if there are more or fewer
 */
export function assertCount(
  by: Asserter,
  expected: number,
  isSelected: Selection,
  { kind, jobs, waiting }: Observed,
): void {
  const counted = jobs.filter(isSelected);
  if (counted.length === expected) return;
  const others = jobs.filter((job) => !isSelected(job));
  const message =
    `${formatCount(expected)} expected, but ${counted.length} ${counted.length === 1 ? "was" : "were"} ${kind}` +
    prefixed(": ", describeJobs(counted)) + prefixed("; not counted: ", describeJobs(others)) +
    prefixed("; waiting: ", describeJobs(waiting.filter(isSelected)));
  throw createError(by, message, counted.length, expected);
}

/**
 * Asserts that there is a job of a class with the expected fields.
 *
 * @returns the first
 * @throws {AssertionError} if there is none
 */
export function assertFound<J extends Job, Found extends EnqueuedJob>(
  by: Asserter,
  Class: JobClass<J>,
  expected: ExpectedJob<J>,
  { kind, jobs, waiting }: Observed<Found>,
  catalog: Catalog,
): Found & EnqueuedJob<JobArguments<J>> {
  const what = `${by.name}()`;
  const name = jobNameIn(what, Class, catalog);
  const differs = createComparison(what, Class, expected, catalog);
  const ofClass = jobs.filter((job) => job.jobClass === name);
  const all = ofClass.map((job) => ({ job, lines: differs(job) }));
  const found = all.find(({ lines }) => lines.length === 0);
  if (found !== undefined) return found.job as Found & EnqueuedJob<JobArguments<J>>;
  const idle = prefixed("; waiting: ", describeJobs(waiting.filter(({ jobClass }) => jobClass === name)));
  const [first, ...more] = all.toSorted((one, other) => one.lines.length - other.lines.length);
  if (first === undefined) {
    throw createError(
      by,
      `No job of class ${name} was ${kind}${prefixed(`; ${kind}: `, describeClasses(jobs))}${idle}`,
    );
  }
  const nearest = more.length === 0 ? "" : `\nThe most similar one is ${describeJob(first.job)}:`;
  throw createError(
    by,
    `No job of class ${name} was ${kind} with ${formatValue(expected)}; ${kind}: ${describeJobs(ofClass)}${idle}` +
      `${nearest}${indentLines(first.lines)}`,
    Object.fromEntries(Object.keys(expected).map((key) => [key, first.job[key as keyof ExpectedJob]])),
    expected,
  );
}

/** Returns a function that describes the differences of a job to the expected one. */
function createComparison<J extends Job>(
  what: string,
  Class: JobClass<J>,
  expected: ExpectedJob<J>,
  catalog: Catalog,
): (job: EnqueuedJob) => string[] {
  checkOptions<ExpectedJob>(what, expected as ExpectedJob, {
    args: (value) => Array.isArray(value) || typeof value === "function" ? null : "a list of arguments, or a function",
    queue: topicName,
    priority: (value) => value === null || Number.isSafeInteger(value) ? null : "an integer or null",
    at: (value) => value === null || value instanceof Date ? null : "a Date or null",
  });
  const { args, queue, priority, at } = expected;
  const queueName = queue === undefined ? undefined : queueNameOf(queue, catalog);
  const argsDiffer = args === undefined ? () => [] : createArgumentsComparison(Class, args, catalog);
  return (job) => [
    ...argsDiffer(job.args),
    ...(queueName === undefined ? [] : describeDifferences(queueName, job.queue, "queue")),
    ...(at === undefined ? [] : describeDifferences(at?.toISOString() ?? null, job.at?.toISOString() ?? null, "at")),
    ...(priority === undefined ? [] : describeDifferences(priority, job.priority, "priority")),
  ];
}

function createArgumentsComparison<J extends Job>(
  Class: JobClass<J>,
  expected: NonNullable<ExpectedJob<J>["args"]>,
  { codec }: Catalog,
): (args: readonly unknown[]) => string[] {
  if (typeof expected === "function") {
    return (args) =>
      expected(...args as JobArguments<J>) ? [] : [`args: the function returned false for ${formatValue(args)}`];
  }
  // As a worker would read them: without the `undefined` at the end.
  const job = new Class();
  (job as Job).args = expected;
  const stored = codec.readArguments(codec.read(codec.write(job, "default")));
  return (args) => describeDifferences(stored, args, "args", (value) => codec.fieldsOf(value));
}

function createError(by: Asserter, message: string, actual?: unknown, expected?: unknown): AssertionError {
  const stackStartFn = by as unknown as (...args: unknown[]) => unknown;
  const { AssertionError } = nodeBuiltin("node:assert");
  return new AssertionError({ message, actual, expected, operator: by.name, stackStartFn });
}

function prefixed(prefix: string, text: string): string {
  return text === "" ? "" : `${prefix}${text}`;
}
