/** `performNow` for classes that declare callbacks or error handlers. */
import { EnqueueError } from "../errors.ts";
import { runCallbacks } from "./callbacks.ts";
import type { JobPlan } from "./declarations.ts";
import { callAfterDiscard, handleError } from "./error_handlers.ts";
import type { JobState } from "./job_state.ts";
import { enqueueRetry } from "./retry.ts";
import { RUN } from "./run.ts";

/**
 * Performs a job at once.
 *
 * @param args the arguments for `perform`, which a schema may have converted
 * @returns the result of `perform`; `undefined` if the job was halted, or its error was handled
 * @throws an error that no handler handles
 */
export async function performWithPlan(plan: JobPlan, job: JobState, args: readonly unknown[]): Promise<unknown> {
  try {
    const outcome = await runCallbacks(plan.perform, job, () => job.perform(...args));
    await job[RUN]?.settled();
    return outcome.isHalted ? undefined : outcome.value;
  } catch (thrown) {
    const outcome = await handleError(plan, job, thrown);
    if (outcome.kind === "failed") {
      await callAfterDiscard(plan, job, outcome.error);
      throw outcome.error;
    }
    if (outcome.kind === "discarded" || outcome.kind === "exhausted") await callAfterDiscard(plan, job, outcome.error);
    if (outcome.kind === "retry") {
      const isHalted = await enqueueRetry(job, outcome.retry).catch((refused: Error) => {
        const written = refused instanceof EnqueueError ? refused.written : "no";
        throw new EnqueueError(`Cannot retry ${job}: ${refused.message}`, { written, cause: thrown });
      });
      if (isHalted) await callAfterDiscard(plan, job, outcome.error);
    }
    return undefined;
  }
}
