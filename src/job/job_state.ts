/** The state of a job, as the modules around it use it: `Job` itself imports them. */
import type { Duration } from "../support/duration.ts";
import type { CarryingJob } from "./carried.ts";
import type { DELIVERY, Delivery, DeliveryStatus } from "./delivery.ts";
import type { JobRun, RUN } from "./run.ts";

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
  readonly queue: string;
  /** See {@linkcode Job.jobName}. */
  readonly jobName?: string;
  /** See {@linkcode Job.resumeWait}. */
  readonly resumeWait: Duration;
  /** See {@linkcode Job.maxResumptions}. */
  readonly maxResumptions?: number;
  /** See {@linkcode Job.resumeErrorsAfterAdvancing}. */
  readonly resumeErrorsAfterAdvancing: boolean;
}
