/** The topics of the file: partitions and settings. */
import { BrokerError } from "../../errors.ts";
import { hasCleanupPolicy } from "../cleanup_policy.ts";
import { DEFAULT_MAX_MESSAGE_BYTES } from "../record.ts";
import { notMorePartitionsError, unknownTopicError } from "../refusals.ts";
import type { Connection } from "./connection.ts";
import { MAX_PARTITION_ID } from "./record_id.ts";

/** No record may be larger, whatever its topic says, in bytes: one is read and written within one turn. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;

/** Kafka's default of `delete.retention.ms`: a day, in milliseconds. */
const DEFAULT_TOMBSTONE_RETENTION_MS = 24 * 60 * 60 * 1000;

/** A topic as it is now. */
export interface SqliteTopic {
  /** Never used again for another topic, also not for one of the same name. */
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  readonly config: ReadonlyMap<string, string>;
  readonly settings: TopicSettings;
}

/** A topic to create. */
export interface NewTopic {
  readonly name: string;
  /** @default 1 */
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** The settings of a topic that this broker follows. */
export interface TopicSettings {
  /** The largest record, in bytes. */
  readonly maxMessageBytes: number;
  /** Whether only the newest record of each key is kept: `cleanup.policy` contains `compact`. */
  readonly isCompacted: boolean;
  /** The time for which performed records are kept, in milliseconds; `null` for ever. */
  readonly retentionMs: number | null;
  /** The time for which tombstones of a compacted topic are kept, in milliseconds. */
  readonly tombstoneRetentionMs: number;
}

/** A topic, or `null`. It is remembered until the file has changed. */
export function findTopic(connection: Connection, name: string): SqliteTopic | null {
  return connection.remember(`topic ${name}`, () => {
    const row = connection.first<readonly [id: number, config: string, partitions: number]>(
      `SELECT id, config, (SELECT count(*) FROM partitions WHERE topic_id = t.id) FROM topics t WHERE name = ?`,
      name,
    );
    if (row === undefined) return null;
    const [id, text, partitions] = row;
    const config = parseConfig(text);
    return { id, name, partitions, config, settings: settingsOf(config) };
  });
}

/** Reads the settings. A value that cannot be one counts as absent: Kafka's default applies. */
function settingsOf(config: ReadonlyMap<string, string>): TopicSettings {
  const number = (name: string, otherwise: number) => {
    const value = Number(config.get(name) ?? otherwise);
    return Number.isFinite(value) ? value : otherwise;
  };
  const retentionMs = hasCleanupPolicy(config, "delete") ? number("retention.ms", -1) : -1;
  return {
    maxMessageBytes: Math.min(number("max.message.bytes", DEFAULT_MAX_MESSAGE_BYTES), MAX_RECORD_BYTES),
    isCompacted: hasCleanupPolicy(config, "compact"),
    retentionMs: retentionMs >= 0 ? retentionMs : null,
    tombstoneRetentionMs: Math.max(number("delete.retention.ms", DEFAULT_TOMBSTONE_RETENTION_MS), 0),
  };
}

/**
 * A topic that must exist.
 *
 * @param verb the failed action, for the message: `"append to"`
 * @throws {UnknownTopicError} if it does not
 */
export function existingTopic(connection: Connection, name: string, verb: string): SqliteTopic {
  const topic = findTopic(connection, name);
  if (topic === null) throw unknownTopicError(name, verb);
  return topic;
}

/** Creates a topic, inside a transaction. One that exists stays as it is. */
export function createTopic(connection: Connection, { name, partitions = 1, config = {} }: NewTopic): void {
  const whole = JSON.stringify({ "max.message.bytes": String(DEFAULT_MAX_MESSAGE_BYTES), ...config });
  const made = connection.changes("INSERT OR IGNORE INTO topics (name, config) VALUES (?, ?)", name, whole);
  connection.forget();
  if (made > 0) addPartitions(connection, name, partitions);
}

/**
 * Gives a topic more partitions, inside a transaction.
 *
 * @throws {UnknownTopicError} if it does not exist
 * @throws {BrokerError} if it has as many already, or the file cannot hold so many
 */
export function addPartitions(connection: Connection, name: string, count: number): void {
  const { id, partitions } = existingTopic(connection, name, "add partitions to");
  if (count <= partitions) throw notMorePartitionsError(name, count, partitions);
  refuseTooMany(connection, name, count - partitions);
  for (let partition = partitions; partition < count; partition++) {
    connection.run("INSERT INTO partitions (topic_id, partition) VALUES (?, ?)", id, partition);
  }
  connection.forget();
}

/** The id of a partition; `undefined` if it does not exist. */
export function partitionIdOf(connection: Connection, topicId: number, partition: number): number | undefined {
  const sql = "SELECT id FROM partitions WHERE topic_id = ? AND partition = ?";
  return connection.first<readonly [number]>(sql, topicId, partition)?.[0];
}

function refuseTooMany(connection: Connection, name: string, more: number): void {
  const used = connection.first<readonly [number]>("SELECT seq FROM sqlite_sequence WHERE name = 'partitions'")?.[0] ??
    0;
  if (used + more <= MAX_PARTITION_ID) return;
  throw new BrokerError(
    `Cannot give topic "${name}" ${more} more partitions: the file has had ${used} of the ${MAX_PARTITION_ID} partitions ` +
      "that it can have, deleted topics included; start with a new file",
  );
}

/**
 * Reads settings: strings by name. A string that is not a JSON object counts as absent, and so does a value that is not a
 * string.
 */
function parseConfig(text: string): ReadonlyMap<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) ?? {});
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return new Map();
  }
}
