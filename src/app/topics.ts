/**
 * The topics of an App on its broker: compares the declared topics with the existing ones, creates missing topics, and adds
 * partitions (`topics apply`). It changes nothing else: other differences are only reported.
 */
import type { Broker } from "../broker/broker.ts";
import { UnknownTopicError } from "../errors.ts";
import type { Route } from "../routing/route.ts";
import { HANDLED_TOPIC_CONFIG, handledTopicName } from "../routing/handled_topic.ts";
import { CONTROL_TOPIC_CONFIG } from "../routing/control_topic.ts";
import { SCHEDULED_TOPIC_CONFIG } from "../routing/scheduled_topic.ts";
import { WORKERS_TOPIC_CONFIG } from "../routing/workers_topic.ts";
import type { ScheduledTopicOptions } from "./options.ts";

/** The result of `topics apply` for one topic. */
export interface TopicChange {
  /** The topic's full name. */
  readonly topic: string;
  /** The change that was made. */
  readonly action: "created" | "partitions_added" | "unchanged";
  /** Differences that stay, such as `"retention.ms is 1000, declared is 604800000"`. */
  readonly differences: readonly string[];
}

/** A topic that an App needs. */
interface WantedTopic {
  readonly name: string;
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
  readonly config: Readonly<Record<string, string>>;
}

const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

/** The topics of an App, or of a part of it. */
export interface AppTopics {
  readonly routes: readonly Route[];
  /** The topic in which delayed jobs wait. */
  readonly scheduled: { readonly topic: string } & ScheduledTopicOptions;
  /** The topic in which workers report; `null` for none. */
  readonly workers: string | null;
  /** The control topic; `null` if the App has none. */
  readonly control: string | null;
}

/** Returns the topics of these routes, then dead letter topics with their markers, and those of the App itself last. */
function wantedTopics({ routes, scheduled, control, workers }: AppTopics): WantedTopic[] {
  const wanted = new Map<string, WantedTopic>();
  for (const { topic, declared } of routes) {
    const { partitions, replicationFactor, retentionMs = WEEK_MS, config } = declared;
    wanted.set(topic, {
      name: topic,
      partitions,
      replicationFactor,
      config: { "retention.ms": String(retentionMs), ...config },
    });
  }
  for (const { deadLetterQueue, declared } of routes) {
    if (deadLetterQueue === null || wanted.has(deadLetterQueue.topic)) continue;
    const { replicationFactor } = declared;
    wanted.set(deadLetterQueue.topic, {
      name: deadLetterQueue.topic,
      partitions: undefined,
      replicationFactor,
      // An operator has to look at dead letters before they go.
      config: { "retention.ms": "-1" },
    });
    const markers = handledTopicName(deadLetterQueue.topic);
    if (wanted.has(markers)) continue;
    wanted.set(markers, { name: markers, partitions: 1, replicationFactor, config: HANDLED_TOPIC_CONFIG });
  }
  const { topic, partitions, replicationFactor } = scheduled;
  if (!wanted.has(topic)) {
    wanted.set(topic, { name: topic, partitions, replicationFactor, config: SCHEDULED_TOPIC_CONFIG });
  }
  if (workers !== null && !wanted.has(workers)) {
    wanted.set(workers, { name: workers, partitions: 1, replicationFactor, config: WORKERS_TOPIC_CONFIG });
  }
  if (control !== null && !wanted.has(control)) {
    wanted.set(control, { name: control, partitions: 1, replicationFactor, config: CONTROL_TOPIC_CONFIG });
  }
  return [...wanted.values()];
}

/** Creates missing topics and adds partitions. Those of the topic of delayed jobs decide where a job waits: they stay. */
export async function applyTopics(broker: Broker, topics: AppTopics): Promise<TopicChange[]> {
  const wanted = wantedTopics(topics);
  const found = await broker.admin.describe(wanted.map(({ name }) => name));
  const missing = wanted.filter(({ name }) => found.get(name) == null);
  if (missing.length > 0) {
    await broker.admin.create(missing.map(({ name, partitions, replicationFactor, config }) => ({
      name,
      config,
      ...(partitions === undefined ? {} : { partitions }),
      ...(replicationFactor === undefined ? {} : { replicationFactor }),
    })));
  }
  const changes: TopicChange[] = [];
  for (const topic of wanted) {
    const there = found.get(topic.name);
    if (there == null) {
      changes.push({ topic: topic.name, action: "created", differences: [] });
      continue;
    }
    const differences = differencesOf(topic, there.config);
    const { name, partitions = there.partitions } = topic;
    const more = partitions > there.partitions && name !== topics.scheduled.topic;
    if (more) await addPartitions(broker, name, partitions);
    else if (partitions !== there.partitions) {
      differences.push(`it has ${there.partitions} partitions, declared are ${partitions}`);
    }
    changes.push({ topic: topic.name, action: more ? "partitions_added" : "unchanged", differences });
  }
  return changes;
}

/** Adds partitions up to a count. Another process that starts at the same moment may be first: that is not an error. */
async function addPartitions(broker: Broker, topic: string, count: number): Promise<void> {
  try {
    await broker.admin.addPartitions(topic, count);
  } catch (error) {
    const now = (await broker.admin.describe([topic])).get(topic)?.partitions ?? 0;
    if (now < count) throw error;
  }
}

function differencesOf(topic: WantedTopic, config: ReadonlyMap<string, string>): string[] {
  const differences: string[] = [];
  for (const [name, value] of Object.entries(topic.config)) {
    const there = config.get(name);
    if (there !== undefined && there !== value) differences.push(`${name} is ${there}, declared is ${value}`);
  }
  return differences;
}

/**
 * Checks that the topics of a worker exist.
 *
 * @returns the missing dead letter topics: a worker starts without them
 * @throws {UnknownTopicError} if a topic of jobs does not exist
 */
export async function checkTopics(broker: Broker, topics: AppTopics): Promise<string[]> {
  const { routes } = topics;
  const needed = routes.flatMap(({ topic, deadLetterQueue }) => [topic, deadLetterQueue?.topic ?? topic]);
  const wanted = wantedTopics(topics).map(({ name }) => name).filter((name) => needed.includes(name));
  const found = await broker.admin.describe(wanted);
  const jobTopics = new Set(routes.map(({ topic }) => topic));
  const missing = wanted.filter((name) => found.get(name) == null);
  const missingJobTopics = missing.filter((name) => jobTopics.has(name));
  if (missingJobTopics.length > 0) {
    const [noun, pronoun] = missingJobTopics.length === 1 ? ["topic", "it"] : ["topics", "them"];
    const names = missingJobTopics.map((name) => `"${name}"`).join(", ");
    throw new UnknownTopicError(
      `The broker has no ${noun} ${names}: create ${pronoun} with "topics apply", or start the worker with --create-topics`,
    );
  }
  return missing;
}

/**
 * Finds groups that are not this App's and have committed offsets in a topic of its jobs.
 *
 * @returns their names by topic; topics without such groups are left out
 */
export async function findOtherGroups(
  broker: Broker,
  routes: readonly Route[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const own = new Set(routes.map(({ group }) => group));
  const groups = await broker.admin.groups(routes.map(({ topic }) => topic));
  const others = Array.from(groups, ([topic, names]) => [topic, names.filter((name) => !own.has(name))] as const);
  return new Map(others.filter(([, names]) => names.length > 0));
}
