/** What a failing assertion says: jobs in one line each, and where two values differ. Nothing grows without bounds. */
import { inspect, isDeepStrictEqual } from "node:util";
import type { EnqueuedJob } from "./jobs.ts";

/** So many jobs, and so many differences, are shown. */
const MOST = 10;
/** The longest text of a value, in characters. */
const MAX_VALUE = 120;

/** `WelcomeJob(7) on default`. */
export function describeJob({ jobClass, args, queue }: EnqueuedJob): string {
  return `${jobClass}(${args.map(showValue).join(", ")}) on ${queue}`;
}

/** Some jobs, in their order. */
export function describeJobs(jobs: readonly EnqueuedJob[]): string {
  return listed(jobs.map(describeJob));
}

/** The classes of some jobs: `WelcomeJob, MailJob`, each once. */
export function describeClasses(jobs: readonly EnqueuedJob[]): string {
  return listed([...new Set(jobs.map(({ jobClass }) => jobClass))]);
}

/** `1 job`, `2 jobs`. */
export function count(jobs: number): string {
  return jobs === 1 ? "1 job" : `${jobs} jobs`;
}

/** A value in one line. */
export function showValue(value: unknown): string {
  const limits = { depth: 4, maxArrayLength: MOST, maxStringLength: MAX_VALUE };
  const text = inspect(value, { ...limits, compact: true, breakLength: Infinity });
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}

/**
 * Where a value differs from what is expected: `args[0].name: "Ada" expected, but it is "Bob"`.
 *
 * @param path how the value is called
 * @returns a text for each difference, none where they are equal
 */
export function differences(expected: unknown, actual: unknown, path: string): string[] {
  if (isDeepStrictEqual(expected, actual)) return [];
  if (Array.isArray(expected) && Array.isArray(actual)) {
    const indices = Array.from({ length: Math.max(expected.length, actual.length) }, (_, index) => index);
    return indices.flatMap((index) => differenceAt(expected, actual, index, `${path}[${index}]`));
  }
  if (isPlain(expected) && isPlain(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    return keys.flatMap((key) => differenceAt(expected, actual, key, `${path}.${key}`));
  }
  return [`${path}: ${showValue(expected)} expected, but it is ${showValue(actual)}`];
}

/** Several lines below a message. */
export function indented(lines: readonly string[]): string {
  const rest = lines.length > MOST ? [`… and ${lines.length - MOST} more`] : [];
  return [...lines.slice(0, MOST), ...rest].map((line) => `\n  ${line}`).join("");
}

function differenceAt(expected: object, actual: object, key: string | number, path: string): string[] {
  const [wanted, found] = [expected, actual].map((from) => from[key as keyof typeof from] as unknown);
  if (!Object.hasOwn(actual, key)) return [`${path}: ${showValue(wanted)} expected, but there is none`];
  if (!Object.hasOwn(expected, key)) return [`${path}: none expected, but it is ${showValue(found)}`];
  return differences(wanted, found, path);
}

function isPlain(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listed(texts: readonly string[]): string {
  const rest = texts.length > MOST ? ` and ${texts.length - MOST} more` : "";
  return `${texts.slice(0, MOST).join(", ")}${rest}`;
}
