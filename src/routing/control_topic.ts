/**
 * The topic in which an operator's orders are kept: one for each App, with one partition. Compaction keeps of it what holds
 * now: the paused topics, and the cancelled jobs.
 */

/** The only partition that is written and read: the records of it have one order. */
export const CONTROL_PARTITION = 0;

/**
 * The settings of the topic. Segments are short, since Kafka compacts only closed ones; a tombstone stays for a day, in
 * which each worker reads it.
 */
export const CONTROL_TOPIC_CONFIG: Readonly<Record<string, string>> = {
  "cleanup.policy": "compact",
  "segment.ms": "3600000",
  "delete.retention.ms": "86400000",
};
