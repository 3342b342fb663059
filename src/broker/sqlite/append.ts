/** Appends records to a topic, in slices: a writer holds the only write lock of the file. */
import { BrokerError } from "../../errors.ts";
import type { AppendOutcome, NewRecord } from "../broker.ts";
import { partitionOfKey } from "../partitioner.ts";
import { copyRecord, isLargerThan, sizeOf } from "../record.ts";
import { keylessError, recordTooLargeError, unknownPartitionError } from "../refusals.ts";
import type { Connection } from "./connection.ts";
import { writeHeaders } from "./headers.ts";
import { endsOf } from "./log_end.ts";
import { idOf, MAX_OFFSET } from "./record_id.ts";
import { endOf } from "./tables.ts";
import { removeUnownedTombstones } from "./tombstones.ts";
import { existingTopic, partitionIdOf, type SqliteTopic } from "./topics.ts";

/** The end of a partition. It is remembered, and kept up to date by each append. */
interface LogEnd {
  readonly partitionId: number;
  /** The offset of the next record. */
  next: number;
}

// Statements are built once: they are found by their text.
const INSERT = `INSERT INTO records (id, timestamp_ms, is_compacted, key, headers, value)
  VALUES (${idOf("?1", "?2")}, ?3, ?4, ?5, ?6, ?7)`;

const DELETE_SUPERSEDED = `DELETE FROM records
  WHERE is_compacted = 1 AND partition_id = ?1 AND ${endOf("key")} = ${endOf("?2")}
    AND CAST(key AS BLOB) = CAST(?2 AS BLOB) AND id < ${idOf("?1", "?3")}`;

const encoder = new TextEncoder();

/**
 * Appends to one topic, inside a transaction.
 *
 * @param spread returns a number for each record without a key: they go to each partition in turn
 * @returns one outcome a record, in order
 * @throws {UnknownTopicError} if the topic does not exist
 */
export function append(
  connection: Connection,
  name: string,
  records: readonly NewRecord[],
  spread: () => number,
): AppendOutcome[] {
  const topic = existingTopic(connection, name, "append to");
  const timestampMs = Date.now();
  const outcomes = records.map((record) => appendOne(connection, topic, record, timestampMs, spread));
  if (topic.settings.isCompacted) cleanPartitions(connection, topic, outcomes);
  return outcomes;
}

/** Removes some tombstones of the partitions that were appended to, so that these grow no faster than they are cleaned. */
function cleanPartitions(connection: Connection, topic: SqliteTopic, outcomes: readonly AppendOutcome[]): void {
  const partitions = new Set(outcomes.flatMap((outcome) => outcome.ok ? outcome.position.partition : []));
  for (const partition of partitions) {
    removeUnownedTombstones(connection, logEnd(connection, topic, partition)!.partitionId);
  }
}

function appendOne(
  connection: Connection,
  topic: SqliteTopic,
  record: NewRecord,
  timestampMs: number,
  spread: () => number,
): AppendOutcome {
  const { name, partitions, settings } = topic;
  const ready = copyRecord(record, timestampMs);
  const { key, value, headers } = ready;
  const partition = record.partition ?? (key === null ? spread() % partitions : partitionOfKey(key, partitions));
  const end = logEnd(connection, topic, partition);
  if (end === undefined) return refused(unknownPartitionError(name, partition, partitions));
  const { maxMessageBytes } = settings;
  if (isLargerThan(ready, maxMessageBytes)) return refused(recordTooLargeError(name, sizeOf(ready), maxMessageBytes));
  if (settings.isCompacted && key === null) return refused(keylessError(name));
  const offset = end.next;
  if (offset > MAX_OFFSET) return refused(isFull(name, partition));
  connection.run(
    INSERT,
    end.partitionId,
    offset,
    timestampMs,
    settings.isCompacted ? 1 : null,
    columnOf(key),
    writeHeaders(headers),
    columnOf(value),
  );
  if (settings.isCompacted) deleteSuperseded(connection, end.partitionId, columnOf(key)!, offset);
  end.next = offset + 1;
  return { ok: true, position: { topic: name, partition, offset } };
}

/** Deletes the earlier records of a key in a compacted topic. */
function deleteSuperseded(connection: Connection, partitionId: number, key: Uint8Array | string, offset: number): void {
  connection.run(
    DELETE_SUPERSEDED,
    partitionId,
    key,
    offset,
  );
}

function logEnd(connection: Connection, topic: SqliteTopic, partition: number): LogEnd | undefined {
  return connection.remember(`end ${topic.id}/${partition}`, () => {
    const partitionId = partitionIdOf(connection, topic.id, partition);
    if (partitionId === undefined) return undefined;
    return { partitionId, next: endsOf(connection, partitionId)!.high };
  });
}

/** Strings are stored as text, which costs half as much as bytes; reading would end a text at its first NUL. */
function columnOf(data: Uint8Array | string | null): Uint8Array | string | null {
  return typeof data === "string" && data.includes("\0") ? encoder.encode(data) : data;
}

function refused(error: Error): AppendOutcome {
  return { ok: false, error, written: "no" };
}

function isFull(name: string, partition: number): BrokerError {
  return new BrokerError(
    `Cannot append to partition ${partition} of topic "${name}": its offsets end at ${MAX_OFFSET}; ` +
      "use another topic, or start with a new file",
  );
}
