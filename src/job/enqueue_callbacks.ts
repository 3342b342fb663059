/** The callbacks around the enqueuing of one job. */
import type { Monitor } from "../monitor/monitor.ts";
import { runCallbacks } from "./callbacks.ts";
import { jobNameOf } from "./class_name.ts";
import type { Callback } from "./declarations.ts";
import { DELIVERY, Delivery } from "./delivery.ts";
import type { Job, JobClass } from "./job.ts";
import { describeQueue } from "./placement.ts";

/**
 * Enqueues a job with its callbacks. A job that they halt has the status `"halted"`.
 *
 * @param enqueue enqueues the job
 * @returns the job
 * @throws whatever a callback or `enqueue` throws
 */
export async function enqueueWithCallbacks<J extends Job>(
  callbacks: readonly Callback[],
  job: J,
  monitor: Monitor,
  enqueue: () => Promise<J>,
): Promise<J> {
  const { isHalted } = await runCallbacks(callbacks, job, enqueue);
  if (!isHalted) return job;
  const Class = job.constructor as JobClass;
  const delivery = job.status === "new" ? job[DELIVERY] ??= new Delivery() : job[DELIVERY] = new Delivery();
  delivery.halt(jobNameOf(Class), "a callback halted it");
  monitor.emit("job.enqueue_halted", { jobClass: jobNameOf(Class), jobId: job.jobId, queue: describeQueue(job) });
  return job;
}
