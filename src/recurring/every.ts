/** Makes the definition of a recurring job, and checks all of it that can be checked without an App. */
import { InvalidConfigurationError } from "../errors.ts";
import { jobNameOf } from "../job/class_name.ts";
import type { Job, JobClass } from "../job/job.ts";
import { assertJob } from "../job/job_checks.ts";
import { type Duration, durationToMs } from "../support/duration.ts";
import { boolean, type Check, checkOptions, oneOf, show } from "../support/validation.ts";
import { readCron } from "./cron.ts";
import { DEFINITION, type MissedTicks, type RecurringDefinition } from "./definition.ts";

/** Options of {@linkcode every}. */
export interface EveryOptions {
  /**
   * The id of the recurring job, unique in the App: letters, digits, dots, dashes, underscores and colons. Keep it when the
   * schedule or the class changes.
   *
   * @default the name of the job's class
   */
  readonly id?: string;
  /** The time zone of a cron expression, such as `"Europe/Prague"`. An interval has none. @default "UTC" */
  readonly timeZone?: string;
  /** Ticks that passed while no worker ran are dropped, or lead to one job for all of them. @default "once" */
  readonly missed?: MissedTicks;
  /** Whether a tick enqueues a job although the last one still waits or runs. @default true */
  readonly overlap?: boolean;
}

/** The shortest interval, in milliseconds. */
const MIN_INTERVAL_MS = 1000;

const recurringId: Check = (value) =>
  typeof value === "string" && /^[A-Za-z0-9._:-]{1,100}$/.test(value)
    ? null
    : "1 to 100 letters, digits, dots, dashes, underscores and colons";

/**
 * Lets a job recur: at each tick of a schedule a worker enqueues a copy of it. List the result in `recurring` of the App.
 *
 * @param schedule a cron expression of five fields (minute, hour, day of month, month, day of week), or of six with seconds
 * first, or a nickname such as `"@daily"`; or an interval of a second at least, counted from 1970-01-01T00:00Z: that of
 * `{ hours: 6 }` has its ticks at 00:00, 06:00, 12:00 and 18:00 UTC
 * @param job the job, made by `of`: class, arguments, queue and priority
 * @throws {InvalidConfigurationError} for a wrong schedule, time zone, job or option
 *
 * @example
 * ```ts
 * import { Job } from "@activejob/kafka";
 * import { every } from "@activejob/kafka/recurring";
 * import { assertEquals } from "@std/assert";
 *
 * class SyncJob extends Job {
 *   perform(_shop: string) {}
 * }
 * assertEquals(every({ minutes: 5 }, SyncJob.of("Prague")).schedule, "every 5 minutes");
 * assertEquals(every("0 3 * * 1-5", SyncJob.of("Brno"), { id: "sync-brno" }).timeZone, "UTC");
 * ```
 */
export function every(schedule: string | Duration, job: Job, options: EveryOptions = {}): RecurringDefinition {
  assertJob("every()", job);
  checkOptions("every()", options, {
    id: recurringId,
    timeZone: () => null,
    missed: oneOf("skip", "once"),
    overlap: boolean,
  });
  if (job.scheduledAt !== null) {
    throw new InvalidConfigurationError("every() needs a job without a wait: its times come from the schedule");
  }
  const { missed = "once", overlap = true } = options;
  const id = options.id ?? jobNameOf(job.constructor as JobClass);
  const ticks = typeof schedule === "string"
    ? readCron(schedule, options.timeZone ?? "UTC")
    : readInterval(schedule, options.timeZone);
  return Object.freeze({ [DEFINITION]: true as const, id, job, missed, overlap, ...ticks });
}

function readInterval(
  interval: Duration,
  timeZone: string | undefined,
): Pick<RecurringDefinition, "schedule" | "timeZone" | "next"> {
  const intervalMs = durationToMs("The schedule of every()", interval);
  if (intervalMs < MIN_INTERVAL_MS || !Number.isSafeInteger(intervalMs)) {
    throw new InvalidConfigurationError(
      `The interval of every() must be a second at least, in whole milliseconds, but it is ${show(intervalMs)} ms`,
    );
  }
  if (timeZone !== undefined) {
    throw new InvalidConfigurationError(
      'Option "timeZone" of every() is for a cron expression: an interval is the same in every time zone',
    );
  }
  return {
    schedule: `every ${formatInterval(intervalMs)}`,
    timeZone: null,
    next: (afterMs) => (Math.floor(afterMs / intervalMs) + 1) * intervalMs,
  };
}

/** Formats an interval, such as `"1 hour 30 minutes"`. */
function formatInterval(intervalMs: number): string {
  const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1000], ["ms", 1]] as const;
  let leftMs = intervalMs;
  const parts: string[] = [];
  for (const [unit, unitMs] of units) {
    const count = Math.floor(leftMs / unitMs);
    leftMs -= count * unitMs;
    if (count > 0) parts.push(`${count} ${count === 1 || unit === "ms" ? unit : `${unit}s`}`);
  }
  return parts.join(" ");
}
