/** The state of a job, as the modules around it use it: `Job` itself imports them. */
import type { Duration } from "../support/duration.ts";
import type { CarryingJob } from "./carried.ts";
import type { DELIVERY, Delivery, DeliveryStatus } from "./delivery.ts";
import type { JobRun, RUN } from "./run.ts";

/** A queue: the name of a topic, without the App's prefix; or a function of the job that returns one. */
// `any`: the class that is being declared cannot be named in its own type.
// deno-lint-ignore no-explicit-any
export type JobQueue = string | ((job: any) => string);

/** A priority, or a function of the job that returns one. */
// deno-lint-ignore no-explicit-any
export type JobPriority = number | null | ((job: any) => number | null);

/** See the module. */
export interface JobState extends CarryingJob {
  jobId: string;
  queueName: string | undefined;
  priority: number | null;
  attempt: number;
  scheduledAt: Date | null;
  readonly exceptionExecutions: Readonly<Record<string, number>>;
  readonly status: DeliveryStatus;
  [DELIVERY]: Delivery | undefined;
  [RUN]: JobRun | undefined;
  // The parameters are each class's own.
  // deno-lint-ignore no-explicit-any
  readonly args: any;
  // deno-lint-ignore no-explicit-any
  perform(...args: any[]): unknown;
}

/** The class of a job, as the modules around it use it. */
export interface JobStateClass {
  new (): JobState;
  /** See {@linkcode Job.queue}. */
  readonly queue: JobQueue;
  /** See {@linkcode Job.priority}. */
  readonly priority: JobPriority;
  /** See {@linkcode Job.jobName}. */
  readonly jobName?: string;
  /** See {@linkcode Job.resumeWait}. */
  readonly resumeWait: Duration;
  /** See {@linkcode Job.maxResumptions}. */
  readonly maxResumptions?: number;
  /** See {@linkcode Job.resumeErrorsAfterAdvancing}. */
  readonly resumeErrorsAfterAdvancing: boolean;
}
