/**
 * The topic of worker reports: one for each App. The key of a record is a worker, and its newest record is all that is known
 * of it, so that compaction may remove the others.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { fullName, type Naming, type Route } from "./route.ts";

/**
 * Returns the full name of the topic of an App.
 *
 * @param routes the topics of its jobs
 * @throws {InvalidConfigurationError} if a topic of jobs or dead letters has this name
 */
export function workersTopicOf(appName: string, routes: readonly Route[], naming: Naming): string {
  const name = fullName(`${appName}_workers`, naming);
  if (routes.every(({ topic, deadLetterQueue }) => topic !== name && deadLetterQueue?.topic !== name)) return name;
  throw new InvalidConfigurationError(
    `Topic "${name}" cannot be declared: workers report there. Rename it, or set the option "reports" to false`,
  );
}

/**
 * The settings of the topic. The broker's clock dates the records, since those of the workers differ. A worker that was killed
 * leaves its last record behind, which goes after an hour; the short segments let Kafka delete and compact at all.
 */
export const WORKERS_TOPIC_CONFIG: Readonly<Record<string, string>> = {
  "cleanup.policy": "compact,delete",
  "retention.ms": "3600000",
  "segment.ms": "600000",
  "segment.bytes": "67108864",
  "min.cleanable.dirty.ratio": "0.1",
  "delete.retention.ms": "3600000",
  "message.timestamp.type": "LogAppendTime",
};
