/**
 * The records of the file: appended in slices, since whoever writes holds the only write lock, and read in batches, each
 * of them within one turn.
 */
import type { AppendOutcome, NewRecord, RecordBatch, StoredRecord } from "../broker.ts";
import { partitionOfKey } from "../partitioner.ts";
import { copyRecord, sizeOf } from "../record.ts";
import { recordTooLargeError, unknownPartitionError } from "../refusals.ts";
import type { Connection } from "./connection.ts";
import { writeData } from "./data.ts";
import { readHeaders, writeHeaders } from "./headers.ts";
import { existingTopic } from "./topics.ts";

/** No transaction appends more: others wait for its end, and a batch of this size costs hardly more a row than a larger one. */
export const MAX_ROWS = 100;

/** No batch has more records, however small they are: they are read in one turn. */
const MAX_BATCH_RECORDS = 500;

/** How many records are weighed by one statement. */
const WEIGHED_AT_ONCE = 50;

/** Where a partition begins and ends. */
export interface Ends {
  /** The first offset that is still there. */
  readonly low: number;
  /** The offset of the next record. */
  readonly high: number;
}

type Row = readonly [
  offset: number,
  timestampMs: number,
  key: Uint8Array | string | null,
  value: Uint8Array | string | null,
  headers: string | null,
];

/**
 * Where a partition begins and ends; `undefined` if it does not exist. It ends behind its last record; its row knows better
 * only where there is none left, or none was ever written.
 */
export function endsOf(connection: Connection, topicId: number, partition: number): Ends | undefined {
  return connection.get<Ends>(
    `SELECT low, max(high, ifnull((SELECT max(offset) + 1 FROM records WHERE topic_id = ?1 AND partition = ?2), 0)) AS high
      FROM partitions WHERE topic_id = ?1 AND partition = ?2`,
    topicId,
    partition,
  );
}

/**
 * Appends to one topic, inside of a transaction: one outcome a record, in order.
 *
 * @param spread answers a number for each record without a key: they go to each partition in turn
 * @throws {UnknownTopicError} if the topic does not exist
 */
export function append(
  connection: Connection,
  name: string,
  records: readonly NewRecord[],
  spread: () => number,
): AppendOutcome[] {
  const topic = existingTopic(connection, name, "append to");
  const limit = Number(topic.config.get("max.message.bytes"));
  const timestampMs = Date.now();
  const next = new Map<number, number>();
  return records.map((record): AppendOutcome => {
    const ready = copyRecord(record, timestampMs);
    const { key, value, headers } = ready;
    const partition = record.partition ??
      (key === null ? spread() % topic.partitions : partitionOfKey(key, topic.partitions));
    const offset = next.get(partition) ?? endsOf(connection, topic.id, partition)?.high;
    if (offset === undefined) {
      return { ok: false, error: unknownPartitionError(name, partition, topic.partitions), written: "no" };
    }
    const bytes = sizeOf(ready);
    if (bytes > limit) return { ok: false, error: recordTooLargeError(name, bytes, limit), written: "no" };
    connection.run(
      "INSERT INTO records (topic_id, partition, offset, timestamp_ms, key, value, headers) VALUES (?, ?, ?, ?, ?, ?, ?)",
      topic.id,
      partition,
      offset,
      timestampMs,
      writeData(key),
      writeData(value),
      writeHeaders(headers),
    );
    next.set(partition, offset + 1);
    return { ok: true, position: { topic: name, partition, offset } };
  });
}

/**
 * Reads on.
 *
 * @param from the offset to begin with
 * @param high where the partition ends
 * @param maxBytes how much to hand out at most; one record is handed out whatever its size
 * @returns the records, or `null` at the end of the log
 */
export function read(
  connection: Connection,
  topicId: number,
  partition: number,
  from: number,
  high: number,
  maxBytes: number,
): RecordBatch | null {
  if (from >= high) return null;
  const next = endOfBatch(connection, topicId, partition, from, high, maxBytes) ?? high;
  const rows = connection.all<Row>(
    `SELECT offset, timestamp_ms, key, value, headers FROM records
      WHERE topic_id = ? AND partition = ? AND offset >= ? AND offset < ? ORDER BY offset`,
    topicId,
    partition,
    from,
    next,
  );
  return { records: rows.map(recordOf), next, highWatermark: high };
}

/** The offset before which a batch ends, by the sizes alone; `undefined` if it reaches to the end of the log. */
function endOfBatch(
  connection: Connection,
  topicId: number,
  partition: number,
  from: number,
  high: number,
  maxBytes: number,
): number | undefined {
  let sum = 0;
  let count = 0;
  // A few at a time: where records are large, to weigh many would be more work than to read the few that fit.
  for (let at = from;;) {
    const sizes = connection.all<readonly [offset: number, bytes: number]>(
      `SELECT offset, ifnull(octet_length(key), 0) + ifnull(octet_length(value), 0) + ifnull(octet_length(headers), 0)
        FROM records WHERE topic_id = ? AND partition = ? AND offset >= ? AND offset < ?
        ORDER BY offset LIMIT ${WEIGHED_AT_ONCE}`,
      topicId,
      partition,
      at,
      high,
    );
    for (const [offset, bytes] of sizes) {
      sum += bytes;
      if (count > 0 && (sum > maxBytes || count === MAX_BATCH_RECORDS)) return offset;
      count++;
    }
    if (sizes.length < WEIGHED_AT_ONCE) return undefined;
    at = sizes.at(-1)![0] + 1;
  }
}

function recordOf([offset, timestampMs, key, value, headers]: Row): StoredRecord {
  return { offset, key, value, headers: readHeaders(headers), timestampMs };
}
