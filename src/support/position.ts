/**
 * Positions in a log, and their format: `orders/3` is a partition, `orders/3@42` a record in it. Log lines, errors and events
 * print this format, and the command line reads it.
 */
import { InvalidConfigurationError } from "../errors.ts";
import { show } from "./validation.ts";

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

/**
 * Parses the position of a record.
 *
 * @param text for example `"orders/3@42"`
 * @returns `null` for any other string
 */
export function parsePosition(text: string): Position | null {
  const [, topic, partition, offset] = /^(.+)\/(\d{1,9})@(\d{1,16})$/.exec(text) ?? [];
  if (topic === undefined || !Number.isSafeInteger(Number(offset))) return null;
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/**
 * Checks that a value is the position of a record.
 *
 * @param caller the function that needs it, for the message, such as `"app.skip()"`
 * @throws {InvalidConfigurationError} for any other value
 */
export function assertPosition(caller: string, value: unknown): asserts value is Position {
  const { topic, partition, offset } = (value ?? {}) as Partial<Position>;
  if (typeof topic === "string" && isCount(partition) && isCount(offset)) return;
  throw new InvalidConfigurationError(
    `${caller} needs a position such as { topic: "orders", partition: 3, offset: 42 }, but it is given ${show(value)}`,
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
