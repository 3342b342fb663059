/** The references that the recurring jobs of a worker share. */
import type { BrokerAdmin, NewRecord } from "../../broker/broker.ts";
import type { Job } from "../../job/job.ts";
import type { Monitor } from "../../monitor/monitor.ts";
import type { RecurringDefinition } from "../../recurring/definition.ts";
import type { Clock } from "../../support/clock.ts";
import type { Append } from "../../worker/partition/dead_letter.ts";
import type { OpenJobs } from "./open_jobs.ts";

/** The topic of a recurring job, and its record as delayed jobs show it. */
export interface RecurringTarget {
  /** The name of the class on the wire. */
  readonly jobClass: string;
  /** The full name of the topic. */
  readonly topic: string;
  readonly record: NewRecord;
}

/** The recurring jobs of an App, for its scheduler. */
export interface RecurringOptions {
  readonly definitions: readonly RecurringDefinition[];
  /**
   * Returns the target of a job.
   *
   * @throws {Error} if it can never be enqueued
   */
  readonly targetOf: (job: Job) => RecurringTarget;
  /** Returns the group that performs the jobs of a topic. */
  readonly groupOf: (topic: string) => string;
  /** Returns a text that changes with the class, the queue and the readable arguments of a definition's job. */
  readonly describe: (definition: RecurringDefinition) => string;
  /**
   * Enqueues a job, with its callbacks. Resolves once it is acknowledged, or halted.
   *
   * @throws {EnqueueError} if it cannot be enqueued
   */
  readonly enqueue: (job: Job) => Promise<Job>;
}

/** See the module. */
export interface RecurringContext extends RecurringOptions {
  /** The full name of the topic in which delayed jobs wait. */
  readonly topic: string;
  /** The group of the schedulers. */
  readonly group: string;
  readonly clock: Clock;
  readonly maxDelayMs: number;
  readonly monitor: Monitor;
  readonly admin: Pick<BrokerAdmin, "ends" | "committed" | "read">;
  readonly append: Append;
  /** The jobs of last ticks that must not overlap the next ones. */
  readonly openJobs: OpenJobs;
  /** Ends with the ownership of the partition. */
  readonly signal: AbortSignal;
  /** Whether a job may be enqueued: the ownership is proved, and the worker does not stop. */
  readonly canAppend: () => boolean;
  /** Lets a stop wait for a promise. */
  readonly track: (promise: Promise<void>) => void;
  /** Lets the record of an offset wait again: its time has not come. @returns `false` if it would be due at once */
  readonly putBack: (offset: number) => boolean;
  /** Called when something has changed. */
  readonly onProgress: () => void;
}
