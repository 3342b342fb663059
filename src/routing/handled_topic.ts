/**
 * The topic in which the handling of dead letters is marked: one for each dead letter topic. Compaction keeps the last marker
 * of each dead letter.
 */

/** Returns the full name of the topic that marks the dead letters of a topic as handled. */
export function handledTopicName(deadLetterTopic: string): string {
  return `${deadLetterTopic}_handled`;
}

/** The settings of the topic. A marker lives as long as the topic: a dead letter that is in the log must stay marked. */
export const HANDLED_TOPIC_CONFIG: Readonly<Record<string, string>> = { "cleanup.policy": "compact" };
