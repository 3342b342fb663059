/** Makes the part of a worker that releases delayed jobs, and checks the topic in which they wait. */
import type { Broker } from "../broker/broker.ts";
import { planOf } from "../job/declarations.ts";
import type { JobClass } from "../job/job.ts";
import { reasonNotToSchedule, schedulerGroup } from "../routing/scheduled_topic.ts";
import { lazyImport } from "../support/root_context.ts";
import type { WorkerScheduler } from "../worker/scheduler.ts";
import type { AppParts } from "./app_parts.ts";
import { recurringOptions } from "./recurring.ts";

/**
 * Makes the scheduler of one worker.
 *
 * @param isRecurring whether recurring jobs are enqueued: a test does that itself
 */
export async function createScheduler(
  broker: Broker,
  parts: AppParts,
  isRecurring: boolean,
): Promise<WorkerScheduler> {
  const { options, routes, topics: { scheduled: topic }, dispatcher, monitor } = parts;
  const { name, clock, maxDelayMs, maxBufferedBytes, undeclaredQueues } = options;
  await checkScheduledTopic(broker, parts);
  const { Scheduler } = await lazyImport(() => import("../scheduler/scheduler.ts"));
  return new Scheduler({
    broker,
    group: schedulerGroup(name),
    topic,
    clock,
    maxDelayMs,
    maxPayloadBytes: routes.maxPayloadBytes,
    maxValueBytes: maxBufferedBytes / 4,
    monitor,
    recurring: isRecurring ? recurringOptions(parts) : undefined,
    // A file of SQLite keeps the order of its transactions: after a power failure no tombstone is there without its release.
    append: (topic, record) => dispatcher.append(topic, record, false),
    findTarget: (target) => {
      const route = routes.find(target);
      if (route !== undefined) return { deadLetterTopic: route.deadLetterQueue?.topic ?? null };
      return undeclaredQueues === "warn" && target !== topic ? { deadLetterTopic: null } : undefined;
    },
  });
}

/** Reports that no job can wait, if a class says that its jobs do, or a job recurs. A worker starts all the same. */
async function checkScheduledTopic(
  broker: Broker,
  { options: { recurring }, registry, topics: { scheduled: topic }, monitor }: AppParts,
): Promise<void> {
  const declaresWait = (Class: JobClass) =>
    planOf(Class).errorHandlers.some((handler) => handler.kind === "retry" && !handler.inPlace);
  if (recurring.length === 0 && !Array.from(registry.classes).some(declaresWait)) return;
  const found = (await broker.admin.describe([topic])).get(topic);
  const reason = found == null ? 'it does not exist; create it with "topics apply"' : reasonNotToSchedule(found.config);
  if (reason !== null) monitor.reportError("start", new Error(`No job can wait in topic "${topic}": ${reason}`));
}
