/** `performAllLater`: enqueues many jobs at once. Each App gets its own jobs in one call. */
import type { Job } from "./job.ts";
import { assertJobs } from "./job_checks.ts";
import { runtimeOf } from "./runtime.ts";

/**
 * Enqueues several jobs at once, of any classes, each with its own `set`.
 *
 * It does not reject for a job that could not be enqueued: `job.enqueued` is `false` and `job.enqueueError` says why, and
 * the others are enqueued. It resolves once all are buffered, or acknowledged for classes with `produceManySync`.
 *
 * @param jobs jobs made by `of`
 * @returns the same jobs, each enqueued or with its `enqueueError`
 * @throws {InvalidConfigurationError} if `jobs` is not an array of jobs made by `of`, and if not exactly one App lists a class
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
  assertJobs("performAllLater()", jobs);
  const byRuntime = Map.groupBy(jobs, (job) => runtimeOf(job.constructor as new () => Job));
  await Promise.all(Array.from(byRuntime, ([runtime, group]) => runtime.enqueueAll(group)));
  return [...jobs] as { -readonly [K in keyof Jobs]: Jobs[K] };
}
