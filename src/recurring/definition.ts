/**
 * A recurring job as an App declares it: a job, the times at which it is enqueued (its *ticks*), and the rules for ticks that
 * were missed or overlap. `every` makes it; the rest of the library uses it through this interface, and so never loads the
 * parser of cron expressions.
 */
import { InvalidConfigurationError, reasonOf } from "../errors.ts";
import { jobNameOf } from "../job/class_name.ts";
import type { Job, JobClass } from "../job/job.ts";
import { didYouMean, show } from "../support/validation.ts";

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

/** The parts of an App that its definitions are checked with. */
export interface RecurringChecks {
  /** The job classes of the App, and their names on the wire. */
  readonly classes: ReadonlySet<JobClass>;
  readonly names: () => readonly string[];
  /** Throws the reason why a job can never be enqueued, if there is one. */
  readonly checkJob: (job: Job) => void;
}

/**
 * Checks the recurring jobs of an App.
 *
 * @throws {InvalidConfigurationError} for anything but the result of `every`, for an id that is there twice, and for a job that
 * can never be enqueued: its class or its topic is not listed, or an argument cannot be written
 */
export function checkRecurring(definitions: readonly RecurringDefinition[], checks: RecurringChecks): void {
  const ids = new Set<string>();
  for (const definition of definitions) {
    if (typeof definition !== "object" || definition === null || !(DEFINITION in definition)) {
      throw new InvalidConfigurationError(
        `${
          show(definition)
        } in "recurring" is not a recurring job: make it with every() of "@activejob/kafka/recurring"`,
      );
    }
    const { id } = definition;
    if (ids.has(id)) {
      throw new InvalidConfigurationError(
        `Two recurring jobs have the id ${show(id)}: give one of them another "id" in every()`,
      );
    }
    ids.add(id);
    checkJob(definition, checks);
  }
}

function checkJob(definition: RecurringDefinition, { classes, names, checkJob }: RecurringChecks): void {
  const job = createTickJob(definition, 0);
  const Class = job.constructor as JobClass;
  if (!classes.has(Class)) {
    const name = jobNameOf(Class);
    throw new InvalidConfigurationError(
      `Recurring job ${show(definition.id)} has the class ${show(name)}, which is not in "jobs"${
        didYouMean(name, names())
      }`,
    );
  }
  try {
    checkJob(job);
  } catch (error) {
    throw new InvalidConfigurationError(`Recurring job ${show(definition.id)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/** Returns a copy of a definition's job, to be enqueued by hand. */
export function copyJob({ job }: RecurringDefinition): Job {
  const { of } = job.constructor as unknown as { of(this: unknown, ...args: readonly unknown[]): Job };
  const copy = of.apply(job.constructor as JobClass, job.args);
  copy.queueName = job.queueName;
  copy.priority = job.priority;
  return copy;
}

/** Returns the id of the job of a tick, such as `"nightly/2026-11-28T02:00:00.000Z"`. */
export function tickJobIdOf(id: string, tickAtMs: number): string {
  return `${id}/${new Date(tickAtMs).toISOString()}`;
}

/**
 * Returns the job of a tick. Its id comes from the definition and the time, so that the same tick is the same job, whichever
 * worker enqueues it.
 */
export function createTickJob(definition: RecurringDefinition, tickAtMs: number): Job {
  const job = copyJob(definition);
  job.jobId = tickJobIdOf(definition.id, tickAtMs);
  return job;
}
