/**
 * The call of a job's `perform`, in steps:
 *
 * 1. The fields of the instance are set (`prepareJob`).
 * 2. Its arguments are deserialized; the objects of GlobalIDs are found meanwhile.
 * 3. They must fit the schema of its class.
 * 4. `perform` is called inside of the callbacks of its class, unless the job was cancelled until then.
 *
 * All of it is part of the run: an error is the job's, and the error handlers of its class are asked.
 */
import { SchemaError } from "../../errors.ts";
import { runCallbacks } from "../../job/callbacks.ts";
import { SOURCE } from "../../job/carried.ts";
import { type JobPlan, planOf } from "../../job/declarations.ts";
import type { EnvelopeCodec } from "../../job/envelope.ts";
import type { Job, JobClass } from "../../job/job.ts";
import { type JobRun, RUN } from "../../job/run.ts";
import { applySchema } from "../../job/schema.ts";
import { queueOf, type RunFacts } from "./job_info.ts";
import { HALTED } from "./outcome.ts";

/** A run, as far as the call depends on it. */
export interface PerformingRun extends RunFacts, Pick<JobRun, "steps"> {
  readonly Class: JobClass;
  /**
   * Set if its arguments do not fit, so that no run can perform it. Another job that this one performs may throw such an
   * error, too: that says nothing of this one.
   */
  schemaError: SchemaError | undefined;
  /** Throws if the job was cancelled. */
  throwIfCancelled(): void;
}

/** Sets the fields of an instance. */
export function prepareJob(job: Job, run: PerformingRun & JobRun): void {
  const { envelope } = run;
  job[SOURCE] = envelope;
  job.args = envelope.arguments as unknown[];
  job.jobId = run.jobId;
  job.queueName = queueOf(run);
  job.priority = envelope.priority;
  job.executions = run.executions;
  job.attempt = run.number;
  job.enqueuedAt = envelope.enqueuedAt;
  if (envelope.scheduledAtMs !== null) job.scheduledAt = new Date(envelope.scheduledAtMs);
  job[RUN] = run;
}

/**
 * Performs a prepared job.
 *
 * @returns whatever its `perform` returns, or a promise of `HALTED` if a callback halted it
 * @throws {SchemaError} if the arguments do not fit; and whatever the job throws
 */
export function performJob(job: Job, run: PerformingRun, codec: EnvelopeCodec): unknown {
  const args = codec.deserializeArguments(run.envelope);
  return args instanceof Promise ? args.then((found) => performWith(job, found, run)) : performWith(job, args, run);
}

function performWith(job: Job, args: readonly unknown[], run: PerformingRun): unknown {
  job.args = args as unknown[];
  const plan = planOf(run.Class);
  const checked = checkArguments(args, run);
  return plan.perform.length === 0
    ? performUnlessCancelled(job, checked, run)
    : performWithCallbacks(plan, job, checked, run);
}

function checkArguments(args: readonly unknown[], run: PerformingRun): readonly unknown[] {
  try {
    return applySchema(run.Class, args);
  } catch (error) {
    if (error instanceof SchemaError) run.schemaError = error;
    throw error;
  }
}

/** It may have been cancelled while its arguments were found, or its callbacks ran. */
function performUnlessCancelled(job: Job, args: readonly unknown[], run: PerformingRun): unknown {
  run.throwIfCancelled();
  return job.perform(...args);
}

async function performWithCallbacks(
  plan: JobPlan,
  job: Job,
  args: readonly unknown[],
  run: PerformingRun,
): Promise<unknown> {
  const { isHalted } = await runCallbacks(plan.perform, job, async () => {
    await performUnlessCancelled(job, args, run);
    if (run.steps?.interrupt !== undefined) throw run.steps.interrupt;
  });
  return isHalted ? HALTED : undefined;
}
