/** The recurring jobs of an App: checked when the App is made, and prepared for its schedulers. */
import { recordOf } from "../dispatch/job_record.ts";
import { describeError, InvalidConfigurationError } from "../errors.ts";
import { jobNameOf } from "../job/class_name.ts";
import type { EnvelopeCodec } from "../job/envelope.ts";
import type { Job, JobClass } from "../job/job.ts";
import { applyPriority, queueOf } from "../job/placement.ts";
import type { JobRegistry } from "../job/registry.ts";
import { createTickJob, isRecurringDefinition, type RecurringDefinition } from "../recurring/definition.ts";
import type { Routes } from "../routing/route.ts";
import type { RecurringOptions } from "../scheduler/recurring/context.ts";
import { runInRootContext } from "../support/root_context.ts";
import { didYouMean, show } from "../support/validation.ts";
import type { ResolvedOptions } from "./options.ts";

/** The parts of an App that its recurring jobs need. */
export interface RecurringParts {
  readonly options: Pick<ResolvedOptions, "name" | "recurring" | "undeclaredQueues">;
  readonly registry: JobRegistry;
  readonly routes: Routes;
  readonly codec: EnvelopeCodec;
}

/**
 * Checks the recurring jobs of an App.
 *
 * @throws {InvalidConfigurationError} for anything but the result of `every`, for an id that is there twice, and for a job that
 * can never be enqueued: its class or its topic is not listed, or an argument cannot be written
 */
export function checkRecurring(parts: RecurringParts): void {
  const ids = new Set<string>();
  for (const definition of parts.options.recurring) {
    if (!isRecurringDefinition(definition)) {
      throw new InvalidConfigurationError(
        `${show(definition)} in "recurring" is not a recurring job: make it with every() of "@activejob/kafka/recurring"`,
      );
    }
    const { id } = definition;
    if (ids.has(id)) {
      throw new InvalidConfigurationError(
        `Two recurring jobs have the id ${show(id)}: give one of them another "id" in every()`,
      );
    }
    ids.add(id);
    checkJob(definition, parts);
  }
}

function checkJob(definition: RecurringDefinition, { options, registry, routes, codec }: RecurringParts): void {
  const prefix = `Recurring job ${show(definition.id)}`;
  const job = createTickJob(definition, 0);
  const Class = job.constructor as JobClass;
  if (!registry.classes.has(Class)) {
    const name = jobNameOf(Class);
    throw new InvalidConfigurationError(
      `${prefix} has the class ${show(name)}, which is not in "jobs"${didYouMean(name, registry.names())}`,
    );
  }
  const queue = queueOf(job);
  const topic = routes.topicOf(queue);
  if (routes.find(topic) === undefined && options.undeclaredQueues === "error") {
    throw new InvalidConfigurationError(`${prefix} cannot be enqueued: ${routes.undeclared(queue)}`);
  }
  try {
    recordOf(job, topic, codec, routes.find(topic)?.maxPayloadBytes ?? Infinity);
  } catch (error) {
    throw new InvalidConfigurationError(`${prefix}: ${describeError(error).message}`, { cause: error });
  }
}

/** The further parts that schedulers need. */
export interface RecurringSchedulerParts extends Omit<RecurringParts, "registry"> {
  /** Enqueues a job, until it is acknowledged. */
  readonly enqueue: (job: Job) => Promise<Job>;
}

/** Returns the recurring jobs of an App as its schedulers use them. */
export function recurringOptions({ options, routes, codec, enqueue }: RecurringSchedulerParts): RecurringOptions {
  const topicOf = (job: Job) => routes.topicOf(queueOf(job));
  return {
    definitions: options.recurring,
    targetOf(job) {
      applyPriority(job);
      const topic = topicOf(job);
      return { jobClass: jobNameOf(job.constructor as JobClass), topic, record: recordOf(job, topic, codec, Infinity) };
    },
    groupOf: (topic) => routes.find(topic)?.group ?? options.name,
    describe(definition) {
      const job = createTickJob(definition, 0);
      applyPriority(job);
      return codec.write(job, topicOf(job));
    },
    // Outside of every scope: the job has no current attributes of the code that started the worker.
    enqueue: (job) => new Promise((resolve, reject) => runInRootContext(() => enqueue(job).then(resolve, reject))),
  };
}
