/**
 * Decides what follows an error of a job, as its class declares it. The handlers are asked for the error, then for its cause, and so
 * on: the first that names a class of it decides.
 */
import { isErrorOf } from "../errors.ts";
import type { ErrorHandler, JobPlan, RetryHandler } from "./declarations.ts";
import type { JobState } from "./job_state.ts";

/** The consequence of an error. */
export type ErrorOutcome =
  /** The job ends: it was discarded, or a function of the user has handled the error. */
  | { readonly kind: "discarded" | "rescued"; readonly error: unknown }
  /** The job runs again. */
  | { readonly kind: "retry"; readonly error: unknown; readonly retry: Retry }
  /** No run is left, and a function of the user was called: the job ends. */
  | { readonly kind: "exhausted"; readonly error: unknown }
  /** The worker's policy decides. `isFinal`: no further run is wanted. */
  | { readonly kind: "failed"; readonly error: unknown; readonly isFinal: boolean };

/** The next run of a job. */
export interface Retry {
  readonly waitMs: number;
  readonly queue: string | undefined;
  readonly priority: number | null | undefined;
  readonly inPlace: boolean;
  /** The counters of the runs, for the next envelope. */
  readonly exceptionExecutions: Readonly<Record<string, number>>;
}

/**
 * Decides what follows an error, and calls the functions that the class declared for it. An error that these throw takes the
 * place of the job's own.
 */
export async function handleError(plan: JobPlan, job: JobState, thrown: unknown): Promise<ErrorOutcome> {
  try {
    const found = findHandler(plan.errorHandlers, thrown);
    if (found === undefined) return { kind: "failed", error: thrown, isFinal: false };
    const { handler, error } = found;
    switch (handler.kind) {
      case "retry":
        return await retryOrStop(handler, job, error, thrown);
      case "discard":
        await handler.block?.(job, error);
        return { kind: "discarded", error };
      case "rescue":
        await handler.block(job, error);
        return { kind: "rescued", error };
    }
  } catch (another) {
    return { kind: "failed", error: another, isFinal: false };
  }
}

/**
 * Calls what was declared with `afterDiscard`: the job is given up. A function that throws does not keep the others from it.
 *
 * @throws what the last of them threw that threw
 */
export async function callAfterDiscard({ afterDiscard }: JobPlan, job: JobState, error: unknown): Promise<void> {
  // An object, since any value can be thrown, also `undefined`.
  let failure: { readonly thrown: unknown } | undefined;
  for (const block of afterDiscard) {
    try {
      await block(job, error);
    } catch (thrown) {
      failure = { thrown };
    }
  }
  if (failure !== undefined) throw failure.thrown;
}

/** Finds the handler of an error, or else of its cause. @returns the error that it names, too */
function findHandler(
  handlers: readonly ErrorHandler[],
  thrown: unknown,
): { readonly handler: ErrorHandler; readonly error: unknown } | undefined {
  const seen = new Set<unknown>();
  for (let error = thrown; error !== undefined && !seen.has(error); error = causeOf(error)) {
    seen.add(error);
    const handler = handlers.find(({ errors }) => errors.some((Class) => isErrorOf(error, Class)));
    if (handler !== undefined) return { handler, error };
  }
  return undefined;
}

function causeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null ? (error as { cause?: unknown }).cause : undefined;
}

async function retryOrStop(
  handler: RetryHandler,
  job: JobState,
  error: unknown,
  thrown: unknown,
): Promise<ErrorOutcome> {
  const counted = job.exceptionExecutions[handler.counter] ?? 0;
  // The envelope of a record that runs in place again stays as it is: its runs are counted by the worker.
  const runs = counted + (handler.inPlace ? Math.max(job.attempt, 1) : 1);
  if (runs < handler.maxRuns) {
    const { queue, priority, inPlace } = handler;
    const exceptionExecutions = { ...job.exceptionExecutions, [handler.counter]: runs };
    const waitMs = handler.waitMs(runs, error);
    return { kind: "retry", error, retry: { waitMs, queue, priority, inPlace, exceptionExecutions } };
  }
  if (handler.exhausted === undefined) return { kind: "failed", error: thrown, isFinal: true };
  await handler.exhausted(job, error);
  return { kind: "exhausted", error };
}
