/** The next run of a job in steps that was interrupted, or that failed after progress: it goes on where it was. */
import { ContinuationError, type Interrupt, isInterrupt } from "../errors.ts";
import { durationToMs } from "../support/duration.ts";
import { carriedOf } from "./carried.ts";
import { hasAdvanced } from "./continuation.ts";
import type { ErrorOutcome, Retry } from "./error_handlers.ts";
import type { JobState, JobStateClass } from "./job_state.ts";

/** A job was interrupted at a checkpoint. */
export interface InterruptOutcome {
  readonly kind: "interrupted";
  readonly interrupt: Interrupt;
  readonly retry: Retry;
}

/**
 * Decides whether a job that threw goes on where it was.
 *
 * @returns what follows; an error that takes the place of the thrown one; or `null` if the job does not go on
 */
export function decideResume(
  job: JobState,
  thrown: unknown,
): InterruptOutcome | (ErrorOutcome & { kind: "retry" }) | { readonly kind: "error"; readonly error: Error } | null {
  const { resumeWait, maxResumptions = Infinity, resumeErrorsAfterAdvancing } = job.constructor as JobStateClass;
  const isInterrupted = isInterrupt(thrown);
  if (!isInterrupted && (!resumeErrorsAfterAdvancing || !hasAdvanced(job))) return null;
  const { resumptions, exceptionExecutions } = carriedOf(job);
  if (resumptions >= maxResumptions) {
    const message =
      `The job has gone on ${resumptions} times after an interruption, and maxResumptions is ${maxResumptions}`;
    return { kind: "error", error: new ContinuationError(message, { cause: thrown }) };
  }
  const waitMs = durationToMs(`"static resumeWait"`, resumeWait);
  const retry = { waitMs, queue: undefined, priority: undefined, inPlace: false, exceptionExecutions };
  return isInterrupted ? { kind: "interrupted", interrupt: thrown, retry } : { kind: "retry", error: thrown, retry };
}
