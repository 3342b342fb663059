/** The topics of the file: which there are, how many partitions each has, and what its config says. */
import { DEFAULT_MAX_MESSAGE_BYTES } from "../record.ts";
import { notMorePartitionsError, unknownTopicError } from "../refusals.ts";
import type { Connection } from "./connection.ts";

/** A topic as it is now. */
export interface SqliteTopic {
  /** Never used again for another topic, also not for one of the same name. */
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  readonly config: ReadonlyMap<string, string>;
}

/** What a new topic should be. */
export interface NewTopic {
  readonly name: string;
  /** @default 1 */
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** A topic, or `null`. */
export function findTopic(connection: Connection, name: string): SqliteTopic | null {
  const row = connection.get<{ id: number; config: string; partitions: number }>(
    `SELECT id, config, (SELECT count(*) FROM partitions WHERE topic_id = id) AS partitions FROM topics WHERE name = ?`,
    name,
  );
  if (row === undefined) return null;
  const { id, partitions, config } = row;
  return { id, name, partitions, config: new Map(Object.entries<string>(JSON.parse(config))) };
}

/**
 * A topic that must be there.
 *
 * @param verb what for, in the message: `"append to"`
 * @throws {UnknownTopicError} if it is not
 */
export function existingTopic(connection: Connection, name: string, verb: string): SqliteTopic {
  const topic = findTopic(connection, name);
  if (topic === null) throw unknownTopicError(name, verb);
  return topic;
}

/** Makes a topic, inside of a transaction. One that is there stays as it is. */
export function createTopic(connection: Connection, { name, partitions = 1, config = {} }: NewTopic): void {
  const whole = JSON.stringify({ "max.message.bytes": String(DEFAULT_MAX_MESSAGE_BYTES), ...config });
  const made = connection.changes("INSERT OR IGNORE INTO topics (name, config) VALUES (?, ?)", name, whole);
  if (made > 0) addPartitions(connection, name, partitions);
}

/**
 * Gives a topic more partitions, inside of a transaction.
 *
 * @throws {UnknownTopicError} if it does not exist
 * @throws {BrokerError} if it has as many already
 */
export function addPartitions(connection: Connection, name: string, count: number): void {
  const { id, partitions } = existingTopic(connection, name, "add partitions to");
  if (count <= partitions) throw notMorePartitionsError(name, count, partitions);
  for (let partition = partitions; partition < count; partition++) {
    connection.run("INSERT INTO partitions (topic_id, partition) VALUES (?, ?)", id, partition);
  }
}
