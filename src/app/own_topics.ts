/** The topics that an App has for itself, beside those of its jobs and dead letters. */
import { InvalidConfigurationError } from "../errors.ts";
import { fullName, type Routes } from "../routing/route.ts";
import { scheduledTopicOf } from "../routing/scheduled_topic.ts";
import { workersTopicOf } from "../routing/workers_topic.ts";
import type { ResolvedOptions } from "./options.ts";

/** The full names of these topics. */
export interface OwnTopics {
  /** The topic in which delayed jobs wait. */
  readonly scheduled: string;
  /** The topic in which workers report; `null` for none. */
  readonly workers: string | null;
  /** The control topic. It has a name also if the App has no control: a message says how to create it. */
  readonly control: string;
}

/**
 * Names the topics of an App for itself.
 *
 * @throws {InvalidConfigurationError} if a topic of jobs or dead letters has the name of one
 */
export function nameOwnTopics(options: ResolvedOptions, routes: Routes): OwnTopics {
  return {
    scheduled: nameScheduledTopic(options, routes),
    workers: options.reports ? workersTopicOf(options.name, routes.all(), options) : null,
    control: fullName(`${options.name}_control`, options),
  };
}

function nameScheduledTopic(options: ResolvedOptions, routes: Routes): string {
  const topic = scheduledTopicOf(options.name, options.scheduledTopic.name, options);
  if (routes.find(topic) === undefined) return topic;
  throw new InvalidConfigurationError(`Topic "${topic}" cannot be the "scheduledTopic": jobs are performed from there`);
}
