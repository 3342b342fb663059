/**
 * Fetches partitions from their leaders: one request in flight for each leader, with all of its partitions that are wanted.
 *
 * - The limit for a partition is not divided by their number, and the limit of the response is small: of a batch that is
 *   larger than its partition's share a broker would send nothing, but for the first partition of the request. A partition
 *   that got something moves to the end of the next request.
 * - The next request is sent before the last response is handed over: the broker works while the worker does.
 * - A partition that is paused while its batches are handed over keeps the rest, and gets it first when it is resumed. A
 *   large batch is handed over in parts, and unpacked only as far as the partition takes them.
 * - What cannot be read is handed over as one unreadable record for all of its offsets. Damaged data is fetched once more.
 * - A partition without a leader, or one whose topic is gone, waits alone; the others are not disturbed.
 */
import { sleep } from "../../../support/abort.ts";
import type { RecordBatch } from "../../broker.ts";
import { AbortedFilter } from "../batch/aborted_filter.ts";
import { UnreadableBatchError } from "../batch/batch_header.ts";
import { type BatchPart, batchParts, unreadablePart } from "../batch/batch_parts.ts";
import { decodeBatch } from "../batch/decode_batch.ts";
import { TooLargeError } from "../batch/decompression_errors.ts";
import { type BatchBounds, batchesIn, MAGIC } from "../batch/layout.ts";
import type { Cluster, Purpose } from "../wire/cluster.ts";
import { Code, ProtocolError } from "../wire/errors.ts";
import { type FetchedPartitionData, type FetchPosition, fetchRequest } from "../wire/fetch_request.ts";
import { listOffsets, Timestamp } from "../wire/requests.ts";
import { formatPosition } from "../../../support/position.ts";
import type { FetchedPartition, WaitingData } from "./fetched_partition.ts";

/** Receives what is fetched. Calls return at once. */
export interface FetchHandler {
  records(at: FetchedPartition, batch: RecordBatch): void;
  /** Records before `to` are gone, and the position was `from`. */
  expired(at: FetchedPartition, from: number, to: number): void;
  /** The partition has no leader, or has one again. */
  leaderChanged(at: FetchedPartition, hasLeader: boolean): void;
  /** The cluster was asked for its topics: some may be other ones now. */
  topicsRefreshed(): void;
  /** The handler threw: a fault that must not skip a record. */
  failed(error: unknown): void;
  /** Something for the log. */
  log(message: string): void;
}

/** Options of a fetcher. */
export interface FetcherOptions {
  /** Connection for the fetches. */
  readonly purpose: Purpose;
  /** Limit of all responses together, in bytes. */
  readonly maxBytes: number;
  /** Limit of a record that is unpacked, in bytes. */
  readonly maxRecordBytes: number;
}

interface Request {
  readonly at: FetchedPartition;
  readonly version: number;
}

interface Fetched {
  readonly requests: ReadonlyMap<string, Request>;
  readonly partitions: readonly FetchedPartitionData[];
}

/** How long a broker waits for records, in milliseconds. */
const MAX_WAIT_MS = 250;
const MAX_PARTITION_BYTES = 1024 * 1024;
/** A batch that unpacks to more is handed over in parts, in bytes: what a producer makes by default is less. */
const MAX_AT_ONCE_BYTES = 2 * 1024 * 1024;
const RETRY_MS = 100;
const MAX_RETRY_MS = 2000;
/** As the metadata writes it. */
const NO_LEADER = -1;

/** See the module. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #handler: FetchHandler;
  readonly #options: FetcherOptions;
  /** In the order of the next request. */
  readonly #partitions = new Set<FetchedPartition>();
  /** For each leader that is fetched from, the function that ends its rest. */
  readonly #leaders = new Map<number, PromiseWithResolvers<void>>();
  #refreshing: Promise<void> | null = null;
  #refreshMs = RETRY_MS;
  #isFrozen = false;
  readonly #closing = new AbortController();

  constructor(cluster: Cluster, handler: FetchHandler, options: FetcherOptions) {
    this.#cluster = cluster;
    this.#handler = handler;
    this.#options = options;
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Fetches a partition from now on. */
  add(at: FetchedPartition): void {
    this.#partitions.add(at);
    this.#assignLeaders();
  }

  /** Fetches a partition no more; nothing of it is handed over any more. */
  remove(at: FetchedPartition): void {
    at.seek(at.position);
    this.#partitions.delete(at);
  }

  /** Takes effect at once. */
  pause(at: FetchedPartition): void {
    at.isPaused = true;
  }

  /** Takes effect at once. */
  resume(at: FetchedPartition): void {
    if (!at.isPaused) return;
    at.isPaused = false;
    // Never within the caller's call.
    queueMicrotask(() => {
      if (at.isPaused || !this.#partitions.has(at)) return;
      this.#handOver(at);
      this.#wakeLeaderOf(at);
    });
  }

  /** Hands over nothing, until {@linkcode thaw}: the group may share out anew. */
  freeze(): void {
    this.#isFrozen = true;
  }

  /** Goes on. */
  thaw(): void {
    if (!this.#isFrozen) return;
    this.#isFrozen = false;
    for (const at of [...this.#partitions]) this.#handOver(at);
    for (const wake of this.#leaders.values()) wake.resolve();
  }

  /** Fetches nothing any more. */
  close(): void {
    this.#closing.abort();
    for (const at of [...this.#partitions]) this.remove(at);
    for (const wake of this.#leaders.values()) wake.resolve();
  }

  #wakeLeaderOf({ leader }: FetchedPartition): void {
    if (leader !== null) this.#leaders.get(leader)?.resolve();
  }

  /** Gives each partition to the loop of its leader; asks for the leaders of the others. */
  #assignLeaders(): void {
    if (this.#isClosed) return;
    let isAnyUnknown = false;
    for (const at of this.#partitions) {
      if (at.leader !== null) continue;
      const topic = this.#cluster.metadata.topic(at.topic);
      // The id of a topic that a broker does not know (yet) is zeros: not another topic.
      if (topic?.error === Code.none) at.topicId ??= topic.topicId;
      this.#findLeader(at);
      if (at.leader === null) {
        isAnyUnknown = true;
        continue;
      }
      if (at.isLeaderless) {
        at.isLeaderless = false;
        this.#handler.leaderChanged(at, true);
      }
      if (this.#leaders.has(at.leader)) this.#wakeLeaderOf(at);
      else this.#startLoop(at.leader);
    }
    if (isAnyUnknown) void this.#refreshLater();
    else this.#refreshMs = RETRY_MS;
  }

  #findLeader(at: FetchedPartition): void {
    const { leaderEpoch = -1 } = this.#cluster.metadata.partition(at.topic, at.partition) ?? {};
    if (at.topicId === undefined || leaderEpoch < at.minLeaderEpoch) return;
    at.leader = this.#cluster.leaderOf(at.topic, at.partition);
    at.leaderEpoch = leaderEpoch;
  }

  #startLoop(leader: number): void {
    this.#leaders.set(leader, Promise.withResolvers());
    void this.#loop(leader).catch((error) => this.#handler.failed(error)).finally(() => {
      this.#leaders.delete(leader);
      this.#assignLeaders();
    });
  }

  #refreshLater(): Promise<void> {
    return this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
      this.#assignLeaders();
    });
  }

  async #refresh(): Promise<void> {
    await sleep(this.#refreshMs, this.#closing.signal);
    if (this.#isClosed) return;
    this.#refreshMs = Math.min(this.#refreshMs * 2, MAX_RETRY_MS);
    try {
      await this.#cluster.metadata.refresh(new Set([...this.#partitions].map(({ topic }) => topic)));
    } catch (error) {
      this.#handler.log(`Cannot ask for leaders: ${(error as Error).message}`);
      return;
    }
    this.#handler.topicsRefreshed();
    for (const at of this.#partitions) {
      // Unknown where the topic is missing, or has fewer partitions than it had.
      const leader = this.#cluster.metadata.partition(at.topic, at.partition)?.leader;
      if (leader !== NO_LEADER || at.leader !== null || at.isLeaderless) continue;
      at.isLeaderless = true;
      this.#handler.leaderChanged(at, false);
    }
  }

  /** Fetches from one leader, until it leads nothing of ours. */
  async #loop(leader: number): Promise<void> {
    let next = this.#fetch(leader);
    while (!this.#isClosed) {
      const fetched = await next;
      if (fetched === null) {
        if (![...this.#partitions].some((at) => at.leader === leader)) return;
        await this.#rest(leader);
        next = this.#fetch(leader);
        continue;
      }
      const ready = fetched.partitions.filter((data) => this.#take(data, fetched.requests));
      next = this.#fetch(leader);
      // Its errors are handled when it is awaited.
      next.catch(() => {});
      for (const data of ready) this.#handOver(fetched.requests.get(keyOf(data))!.at);
    }
  }

  /** Rests until a partition may be fetched again, or until it is woken. */
  async #rest(leader: number): Promise<void> {
    const wake = this.#leaders.get(leader)!;
    const soonestMs = this.#isFrozen ? Infinity : Math.min(
      ...[...this.#partitions].filter((at) => at.leader === leader && isWanted(at)).map((at) => at.notBeforeMs),
      Infinity,
    );
    const timer = soonestMs === Infinity
      ? undefined
      : setTimeout(wake.resolve, Math.max(0, soonestMs - performance.now()));
    await wake.promise;
    clearTimeout(timer);
    this.#leaders.set(leader, Promise.withResolvers());
  }

  /** @returns `null` where nothing is wanted from this leader now, or it did not answer */
  async #fetch(leader: number): Promise<Fetched | null> {
    if (this.#isClosed || this.#isFrozen) return null;
    const nowMs = performance.now();
    const wanted = [...this.#partitions].filter((at) =>
      at.leader === leader && isWanted(at) && at.notBeforeMs <= nowMs
    );
    const unplaced = wanted.filter((at) => at.position === null);
    for (const at of unplaced) void this.#findBeginning(at);
    const due = wanted.filter((at) => at.position !== null);
    if (due.length === 0) return null;
    const requests = new Map(due.map((at) => [keyOf(at), { at, version: at.version }]));
    const positions = due.map(positionOf);
    const maxBytes = Math.max(MAX_PARTITION_BYTES, Math.floor(this.#options.maxBytes / this.#leaders.size));
    try {
      const request = fetchRequest(positions, {
        maxWaitMs: MAX_WAIT_MS,
        maxBytes,
        maxPartitionBytes: MAX_PARTITION_BYTES,
      });
      const { error, partitions } = await this.#cluster.sendWhileInPlace(
        leader,
        this.#options.purpose,
        request,
        MAX_WAIT_MS + this.#cluster.requestTimeoutMs,
        () => this.#leadsAll(leader, due),
      );
      if (error !== Code.none) throw new ProtocolError("Fetch", error);
      return { requests, partitions };
    } catch (error) {
      if (this.#isClosed) return null;
      this.#handler.log(`Cannot fetch from broker ${leader}: ${(error as Error).message}`);
      for (const at of due) at.loseLeader(RETRY_MS);
      void this.#refreshLater();
      return null;
    }
  }

  async #leadsAll(leader: number, partitions: readonly FetchedPartition[]): Promise<boolean> {
    await this.#cluster.metadata.refresh(new Set(partitions.map(({ topic }) => topic)));
    return partitions.every(({ topic, partition }) => this.#cluster.leaderOf(topic, partition) === leader);
  }

  /** Takes what came of a partition. @returns whether there is something to hand over */
  #take(fetched: FetchedPartitionData, requests: ReadonlyMap<string, Request>): boolean {
    const { at, version } = requests.get(keyOf(fetched)) ?? {};
    if (at === undefined || at.version !== version) return false;
    const { error, data, aborted, highWatermark } = fetched;
    if (error === Code.offsetOutOfRange) {
      at.notBeforeMs = performance.now() + RETRY_MS;
      void this.#findBeginning(at);
      return false;
    }
    if (error !== Code.none) {
      this.#handler.log(`Cannot fetch ${at.topic}/${at.partition}: ${new ProtocolError("Fetch", error).message}`);
      if (error === Code.fencedLeaderEpoch) at.minLeaderEpoch = at.leaderEpoch + 1;
      at.loseLeader(RETRY_MS);
      void this.#refreshLater();
      return false;
    }
    if (data.length === 0) return false;
    let next = at.position!;
    for (const { lastOffset } of batchesIn(data)) next = Math.max(next, lastOffset + 1);
    if (next === at.position) {
      this.#passOverDamage(at, highWatermark);
      return false;
    }
    at.waiting = { data, from: at.position!, aborted: new AbortedFilter(aborted), highWatermark };
    at.position = next;
    // Whoever got something is asked for last the next time.
    this.#partitions.delete(at);
    this.#partitions.add(at);
    return true;
  }

  /** Hands over batch by batch, until the partition is paused. */
  #handOver(at: FetchedPartition): void {
    const { version, waiting } = at;
    if (at.isPaused || this.#isFrozen) return;
    if (at.parts !== null) return at.parts.resolve();
    if (waiting === null) return;
    at.waiting = null;
    for (const batch of batchesIn(waiting.data)) {
      if (at.isPaused || this.#isFrozen) {
        at.waiting = { ...waiting, data: waiting.data.subarray(batch.start) };
        return;
      }
      if (batch.lastOffset < waiting.from) continue;
      if (!this.#handOverBatch(at, waiting, batch)) return;
      if (at.version !== version || !this.#partitions.has(at)) return;
    }
  }

  /** @returns whether to go on with the next batch */
  #handOverBatch(at: FetchedPartition, waiting: WaitingData, batch: BatchBounds): boolean {
    const { data, from, aborted, highWatermark } = waiting;
    const next = batch.lastOffset + 1;
    try {
      const isEmpty = batch.magic === MAGIC && aborted.skips(data, batch);
      const records = isEmpty ? [] : decodeBatch(data, batch, from, MAX_AT_ONCE_BYTES);
      this.#handOverPart(at, highWatermark, { records, next });
    } catch (error) {
      if (error instanceof TooLargeError) {
        void this.#handOverInParts(at, waiting, batch);
        return false;
      }
      if (!(error instanceof UnreadableBatchError)) {
        this.#handler.failed(error);
        return false;
      }
      if (error.isDamaged && this.#doubt(at, Math.max(from, batch.baseOffset))) return false;
      this.#handOverPart(at, highWatermark, unreadablePart(batch, from, error));
    }
    return true;
  }

  /** Hands over a large batch as fast as the partition takes it, then what waits behind it. */
  async #handOverInParts(at: FetchedPartition, waiting: WaitingData, batch: BatchBounds): Promise<void> {
    const { version } = at;
    const isCurrent = () => at.version === version && this.#partitions.has(at);
    at.waiting = { ...waiting, data: waiting.data.subarray(batch.end) };
    at.parts = Promise.withResolvers();
    for await (const part of batchParts(waiting.data, batch, waiting.from, this.#options.maxRecordBytes)) {
      while (isCurrent() && (at.isPaused || this.#isFrozen)) {
        await at.parts.promise;
        if (isCurrent()) at.parts = Promise.withResolvers();
      }
      if (!isCurrent()) return;
      this.#handOverPart(at, waiting.highWatermark, part);
    }
    if (!isCurrent()) return;
    at.parts = null;
    this.#handOver(at);
    this.#wakeLeaderOf(at);
  }

  #handOverPart(at: FetchedPartition, highWatermark: number, part: BatchPart): void {
    try {
      this.#handler.records(at, { ...part, highWatermark });
    } catch (error) {
      this.#handler.failed(error);
    }
  }

  /** Data in which no batch can be found, though a broker sends a whole one: its first offset is passed over alone. */
  #passOverDamage(at: FetchedPartition, highWatermark: number): void {
    const offset = at.position!;
    if (at.isPaused || this.#isFrozen || this.#doubt(at, offset)) return;
    const bounds = { start: 0, end: 0, baseOffset: offset, lastOffset: offset, magic: MAGIC };
    const error = new UnreadableBatchError(bounds, "its length is wrong, it is damaged");
    at.seek(offset + 1);
    this.#handOverPart(at, highWatermark, unreadablePart(bounds, offset, error));
  }

  /** Goes back to damaged data, to fetch it once more. @returns whether it does: not the second time */
  #doubt(at: FetchedPartition, offset: number): boolean {
    if (at.damagedAt === offset) return false;
    this.#handler.log(`Cannot read ${formatPosition({ ...at, offset })}: it is damaged, and fetched once more`);
    at.seek(offset);
    at.damagedAt = offset;
    at.notBeforeMs = performance.now() + RETRY_MS;
    this.#wakeLeaderOf(at);
    return true;
  }

  /** Sets a partition to the beginning of its log. */
  async #findBeginning(at: FetchedPartition): Promise<void> {
    const { topic, partition, version, position, leader } = at;
    at.notBeforeMs = performance.now() + this.#cluster.shortTimeoutMs;
    try {
      const request = listOffsets(
        [{ topic, partitions: [{ partition, timestamp: Timestamp.earliest }] }],
        "readCommitted",
      );
      const { responses } = await this.#cluster.send(leader!, "control", request, this.#cluster.shortTimeoutMs);
      const { errorCode, offset } = responses[0]!.partitions[0]!;
      if (errorCode !== Code.none) throw new ProtocolError("ListOffsets", errorCode);
      if (at.version !== version) return;
      const low = Number(offset);
      at.seek(low);
      at.notBeforeMs = 0;
      if (position !== null && low > position) this.#handler.expired(at, position, low);
      this.#wakeLeaderOf(at);
    } catch (error) {
      this.#handler.log(`Cannot ask for the beginning of ${topic}/${partition}: ${(error as Error).message}`);
      at.loseLeader(RETRY_MS);
      void this.#refreshLater();
    }
  }
}

function isWanted(at: FetchedPartition): boolean {
  return !at.isPaused && at.waiting === null;
}

function positionOf({ topicId, partition, position, leaderEpoch }: FetchedPartition): FetchPosition {
  return { topicId: topicId!, partition, offset: position!, leaderEpoch };
}

function keyOf({ topicId, partition }: { readonly topicId: string | undefined; readonly partition: number }): string {
  return `${partition}/${topicId}`;
}
