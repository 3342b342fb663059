/** The next run of a job in steps that was interrupted, or that failed after progress: it goes on where it was. */
import { ContinuationError, type Interrupt, isContinuationError, isInterrupt } from "../errors.ts";
import { durationToMs } from "../support/duration.ts";
import { carriedOf } from "./carried.ts";
import type { ErrorOutcome, Retry } from "./error_handlers.ts";
import type { JobState, JobStateClass } from "./job_state.ts";
import { RUN } from "./run.ts";

/** A job was interrupted at a checkpoint. */
export interface InterruptOutcome {
  readonly kind: "interrupted";
  readonly interrupt: Interrupt;
  readonly retry: Retry;
}

/**
 * Decides whether a job that threw goes on where it was. One that was interrupted does, whatever it threw then: it may have
 * wrapped the interrupt in an error of its own. Steps in a wrong order would be wrong again.
 *
 * @returns what follows; an error that takes the place of the thrown one; or `null` if the job does not go on
 */
export function decideResume(
  job: JobState,
  thrown: unknown,
): InterruptOutcome | (ErrorOutcome & { kind: "retry" }) | { readonly kind: "error"; readonly error: unknown } | null {
  const { resumeWait, maxResumptions = Infinity, resumeErrorsAfterAdvancing } = job.constructor as JobStateClass;
  const steps = job[RUN]?.steps;
  const interrupt = isInterrupt(thrown) ? thrown : steps?.interrupt;
  const goesOn = resumeErrorsAfterAdvancing && steps?.hasAdvanced === true && !isContinuationError(thrown);
  if (interrupt === undefined && !goesOn) return null;
  const { resumptions, exceptionExecutions } = carriedOf(job);
  if (resumptions >= maxResumptions) {
    const message =
      `The job has gone on ${resumptions} times after an interruption, and maxResumptions is ${maxResumptions}`;
    return { kind: "error", error: new ContinuationError(message, { cause: thrown }) };
  }
  const waitMs = durationToMs(`"static resumeWait"`, resumeWait);
  const retry = { waitMs, queue: undefined, priority: undefined, inPlace: false, exceptionExecutions };
  return interrupt === undefined ? { kind: "retry", error: thrown, retry } : { kind: "interrupted", interrupt, retry };
}
