/**
 * `performAllLater`: many jobs at once. Each App gets its own jobs in one call; what became of a job stands on the job.
 */
import { isJob, type Job, noJob } from "./job.ts";
import { runtimeOf } from "./runtime.ts";

/**
 * Enqueues several jobs at once, of any classes, each with its own `set`.
 *
 * It does not reject for a job that could not be enqueued: that stands on the job, as `enqueued` and `enqueueError`, and
 * the others go on.
 *
 * @param jobs jobs made by `of`
 * @returns the same jobs, each enqueued or with its `enqueueError`
 * @throws {InvalidConfigurationError} for what is no job, such as a class, and if no App lists one of the classes, or several do
 *
 * @example
 * ```ts
 * import { activeJobTopic, App, Job, performAllLater } from "@activejob/kafka";
 * import { assertEquals } from "@std/assert";
 *
 * class WelcomeJob extends Job {
 *   perform(_userId: number) {}
 * }
 *
 * await using app = new App({
 *   name: "shop",
 *   broker: "memory:",
 *   jobs: [WelcomeJob],
 *   topics: [activeJobTopic("default")],
 * });
 * const jobs = await performAllLater([WelcomeJob.of(1), WelcomeJob.of(2)]);
 * assertEquals(jobs.map((job) => job.enqueued), [true, true]);
 * ```
 */
export async function performAllLater<const Jobs extends readonly Job[]>(
  jobs: Jobs,
): Promise<{ -readonly [K in keyof Jobs]: Jobs[K] }> {
  for (const job of jobs) if (!isJob(job)) throw noJob("performAllLater()", job);
  const byRuntime = Map.groupBy(jobs, (job) => runtimeOf(job.constructor as new () => Job));
  await Promise.all(Array.from(byRuntime, ([runtime, group]) => runtime.enqueueAll(group)));
  return [...jobs] as { -readonly [K in keyof Jobs]: Jobs[K] };
}
