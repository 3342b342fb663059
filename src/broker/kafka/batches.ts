/**
 * Frozen batches: which records go to which partition, together. Decided once, before anything is sent, since only the
 * identical batch can be sent again without writing it twice. Pure, but for the counter that spreads records without a key.
 */
import { Buffer } from "node:buffer";
import type { Message } from "./kafkajs.ts";
import { RecordTooLargeError } from "../../errors.ts";
import type { NewRecord } from "../broker.ts";
import { partitionOfKey } from "../partitioner.ts";
import { asBuffer, headersFor } from "./headers.ts";
import type { TopicInfo } from "./topic_budget.ts";

/** Records of one partition that are written as one batch. */
export interface Batch {
  readonly partition: number;
  /** Where each of them stands in the call's list. */
  readonly at: readonly number[];
  readonly messages: readonly Message[];
  /** An attempt was made whose outcome is not known. */
  maybeWritten: boolean;
}

/** A record that cannot be sent. */
export interface Refusal {
  readonly at: number;
  readonly error: Error;
}

/** kafkajs' grouping copies a batch for each of its records: more in one request cost more than they bring. */
const MAX_RECORDS = 1000;
const MAX_REQUEST_BYTES = 8_000_000;
/** A batch's header. */
const BATCH_OVERHEAD = 61;
/** An upper bound of a record's own framing: five variable-length integers, and one byte of attributes. */
const RECORD_OVERHEAD = 26;

/**
 * Sorts records into requests, each of one batch a partition.
 *
 * @param topic the topic's name
 * @param records what is to be sent
 * @param info what is known of the topic
 * @param spread answers the next number for a record that has neither partition nor key
 * @returns the requests, to be sent one after the other, and what cannot be sent at all
 */
export function freeze(
  topic: string,
  records: readonly NewRecord[],
  info: TopicInfo,
  spread: () => number,
): { requests: Batch[][]; refused: Refusal[] } {
  const requests: Batch[][] = [];
  const refused: Refusal[] = [];
  let open = new Map<number, { at: number[]; messages: Message[]; bytes: number }>();
  let count = 0;
  let bytes = 0;
  const close = () => {
    if (count > 0) requests.push([...open].map(([partition, { at, messages }]) => batchOf(partition, at, messages)));
    open = new Map();
    count = bytes = 0;
  };
  records.forEach((record, at) => {
    const message = messageOf(record);
    const partition = partitionOf(record, info.leaders.size, spread);
    const size = sizeOf(message);
    const error = info.leaders.has(partition)
      ? tooLarge(topic, message, size, info.maxBatchBytes)
      : new RangeError(`Cannot append to partition ${partition} of topic "${topic}": it has ${info.leaders.size}`);
    if (error !== null) {
      refused.push({ at, error });
      return;
    }
    const full = (open.get(partition)?.bytes ?? BATCH_OVERHEAD) + size > info.maxBatchBytes;
    if ((full && open.has(partition)) || count >= MAX_RECORDS || bytes + size > MAX_REQUEST_BYTES) close();
    let batch = open.get(partition);
    if (batch === undefined) open.set(partition, batch = { at: [], messages: [], bytes: BATCH_OVERHEAD });
    message.partition = partition;
    batch.at.push(at);
    batch.messages.push(message);
    batch.bytes += size;
    count++;
    bytes += size;
  });
  close();
  return { requests, refused };
}

/** A batch in two halves. */
export function halved(batch: Batch): [Batch, Batch] {
  const middle = batch.at.length >> 1;
  return [
    batchOf(batch.partition, batch.at.slice(0, middle), batch.messages.slice(0, middle)),
    batchOf(batch.partition, batch.at.slice(middle), batch.messages.slice(middle)),
  ];
}

/** The error of a record that no batch can hold. */
export function tooLargeError(topic: string, bytes: number, limit: number): RecordTooLargeError {
  return new RecordTooLargeError(
    `Cannot append to topic "${topic}": the record has ${bytes} bytes, but "max.message.bytes" allows ${limit}`,
  );
}

/** How many bytes a batch of this one message has, exactly. */
export function exactSizeOf(message: Message): number {
  let bytes = 3 + field(byteLength(message.key)) + field(byteLength(message.value));
  let count = 0;
  for (const [name, value] of headerEntries(message)) {
    count++;
    bytes += field(Buffer.byteLength(name)) + field(value);
  }
  bytes += varintSize(count);
  return BATCH_OVERHEAD + varintSize(bytes) + bytes;
}

function batchOf(partition: number, at: number[], messages: Message[]): Batch {
  return { partition, at, messages, maybeWritten: false };
}

function messageOf(record: NewRecord): Message {
  const message: Message = { value: payload(record.value) };
  if (record.key !== undefined && record.key !== null) message.key = payload(record.key);
  const headers = headersFor(record.headers);
  if (headers !== undefined) message.headers = headers;
  return message;
}

function payload(data: Uint8Array | string | null): Buffer | string | null {
  return data instanceof Uint8Array ? asBuffer(data) : data;
}

function partitionOf(record: NewRecord, partitions: number, spread: () => number): number {
  if (record.partition !== undefined) return record.partition;
  const { key } = record;
  if (key === undefined || key === null) return spread() % partitions;
  return partitionOfKey(key, partitions);
}

/** An upper bound; what comes near the limit is measured exactly. */
function sizeOf(message: Message): number {
  let bytes = RECORD_OVERHEAD + (byteLength(message.key) ?? 0) + (byteLength(message.value) ?? 0);
  if (message.headers !== undefined) {
    for (const [name, value] of headerEntries(message)) bytes += 10 + Buffer.byteLength(name) + (value ?? 0);
  }
  return bytes;
}

function tooLarge(topic: string, message: Message, size: number, limit: number): Error | null {
  if (size + BATCH_OVERHEAD <= limit) return null;
  const exact = exactSizeOf(message);
  return exact <= limit ? null : tooLargeError(topic, exact, limit);
}

function* headerEntries(message: Message): Generator<[name: string, bytes: number | null]> {
  for (const [name, value] of Object.entries(message.headers ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) yield [name, byteLength(one)];
  }
}

function byteLength(data: Uint8Array | string | null | undefined): number | null {
  return data === null || data === undefined ? null : Buffer.byteLength(data);
}

/** A length and as many bytes; a null is the length −1. */
function field(bytes: number | null): number {
  return bytes === null ? 1 : varintSize(bytes) + bytes;
}

/** The size of a non-negative number as a zigzag variable-length integer. */
function varintSize(value: number): number {
  let size = 1;
  for (let rest = value * 2; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}
