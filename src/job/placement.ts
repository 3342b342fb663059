/** The queue and the priority of a job, where its class gives them by functions of the job. */
import { InvalidConfigurationError } from "../errors.ts";
import { describeType, topicName } from "../support/validation.ts";
import type { JobState, JobStateClass } from "./job_state.ts";

/**
 * Returns the queue of a job. A function of its class is called once: its result stays in the job.
 *
 * @throws {InvalidConfigurationError} if the function returns no name of a topic
 */
export function queueOf(job: JobState): string {
  if (job.queueName !== undefined) return job.queueName;
  const { queue } = job.constructor as JobStateClass;
  if (typeof queue === "string") return queue;
  return job.queueName = checked(job, "queue", queue(job), topicName);
}

/** Returns the queue of a job for people, without calling a function of its class. */
export function describeQueue(job: JobState): string {
  const { queue } = job.constructor as JobStateClass;
  return job.queueName ?? (typeof queue === "string" ? queue : "a queue that its class computes");
}

/** Checks a priority. */
export const priorityCheck = (value: unknown): string | null =>
  value === null || Number.isSafeInteger(value) ? null : "an integer or null";

/**
 * Gives a job the priority of its class, unless it has one.
 *
 * @throws {InvalidConfigurationError} if the function of its class does not return an integer or null
 */
export function applyPriority(job: JobState): void {
  const { priority } = job.constructor as JobStateClass;
  if (priority === null || job.priority !== null) return;
  job.priority = typeof priority === "number" ? priority : checked(job, "priority", priority(job), priorityCheck);
}

function checked<T>(job: JobState, name: string, value: T, check: (value: unknown) => string | null): T {
  const wanted = check(value);
  if (wanted === null) return value;
  const Class = (job.constructor as { readonly name?: string }).name;
  throw new InvalidConfigurationError(
    `"static ${name}" of ${Class} must return ${wanted}, but it returned ${describeType(value)}`,
  );
}
