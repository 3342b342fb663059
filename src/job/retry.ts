/** The next run of a job that failed, as a new record. */
import { CARRIED, carriedOf } from "./carried.ts";
import type { Retry } from "./error_handlers.ts";
import type { JobState, JobStateClass } from "./job_state.ts";
import { runtimeOf } from "./runtime.ts";
import { dateAfter } from "./set_options.ts";

/**
 * Enqueues the next run, with the same job id.
 *
 * @returns whether a callback halted it; otherwise the record is acknowledged
 * @throws {EnqueueError} if it cannot be enqueued
 */
export async function enqueueRetry(job: JobState, retry: Retry): Promise<boolean> {
  const { waitMs, queue, priority, exceptionExecutions } = retry;
  if (queue !== undefined) job.queueName = queue;
  if (priority !== undefined) job.priority = priority;
  job.scheduledAt = waitMs > 0 ? dateAfter(job, waitMs) : null;
  job[CARRIED] = { ...carriedOf(job), exceptionExecutions };
  await runtimeOf(job.constructor as JobStateClass).enqueueAcknowledged(job);
  return job.status === "halted";
}
