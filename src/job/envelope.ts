/**
 * The envelope: a job as the JSON text that is a record's value. Its keys are Active Job's, so that a Rails application
 * can be on the other side of the topic.
 *
 * Two fields are our own, and Rails ignores them: `current_attributes`, and `bigints`, which lists the places of integers
 * that were bigints although a number can hold them (JSON pointers such as `"/arguments/0"`).
 *
 * Reading trusts nothing: an envelope that can never be performed throws a `PoisonError` that says why, counts are bounded,
 * and unknown fields are ignored.
 */
import { PoisonError } from "../errors.ts";
import { show } from "../support/validation.ts";
import { hasUnsafeInteger, parseExactly, restoreBigints, serialize } from "./arguments.ts";
import type { AttributesOnWire } from "./current_attributes.ts";
import { carriedOf } from "./carried.ts";
import type { Job, JobClass } from "./job.ts";
import { jobNameOf } from "./class_name.ts";

/** An envelope that was read. */
export interface Envelope {
  /** The name of the job's class. */
  readonly jobClass: string;
  /** The job's id; `null` where the envelope has none. */
  readonly jobId: string | null;
  /** The queue's full name; `null` where the envelope has none. */
  readonly queueName: string | null;
  /** The priority: carried, without effect here. */
  readonly priority: number | null;
  /** The arguments of `perform`. */
  readonly arguments: readonly unknown[];
  /** Number of times that the job was started before this record was written. */
  readonly executions: number;
  /** The time of enqueuing as it was written, for {@linkcode readTime}; `null` where the envelope has none. */
  readonly enqueuedAt: string | null;
  /** The time at which it is due, in milliseconds since 1970; `null` for at once. */
  readonly scheduledAtMs: number | null;
  /** Current attributes by class name, not checked yet. */
  readonly currentAttributes: unknown;
  /** All fields as they were read, for those that are rarely needed. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/**
 * Writes a job's envelope.
 *
 * @param job the job
 * @param queueName the queue's full name
 * @param attributes current attributes by class name, or `undefined` for none
 * @throws {SerializationError} if an argument or an attribute cannot be written
 */
export function writeEnvelope(job: Job, queueName: string, attributes: AttributesOnWire | undefined): string {
  const bigints: string[] = [];
  return JSON.stringify({
    job_class: jobNameOf(job.constructor as JobClass),
    job_id: job.jobId,
    provider_job_id: null,
    queue_name: queueName,
    priority: job.priority,
    arguments: serialize(withoutTrailingUndefined(job.args), "arguments", bigints),
    executions: job.executions,
    exception_executions: job.exceptionExecutions,
    locale: job.locale,
    timezone: job.timezone,
    enqueued_at: job.enqueuedAt,
    scheduled_at: job.scheduledAt,
    ...writeProgress(job, bigints),
    ...(attributes === undefined ? {} : { current_attributes: serialize(attributes, "current_attributes", bigints) }),
    ...(bigints.length === 0 ? {} : { bigints }),
  });
}

/** The progress of a job in steps. A job without any has no such fields, as in Rails. */
function writeProgress(job: Job, bigints: string[]): object {
  const { continuation, resumptions } = carriedOf(job);
  if (continuation === null) return {};
  const { completed, current } = continuation;
  const [step, cursor = null] = current ?? [];
  const written = current === undefined ? { completed } : { completed, current: [step, cursor] };
  return { continuation: serialize(written, "continuation", bigints), resumptions };
}

/** `performLater(1, undefined)` means the same as `performLater(1)`: the parameter has its default. */
function withoutTrailingUndefined(args: readonly unknown[]): readonly unknown[] {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  return length === args.length ? args : args.slice(0, length);
}

/**
 * Reads an envelope. The name of the class may be any string: `decode` looks it up.
 *
 * @param text the value of a record
 * @throws {PoisonError} if it can never be performed
 */
export function readEnvelope(text: string): Envelope {
  let parsed = parseObject(text, JSON.parse);
  if (hasUnsafeInteger(parsed.arguments) || hasUnsafeInteger(parsed.current_attributes)) {
    parsed = parseObject(text, parseExactly);
  }
  if (parsed.bigints !== undefined) restoreBigints(parsed, parsed.bigints);
  const jobClass = parsed.job_class;
  if (typeof jobClass !== "string") throw new PoisonError(`The envelope has no "job_class"`);
  if (!Array.isArray(parsed.arguments)) throw new PoisonError(`The envelope has no list of "arguments"`);
  return {
    jobClass,
    jobId: nonEmptyStringOrNull(parsed.job_id),
    queueName: nonEmptyStringOrNull(parsed.queue_name),
    priority: Number.isSafeInteger(parsed.priority) ? parsed.priority as number : null,
    arguments: parsed.arguments,
    executions: countOr0(parsed.executions),
    enqueuedAt: nonEmptyStringOrNull(parsed.enqueued_at),
    scheduledAtMs: readScheduledAt(parsed.scheduled_at),
    currentAttributes: parsed.current_attributes,
    raw: parsed,
  };
}

function parseObject(text: string, parse: (text: string) => unknown): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = parse(text);
  } catch (error) {
    throw new PoisonError("The value is not JSON", { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new PoisonError(`The value is JSON, but not an envelope: ${show(parsed)}`);
  }
  return parsed as Record<string, unknown>;
}

function nonEmptyStringOrNull(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= 1000 ? value : null;
}

/** Untrusted: accepts 0 to 99,999; everything else is 0. */
function countOr0(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 99_999 ? value as number : 0;
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/;

/**
 * Reads a time of an envelope: ISO 8601 with up to nine fractional digits.
 *
 * @returns milliseconds since 1970; `null` for any other string
 */
export function readTime(text: string): number | null {
  if (text !== lastText) {
    const ms = ISO_TIME.test(text) ? Date.parse(text) : NaN;
    [lastText, lastMs] = [text, Number.isNaN(ms) ? null : ms];
  }
  return lastMs;
}

/** The last time that was read: jobs come many to a millisecond, and to read a time costs as much as a small job. */
let lastText = "";
let lastMs: number | null = null;

function readScheduledAt(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  const ms = typeof value === "string" ? readTime(value) : null;
  if (ms === null) throw new PoisonError(`"scheduled_at" is not a time: ${show(value)}`);
  return ms;
}
