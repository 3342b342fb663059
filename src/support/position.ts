/**
 * Positions in a log, and their format: `orders/3` is a partition, `orders/3@42` a record in it. Log lines, errors and events
 * print this format, and the command line reads it.
 */

/** A partition of a topic. */
export interface TopicPartition {
  /** The topic's full name. */
  readonly topic: string;
  /** The partition's number, from 0. */
  readonly partition: number;
}

/** The position of one record. */
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
 * Formats the position of a record.
 *
 * @returns for example `"orders/3@42"`
 */
export function formatPosition({ topic, partition, offset }: Position): string {
  return `${topic}/${partition}@${offset}`;
}
