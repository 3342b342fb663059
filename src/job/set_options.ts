/** The options of `set`: the place and the time of a job's next record. */
import { InvalidConfigurationError } from "../errors.ts";
import { type Duration, durationToMs } from "../support/duration.ts";
import { checkOptions, type Checks, show, topicName } from "../support/validation.ts";
import type { JobState, JobStateClass } from "./job_state.ts";
import { priorityCheck } from "./placement.ts";
import { nowMsFor } from "./runtime.ts";

/** Options of `set` and `retryJob`. */
export interface SetOptions {
  /** Another queue than the class's, without the App's prefix. */
  readonly queue?: string;
  /** Priority in the envelope. It has no effect here, since Kafka has no priorities: use another queue. */
  readonly priority?: number | null;
  /** The time from now to the moment at which the job is due. @default none */
  readonly wait?: Duration;
  /** The moment at which the job is due. One in the past means at once. @default none */
  readonly waitUntil?: Date | Instant;
}

/** A moment of the `Temporal` API: an `Instant`, or a `ZonedDateTime`. */
export interface Instant {
  /** Milliseconds since 1970. */
  readonly epochMilliseconds: number;
}

const WAIT = `Option "wait" of set()`;

const CHECKS: Checks<SetOptions> = {
  queue: topicName,
  priority: priorityCheck,
  wait: () => null,
  waitUntil: (value) => readMoment(value) === null ? "a valid Date, or a Temporal.Instant" : null,
};

/** @throws {InvalidConfigurationError} for a wrong option */
export function checkSetOptions(options: SetOptions): void {
  checkOptions("set()", options, CHECKS);
  const { wait, waitUntil } = options;
  if (wait !== undefined) durationToMs(WAIT, wait);
  if (wait !== undefined && waitUntil !== undefined) {
    throw new InvalidConfigurationError(`Only one of "wait" and "waitUntil" of set() can be set`);
  }
}

/**
 * Sets the fields of a job.
 *
 * @throws {InvalidConfigurationError} for a wrong option
 */
export function applySetOptions(job: JobState, options: SetOptions): void {
  checkSetOptions(options);
  const { queue, priority, wait, waitUntil } = options;
  if (queue !== undefined) job.queueName = queue;
  if (priority !== undefined) job.priority = priority;
  if (wait !== undefined) job.scheduledAt = dateAfter(job, durationToMs(WAIT, wait));
  if (waitUntil !== undefined) job.scheduledAt = new Date(readMoment(waitUntil)!);
}

/** Returns the moment after a wait, by the clock of the App to which the job goes. */
export function dateAfter(job: JobState, waitMs: number): Date {
  const date = new Date(nowMsFor(job.constructor as JobStateClass) + Math.ceil(waitMs));
  if (!Number.isNaN(date.getTime())) return date;
  throw new InvalidConfigurationError(`A job cannot wait for ${show(waitMs)} ms: no date is that late`);
}

/** Returns milliseconds since 1970; `null` if it is not a moment. */
function readMoment(value: unknown): number | null {
  if (typeof value !== "object" || value === null) return null;
  const ms = value instanceof Date ? value.getTime() : (value as Partial<Instant>).epochMilliseconds;
  return typeof ms === "number" && Math.abs(ms) <= 8.64e15 ? ms : null;
}
