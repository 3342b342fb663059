/** The references that the partitions of a worker's scheduler share. */
import type { BrokerAdmin } from "../broker/broker.ts";
import type { Monitor } from "../monitor/monitor.ts";
import type { Clock } from "../support/clock.ts";
import type { Append } from "../worker/partition/dead_letter.ts";
import type { RecurringOptions } from "./recurring/context.ts";
import type { ReleaseLimit } from "./release_limit.ts";

/** A topic to which jobs are released. */
export interface ReleaseTarget {
  /** The full name of its dead letter topic; `null` for none. */
  readonly deadLetterTopic: string | null;
}

/** See the module. */
export interface SchedulerContext {
  /** The full name of the topic in which delayed jobs wait. */
  readonly topic: string;
  /** The clock by which jobs are due. */
  readonly clock: Clock;
  /** The longest wait of a job from the timestamp of its record, in milliseconds. */
  readonly maxDelayMs: number;
  readonly monitor: Monitor;
  readonly admin: Pick<BrokerAdmin, "read" | "ends" | "committed">;
  /** Appends a record, after those that the sender of its topic holds. It never rejects. */
  readonly append: Append;
  /** Finds a declared topic by its full name. */
  readonly findTarget: (topic: string) => ReleaseTarget | undefined;
  /** The recurring jobs of the App. Absent: their records are set aside. */
  readonly recurring?: RecurringOptions | undefined;
  readonly limit: ReleaseLimit;
  /** Returns the time after which a reader that stood still reads again, in milliseconds. */
  readonly maxStandstillMs: () => number;
  /** Returns the bytes of values that a partition may hold. */
  readonly maxValueBytes: () => number;
}
