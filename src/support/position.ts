/**
 * Places in a log, and their one spelling: `orders/3` is a partition, `orders/3@42` a record in it. The command line reads
 * the same spelling that log lines, errors and events print.
 */

/** A partition of a topic. */
export interface TopicPartition {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
}

/** The place of one record. */
export interface Position extends TopicPartition {
  /** The record's offset, from 0. */
  readonly offset: number;
}

/**
 * Formats a partition.
 *
 * @returns for example `"orders/3"`
 */
export function formatPartition({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/**
 * Formats the place of a record.
 *
 * @returns for example `"orders/3@42"`
 */
export function formatPosition({ topic, partition, offset }: Position): string {
  return `${topic}/${partition}@${offset}`;
}
