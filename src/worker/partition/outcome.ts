/** The outcome of an attempt, and the decision of a job's class on an error. */
import type { SchemaError } from "../../errors.ts";
import type { JobPlan } from "../../job/declarations.ts";
import { type ErrorOutcome, handleError } from "../../job/error_handlers.ts";
import type { JobState } from "../../job/job_state.ts";
import { decideResume, type InterruptOutcome } from "../../job/resume.ts";

/**
 * The outcome of an attempt. `halted`: a callback ended the job before its `perform`. `cancelled`: an operator has cancelled
 * the job, and it did not pass.
 */
export type Outcome =
  | { readonly kind: "passed" | "halted" | "cancelled" }
  | InterruptOutcome
  | ErrorOutcome
  | PoisonOutcome;

/** The job can never be performed: its arguments do not fit the schema of its class. */
interface PoisonOutcome {
  readonly kind: "poison";
  readonly error: SchemaError;
}

/** Outcomes without data: one object for all jobs. */
export const PASSED: Outcome = { kind: "passed" };
export const HALTED: Outcome = { kind: "halted" };
export const CANCELLED: Outcome = { kind: "cancelled" };

/** Returns the outcome of an error on which the class of the job is not asked. */
export function failed(error: unknown): Outcome {
  return { kind: "failed", error, isFinal: false };
}

/** Decides what follows an error of a job: it goes on where it was, or the error handlers of its class are asked. */
export async function decideOutcome(
  plan: JobPlan,
  job: JobState,
  thrown: unknown,
): Promise<InterruptOutcome | ErrorOutcome> {
  const resume = resumeOf(job, thrown);
  if (resume !== null && resume.kind !== "error") return resume;
  return await handleError(plan, job, resume === null ? thrown : resume.error);
}

/** The statics that it reads may be getters of the user's class, and throw. */
function resumeOf(job: JobState, thrown: unknown): ReturnType<typeof decideResume> {
  try {
    return decideResume(job, thrown);
  } catch (error) {
    return { kind: "error", error };
  }
}
