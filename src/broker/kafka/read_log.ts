/**
 * Reads a place of a partition's log, without a group: one fetch to the leader that does not wait for records, on a
 * connection of its own, since a broker may hold up the responses of a client that reads much.
 *
 * - The records are decoded, and those of aborted transactions are left out, as for a consumer.
 * - It stops between the parts of a large batch, so that no batch unpacks to much more than is wanted.
 * - The first time, a leader is asked whether it knows all of its log: a new one may not.
 * - Damaged data is fetched once more before it is an unreadable record: the fault may be on the way.
 */
import { Buffer } from "node:buffer";
import { abortable } from "../../support/deadline.ts";
import { formatPosition, type TopicPartition } from "../../support/position.ts";
import type { LogPage, ReadOptions } from "../admin.ts";
import { sizeOf, type StoredRecord, withoutValue } from "../record.ts";
import { unknownPartitionError, unknownTopicError } from "../refusals.ts";
import { AbortedFilter } from "./batch/aborted_filter.ts";
import { UnreadableBatchError } from "./batch/batch_header.ts";
import { type BatchPart, batchParts, DEFAULT_MAX_RECORD_BYTES, readPart, unreadablePart } from "./batch/batch_parts.ts";
import { MAX_AT_ONCE_BYTES, type OpenBatch, openBatch } from "./batch/decode_batch.ts";
import { TooLargeError } from "./batch/decompression_errors.ts";
import { type BatchBounds, batchesIn, MAGIC } from "./batch/layout.ts";
import type { CompleteLeaders } from "./complete_leaders.ts";
import { MOVE_PATIENCE_MS, type Questions } from "./questions.ts";
import type { Cluster } from "./wire/cluster.ts";
import { Code, ProtocolError } from "./wire/errors.ts";
import { type FetchedPartitionData, type FetchPosition, fetchRequest } from "./wire/fetch_request.ts";
import { listOffsets, Timestamp } from "./wire/requests.ts";

/**
 * Reads a place of a log.
 *
 * @throws {UnknownTopicError} if the topic does not exist
 * @throws {BrokerError} if the partition does not exist, or cannot be read in time
 * @throws the reason of the signal
 */
export async function readLog(
  cluster: Cluster,
  questions: Questions,
  at: TopicPartition,
  options: ReadOptions,
): Promise<LogPage> {
  const { from, signal } = options;
  signal?.throwIfAborted();
  const reading = new LogReading(cluster, questions.completeLeaders, at, options);
  const what = `read ${formatPosition({ ...at, offset: from })}`;
  return await abortable(questions.ask(what, () => reading.try(), MOVE_PATIENCE_MS), signal);
}

/** The protocol has no larger limit. */
const MAX_FETCH_BYTES = 2 ** 31 - 1;

type Ends = Pick<LogPage, "low" | "high" | "lastStable">;

/** Some records of a batch, and the bytes that they take in it. */
type MeasuredPart = BatchPart & { readonly bytes: number };

/** One call, which may take several tries. */
export class LogReading {
  readonly #cluster: Cluster;
  readonly #completeLeaders: CompleteLeaders;
  readonly #at: TopicPartition;
  readonly #options: ReadOptions;
  #from: number;
  /** Whether the leader is looked up before the next try. */
  #mayHaveMoved = false;
  /** The offset at which the data was damaged. */
  #damagedAt: number | null = null;

  /** @param completeLeaders the leaders that may be asked for the end of what can be read */
  constructor(cluster: Cluster, completeLeaders: CompleteLeaders, at: TopicPartition, options: ReadOptions) {
    this.#cluster = cluster;
    this.#completeLeaders = completeLeaders;
    this.#at = at;
    this.#options = options;
    this.#from = Math.max(options.from, 0);
  }

  /** Tries once. */
  async try(): Promise<LogPage> {
    this.#options.signal?.throwIfAborted();
    try {
      return await this.#read();
    } catch (error) {
      if (this.#mayHaveMoved) this.#cluster.doubt();
      this.#mayHaveMoved = true;
      throw error;
    }
  }

  async #read(): Promise<LogPage> {
    const { leader, place } = await this.#find();
    const askEnd = () => this.#askEnd(leader, Timestamp.latest, "readCommitted");
    await this.#completeLeaders.ensure(this.#at, place, askEnd);
    while (true) {
      const data = await this.#fetch(leader, { ...place, offset: this.#from });
      const { error } = data;
      if (error === Code.offsetOutOfRange) {
        const ends = await this.#ends(leader);
        if (this.#from > ends.high) return { records: [], next: this.#from, ...ends };
        // A new leader may know less than its predecessor for a moment.
        if (this.#from >= ends.low) throw new ProtocolError("Fetch", Code.offsetNotAvailable);
        this.#from = ends.low;
        continue;
      }
      if (error !== Code.none) throw new ProtocolError("Fetch", error);
      const page = await this.takePage(data);
      if (page !== null) return page;
    }
  }

  /** Takes a page out of fetched data. @returns `null` if it is damaged, and must be fetched once more */
  async takePage(data: FetchedPartitionData): Promise<LogPage | null> {
    const { low, highWatermark: high, lastStable } = data;
    const part = await this.#take(data);
    return part === null ? null : { ...part, low, high, lastStable };
  }

  /** Finds the leader of the partition. */
  async #find(): Promise<{ readonly leader: number; readonly place: Omit<FetchPosition, "offset"> }> {
    const { topic, partition } = this.#at;
    const { metadata } = this.#cluster;
    if (this.#mayHaveMoved || this.#cluster.leaderOf(topic, partition) === null) await metadata.refresh([topic]);
    if (metadata.isMissing(topic)) throw unknownTopicError(topic, "read");
    const { error, topicId, partitions } = metadata.topic(topic)!;
    if (error !== Code.none) throw new ProtocolError("Metadata", error);
    const found = metadata.partition(topic, partition);
    if (found === undefined) throw unknownPartitionError(topic, partition, partitions.length);
    const leader = this.#cluster.leaderOf(topic, partition);
    if (leader === null) throw new ProtocolError(`Leader of ${topic}/${partition}`, Code.leaderNotAvailable);
    return { leader, place: { topicId, partition, leaderEpoch: found.leaderEpoch } };
  }

  async #fetch(leader: number, position: FetchPosition): Promise<FetchedPartitionData> {
    const { topic, partition } = this.#at;
    const maxBytes = Math.min(this.#options.maxBytes, MAX_FETCH_BYTES);
    const request = fetchRequest([position], { maxWaitMs: 0, maxBytes, maxPartitionBytes: maxBytes });
    const isInPlace = async () => {
      await this.#cluster.metadata.refresh([topic]);
      return this.#cluster.leaderOf(topic, partition) === leader;
    };
    const { error, partitions } = await this.#cluster.sendWhileInPlace(
      leader,
      "read",
      request,
      this.#cluster.requestTimeoutMs,
      isInPlace,
    );
    if (error !== Code.none) throw new ProtocolError("Fetch", error);
    return partitions[0]!;
  }

  /** Asks for the ends of the log: the response to a position outside of it does not have them. */
  async #ends(leader: number): Promise<Ends> {
    const [low, high, lastStable] = await Promise.all([
      this.#askEnd(leader, Timestamp.earliest, "readCommitted"),
      this.#askEnd(leader, Timestamp.latest, "readUncommitted"),
      this.#askEnd(leader, Timestamp.latest, "readCommitted"),
    ]);
    return { low, high, lastStable };
  }

  async #askEnd(leader: number, timestamp: number, isolation: Parameters<typeof listOffsets>[1]): Promise<number> {
    const { topic, partition } = this.#at;
    const request = listOffsets([{ topic, partitions: [{ partition, timestamp }] }], isolation);
    const { responses } = await this.#cluster.send(leader, "control", request, this.#cluster.shortTimeoutMs);
    const { errorCode, offset } = responses[0]!.partitions[0]!;
    if (errorCode !== Code.none) throw new ProtocolError("ListOffsets", errorCode);
    return Number(offset);
  }

  /** Takes the records out, as `takePage` does. */
  async #take({ data, aborted }: FetchedPartitionData): Promise<BatchPart | null> {
    const filter = new AbortedFilter(aborted);
    const { to = Infinity, maxBytes } = this.#options;
    const records: StoredRecord[] = [];
    let next = this.#from;
    let bytes = 0;
    for (const batch of batchesIn(data)) {
      if (batch.lastOffset < next) continue;
      if (batch.magic === MAGIC && filter.skips(data, batch)) {
        next = batch.lastOffset + 1;
        continue;
      }
      const parts = this.#partsOf(data, batch);
      if (parts === null) return null;
      for await (const part of parts) {
        for (const record of part.records) if (record.offset < to) records.push(this.#finish(record));
        next = Math.min(part.next, to);
        bytes += part.bytes;
        if (bytes >= maxBytes || next === to) return { records, next };
      }
    }
    if (next > this.#from || data.length === 0) return { records, next };
    // A broker sends at least a whole batch.
    if (this.#fetchAgain()) return null;
    const bounds = { start: 0, end: 0, baseOffset: next, lastOffset: next, magic: MAGIC };
    return unreadablePart(bounds, next, new UnreadableBatchError(bounds, "its length is wrong, it is damaged"));
  }

  /** The parts of a batch; `null` if it is damaged, and must be fetched once more. */
  #partsOf(data: Buffer, batch: BatchBounds): Iterable<MeasuredPart> | AsyncIterable<MeasuredPart> | null {
    const { values: hasValues = true } = this.#options;
    try {
      const open = { ...openBatch(data, batch, this.#from, MAX_AT_ONCE_BYTES), hasValues };
      return partsOf(open);
    } catch (error) {
      if (error instanceof TooLargeError) return this.#partsOfLarge(data, batch);
      if (!(error instanceof UnreadableBatchError)) throw error;
      return error.isDamaged && this.#fetchAgain() ? null : [{ ...unreadablePart(batch, this.#from, error), bytes: 0 }];
    }
  }

  async *#partsOfLarge(data: Buffer, batch: BatchBounds): AsyncGenerator<MeasuredPart> {
    for await (const part of batchParts(data, batch, this.#from, DEFAULT_MAX_RECORD_BYTES)) {
      yield { ...part, bytes: part.records.reduce((sum, record) => sum + sizeOf(record), 0) };
    }
  }

  /** Whether to fetch damaged data once more: not the second time. */
  #fetchAgain(): boolean {
    const isFirst = this.#damagedAt !== this.#from;
    this.#damagedAt = this.#from;
    return isFirst;
  }

  /** Leaves the value out if it is not wanted. A window on the response is copied, so that it may be kept. */
  #finish(record: StoredRecord): StoredRecord {
    const wanted = this.#options.values === false && record.value !== "" ? withoutValue(record) : record;
    const { key, value } = wanted;
    if (!(key instanceof Uint8Array || value instanceof Uint8Array)) return wanted;
    return { ...wanted, key: copyOf(key), value: copyOf(value) };
  }
}

/** Reads an open batch: at once, and what cannot be read as a second part. */
function* partsOf(open: OpenBatch): Generator<MeasuredPart> {
  let part: BatchPart;
  do {
    part = readPart(open, Infinity);
    yield { ...part, bytes: open.bytes.length };
  } while (part.next <= open.header.bounds.lastOffset);
}

function copyOf(data: Uint8Array | string | null): Uint8Array | string | null {
  return Buffer.isBuffer(data) ? new Uint8Array(data) : data;
}
