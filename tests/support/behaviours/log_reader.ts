/** Reads a topic through the broker interface, with a group of its own: a test asserts what is in the log. */
import { Buffer } from "node:buffer";
import type { Broker, Headers, Ownership, RecordBatch, StoredRecord } from "../../../src/broker/broker.ts";

/** A record and its partition. */
export interface LogRecord extends StoredRecord {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** The partition's number. */
  readonly partition: number;
}

/**
 * Reads all records of a topic, partition by partition, in order.
 *
 * @param broker a client of the log
 * @param topic its full name
 */
export async function readTopic(broker: Broker, topic: string): Promise<LogRecord[]> {
  const ends = await broker.admin.ends(topic);
  const open = new Map(ends.filter(({ low, high }) => high > low).map(({ partition, high }) => [partition, high]));
  const records: LogRecord[] = [];
  if (open.size === 0) return records;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const take = ({ partition }: Ownership, batch: RecordBatch) => {
    for (const record of batch.records) records.push(copy(record, partition));
    if (batch.next >= (open.get(partition) ?? Infinity)) open.delete(partition);
    if (open.size === 0) resolve();
  };
  const consumer = broker.consume(
    {
      group: `reader-${crypto.randomUUID()}`,
      topics: [topic],
      sessionTimeoutMs: 6000,
      maxFetchBytes: 1024 * 1024,
    },
    { assigned() {}, records: take, releasing: () => [], lost() {}, expired() {}, membership() {}, failed: reject },
  );
  consumer.joined.catch(reject);
  try {
    await promise;
  } finally {
    await consumer.close(5000);
  }
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** Copies a record: its bytes belong to the broker. */
function copy(record: StoredRecord, partition: number): LogRecord {
  const { offset, key, value, headers, timestampMs } = record;
  return {
    partition,
    offset,
    key: copyOf(key),
    value: copyOf(value),
    headers: headers.map(([name, bytes]) => [name, copyOf(bytes)] as const),
    timestampMs,
  };
}

/** Copies bytes. `slice` of a Buffer would share them. */
function copyOf(data: Uint8Array | string | null): Uint8Array | null {
  return data === null ? null : new Uint8Array(Buffer.from(data));
}

/** Decodes bytes; `null` stays `null`. */
export function asString(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** Decodes headers by name, for records in which no name repeats. */
export function headersAsStrings(headers: Headers): Record<string, string | null> {
  return Object.fromEntries(headers.map(([name, bytes]) => [name, asString(bytes)]));
}
