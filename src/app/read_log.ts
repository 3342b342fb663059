/** Reads a page of the log of a topic, at any place, for an operator. It makes no group, and no worker needs to run. */
import type { Broker } from "../broker/broker.ts";
import { findOffset } from "../broker/find_offset.ts";
import { readForward } from "../broker/read_forward.ts";
import type { StoredRecord } from "../broker/record.ts";
import { InvalidConfigurationError } from "../errors.ts";
import type { Route } from "../routing/route.ts";
import type { TopicPartition } from "../support/position.ts";

/** The place of a log to read. */
export interface ReadLogOptions {
  /** The number of the partition. */
  readonly partition: number;
  /** The first offset; or the time of the first record, in ms since 1970. @default the newest records */
  readonly from?: number | { readonly timeMs: number };
  /** The most records. */
  readonly limit: number;
  /** Whether the records have their values. */
  readonly values: boolean;
  /** Ends the call early. */
  readonly signal?: AbortSignal;
}

/** A page of a log. */
export interface TopicLogPage extends TopicPartition {
  /** The number of partitions of the topic. */
  readonly partitions: number;
  /** The offset of the first record of the log. */
  readonly low: number;
  /** The offset that the next record will get. */
  readonly high: number;
  /** The committed offset of the consumer group; `null` for none. */
  readonly committed: number | null;
  /** The offset at which the page begins. */
  readonly from: number;
  /** The records. */
  readonly records: readonly StoredRecord[];
}

/**
 * Reads a page.
 *
 * @throws {UnknownTopicError} if the topic does not exist
 * @throws {InvalidConfigurationError} if it has no such partition
 */
export async function readLog(
  { admin }: Broker,
  { topic, group }: Route,
  { partition, from, limit, values, signal }: ReadLogOptions,
): Promise<TopicLogPage> {
  const [all, commits] = await Promise.all([admin.ends(topic), admin.committed(group, topic)]);
  const ends = all.find((each) => each.partition === partition);
  if (ends === undefined) {
    throw new InvalidConfigurationError(`Topic "${topic}" has no partition ${partition}: it has ${all.length}`);
  }
  const { low, high } = ends;
  const at = { topic, partition };
  const place = typeof from === "object"
    ? await findOffset(admin, at, ends, from.timeMs, signal)
    : from ?? high - limit;
  const start = Math.min(Math.max(low, place), high);
  const records: StoredRecord[] = [];
  for await (const page of readForward(admin, at, { from: start, to: high, values, signal })) {
    records.push(...page.slice(0, limit - records.length));
    if (records.length >= limit) break;
  }
  const committed = commits.find((each) => each.partition === partition)?.offset ?? null;
  return { ...at, partitions: all.length, low, high, committed, from: start, records };
}
