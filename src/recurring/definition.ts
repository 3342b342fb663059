/**
 * A recurring job as an App declares it: a job, the times at which it is enqueued (its *ticks*), and the rules for ticks that
 * were missed or overlap. `every` makes it; the rest of the library uses it through this interface, and so never loads the
 * parser of cron expressions.
 */
import type { Job, JobClass } from "../job/job.ts";

/** The rule for ticks that passed while no worker ran: `"skip"` drops them, `"once"` enqueues one job for all of them. */
export type MissedTicks = "skip" | "once";

/** Marks a definition of any copy of this library. */
export const DEFINITION: unique symbol = Symbol.for("@activejob/kafka.RecurringDefinition") as never;

/** A recurring job, made by `every`. */
export interface RecurringDefinition {
  /** @internal */
  readonly [DEFINITION]: true;
  /** Its id, unique in the App. */
  readonly id: string;
  /** The cron expression, or the interval in words, such as `"every 5 minutes"`. */
  readonly schedule: string;
  /** The time zone of the cron expression; `null` for an interval. */
  readonly timeZone: string | null;
  /** The job that each tick enqueues a copy of. */
  readonly job: Job;
  /** The rule for ticks that passed while no worker ran. */
  readonly missed: MissedTicks;
  /** Whether a tick enqueues a job although the last one still waits or runs. */
  readonly overlap: boolean;
  /**
   * Returns the first tick after a time, both in milliseconds since 1970.
   *
   * @internal
   */
  next(afterMs: number): number;
}

/** Returns whether a value is a definition that `every` made. */
export function isRecurringDefinition(value: unknown): value is RecurringDefinition {
  return typeof value === "object" && value !== null && DEFINITION in value;
}

/** Returns a copy of a definition's job, to be enqueued by hand. */
export function copyJob({ job }: RecurringDefinition): Job {
  const { of } = job.constructor as unknown as { of(this: unknown, ...args: readonly unknown[]): Job };
  const copy = of.apply(job.constructor as JobClass, job.args);
  copy.queueName = job.queueName;
  copy.priority = job.priority;
  return copy;
}

/**
 * Returns the job of a tick. Its id comes from the definition and the time, so that the same tick is the same job, whichever
 * worker enqueues it: `"nightly/2026-11-28T02:00:00.000Z"`.
 */
export function createTickJob(definition: RecurringDefinition, tickAtMs: number): Job {
  const job = copyJob(definition);
  job.jobId = `${definition.id}/${new Date(tickAtMs).toISOString()}`;
  return job;
}
