/** The recurring jobs of an App, prepared for its schedulers. */
import { recordOf } from "../dispatch/job_record.ts";
import { jobNameOf } from "../job/class_name.ts";
import type { Job, JobClass } from "../job/job.ts";
import { applyPriority, queueOf } from "../job/placement.ts";
import { createTickJob } from "../recurring/definition.ts";
import type { RecurringOptions } from "../scheduler/recurring/context.ts";
import { runInRootContext } from "../support/root_context.ts";
import type { AppParts } from "./app_parts.ts";

/** Returns the recurring jobs of an App as its schedulers use them. */
export function recurringOptions({ options, routes, codec, enqueue }: AppParts): RecurringOptions {
  const topicOf = (job: Job) => routes.topicOf(queueOf(job));
  return {
    definitions: options.recurring,
    targetOf(job) {
      applyPriority(job);
      const topic = topicOf(job);
      const nowMs = options.clock.nowMs();
      return {
        jobClass: jobNameOf(job.constructor as JobClass),
        topic,
        record: recordOf(job, topic, codec, Infinity, nowMs),
      };
    },
    groupOf: (topic) => routes.find(topic)?.group ?? options.name,
    describe(definition) {
      const job = createTickJob(definition, 0);
      applyPriority(job);
      return codec.describe(job, topicOf(job));
    },
    // Outside of every scope: the job has no current attributes of the code that started the worker.
    enqueue: (job) => new Promise((resolve, reject) => runInRootContext(() => enqueue(job).then(resolve, reject))),
  };
}
