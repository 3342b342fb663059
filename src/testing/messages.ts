/**
 * Parts of the messages of failed assertions: jobs in one line each, and the differences of two values. All are
 * bounded.
 */
import { nodeBuiltin } from "../support/node_builtin.ts";
import { type FieldsOf, isEqual, isPlainObject } from "./equality.ts";
import type { EnqueuedJob } from "./jobs.ts";

/** The most jobs, and the most differences, that are shown. */
const MAX_ITEMS = 10;
/** The longest string of a value, in characters. */
const MAX_VALUE_LENGTH = 120;

/** Describes a job: `WelcomeJob(7) on default`. */
export function describeJob({ jobClass, args, queue }: EnqueuedJob): string {
  return `${jobClass}(${args.map(formatValue).join(", ")}) on ${queue}`;
}

/** Describes jobs, in order. */
export function describeJobs(jobs: readonly EnqueuedJob[]): string {
  return joinItems(jobs.map(describeJob));
}

/** Lists the classes of jobs, each once: `WelcomeJob, MailJob`. */
export function describeClasses(jobs: readonly EnqueuedJob[]): string {
  return joinItems([...new Set(jobs.map(({ jobClass }) => jobClass))]);
}

/** Formats a number of jobs: `1 job`, `2 jobs`. */
export function formatCount(jobs: number): string {
  return jobs === 1 ? "1 job" : `${jobs} jobs`;
}

/** Formats a value in one line. */
export function formatValue(value: unknown): string {
  const limits = { depth: 4, maxArrayLength: MAX_ITEMS, maxStringLength: MAX_VALUE_LENGTH };
  const text = nodeBuiltin("node:util").inspect(value, { ...limits, compact: true, breakLength: Infinity });
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

/**
 * Describes the differences between a value and the expected one: `args[0].name: "Ada" expected, but it is "Bob"`.
 *
 * @param path the name of the value
 * @param fieldsOf gives the fields of values with a serializer
 * @returns a line for each difference, `[]` if the values are equal
 */
export function describeDifferences(
  expected: unknown,
  actual: unknown,
  path: string,
  fieldsOf: FieldsOf = () => undefined,
): string[] {
  if (isEqual(expected, actual, fieldsOf)) return [];
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const indices = Array.from({ length: Math.max(expected.length, actual.length) }, (_, index) => index);
    return indices.flatMap((index) => describeDifferenceAt(expected, actual, index, `${path}[${index}]`, fieldsOf));
  }
  if (isPlainObject(expected) && isPlainObject(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    return keys.flatMap((key) => describeDifferenceAt(expected, actual, key, `${path}.${key}`, fieldsOf));
  }
  return [`${path}: ${formatValue(expected)} expected, but it is ${formatValue(actual)}`];
}

/** Formats lines to append to a message. */
export function indentLines(lines: readonly string[]): string {
  const rest = lines.length > MAX_ITEMS ? [`… and ${lines.length - MAX_ITEMS} more`] : [];
  return [...lines.slice(0, MAX_ITEMS), ...rest].map((line) => `\n  ${line}`).join("");
}

function describeDifferenceAt(
  expected: object,
  actual: object,
  key: string | number,
  path: string,
  fieldsOf: FieldsOf,
): string[] {
  const [wanted, found] = [expected, actual].map((from) => from[key as keyof typeof from] as unknown);
  if (!Object.hasOwn(actual, key)) return [`${path}: ${formatValue(wanted)} expected, but there is none`];
  if (!Object.hasOwn(expected, key)) return [`${path}: none expected, but it is ${formatValue(found)}`];
  return describeDifferences(wanted, found, path, fieldsOf);
}

function joinItems(items: readonly string[]): string {
  const rest = items.length > MAX_ITEMS ? ` and ${items.length - MAX_ITEMS} more` : "";
  return `${items.slice(0, MAX_ITEMS).join(", ")}${rest}`;
}
