/** Lists the recurring jobs of an App with their last and next ticks, from the records that count. Pure. */
import { jobNameOf } from "../../job/class_name.ts";
import type { JobClass } from "../../job/job.ts";
import type { RecurringDefinition } from "../../recurring/definition.ts";
import type { TickRecord } from "./tick_record.ts";

/** A recurring job as it is. */
export interface RecurringJob {
  /** Its id. */
  readonly id: string;
  /** The name of its class on the wire. */
  readonly jobClass: string;
  /** The cron expression, or the interval in words, such as `"every 5 minutes"`. */
  readonly schedule: string;
  /** The time zone of the cron expression; `null` for an interval. */
  readonly timeZone: string | null;
  /** The next tick, in milliseconds since 1970. One that is past waits for a worker. */
  readonly nextAtMs: number;
  /** The last tick that enqueued a job, in milliseconds since 1970; `null` if there is none. */
  readonly lastAtMs: number | null;
  /** The id of the job of the last tick; `null` if there is none. */
  readonly lastJobId: string | null;
}

/**
 * Lists the recurring jobs, in the order of their declaration.
 *
 * @param ticks the record that counts of each
 * @param nowMs the time by the App's clock
 */
export function listRecurring(
  definitions: readonly RecurringDefinition[],
  ticks: ReadonlyMap<string, TickRecord>,
  nowMs: number,
): RecurringJob[] {
  return definitions.map((definition) => {
    const { id, job, schedule, timeZone } = definition;
    const tick = ticks.get(id);
    return {
      id,
      jobClass: jobNameOf(job.constructor as JobClass),
      schedule,
      timeZone,
      nextAtMs: tick?.tickAtMs ?? definition.next(nowMs),
      lastAtMs: tick?.last?.tickAtMs ?? null,
      lastJobId: tick?.last?.jobId ?? null,
    };
  });
}
