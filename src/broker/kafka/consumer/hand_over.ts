/**
 * Hands over what was fetched, batch by batch.
 *
 * - A partition that is paused meanwhile keeps the rest, and gets it first when it is resumed.
 * - A batch is handed over in parts. A large one is unpacked only as far as the partition takes them.
 * - A batch that cannot be read is handed over as one unreadable record for all of its offsets.
 * - Damaged data is fetched once more before that: the fault may be on the way.
 */
import type { RecordBatch } from "../../broker.ts";
import { formatPosition } from "../../../support/position.ts";
import { UnreadableBatchError } from "../batch/batch_header.ts";
import { type BatchPart, batchParts, readPart, unreadablePart } from "../batch/batch_parts.ts";
import { MAX_AT_ONCE_BYTES, type OpenBatch, openBatch } from "../batch/decode_batch.ts";
import { TooLargeError } from "../batch/decompression_errors.ts";
import { type BatchBounds, batchesIn, MAGIC } from "../batch/layout.ts";
import type { FetchedPartition, WaitingData } from "./fetched_partition.ts";

/** Receives what is handed over. Calls return at once. */
export interface RecordHandler {
  records(at: FetchedPartition, batch: RecordBatch): void;
  /** `records` threw: a fault that must not skip a record. */
  failed(error: unknown): void;
  /** Something for the log. */
  log(message: string): void;
}

/** The part of the fetcher that a hand-over uses. */
export interface HandOverContext {
  readonly handler: RecordHandler;
  /** Limit of a record that is unpacked, in bytes. */
  readonly maxRecordBytes: number;
  /** Whether nothing may be handed over to any partition now. */
  isFrozen(): boolean;
  /** Whether the partition is still fetched. */
  isFetched(at: FetchedPartition): boolean;
  /** The partition may be fetched from again. */
  fetchAgain(at: FetchedPartition): void;
}

/** Number of records that are handed over at once: a partition that has enough keeps the rest as bytes. */
const MAX_PART_RECORDS = 200;
/** Time before damaged data is fetched once more, in milliseconds. */
const RETRY_MS = 200;

/** See the module. */
export class HandOver {
  readonly #context: HandOverContext;

  constructor(context: HandOverContext) {
    this.#context = context;
  }

  /** Hands over what waits, until the partition is paused. */
  run(at: FetchedPartition): void {
    if (this.#isHeld(at)) return;
    if (at.parts !== null) return at.parts.resolve();
    for (let waiting = at.waiting.shift(); waiting !== undefined; waiting = at.waiting.shift()) {
      if (waiting.open !== null && !this.#readOn(at, waiting, waiting.open)) return;
      for (const batch of batchesIn(waiting.data)) {
        if (batch.lastOffset < waiting.from) continue;
        if (this.#isHeld(at)) {
          const from = Math.max(waiting.from, batch.baseOffset);
          return this.#keep(at, { ...waiting, open: null, from, data: waiting.data.subarray(batch.start) });
        }
        if (!this.#handOverBatch(at, waiting, batch)) return;
      }
    }
  }

  /**
   * Passes over data in which no batch can be found, though a broker sends at least a whole one: its first offset alone,
   * since others may be found again.
   */
  passOverDamage(at: FetchedPartition, highWatermark: number): void {
    const offset = at.position!;
    if (this.#isHeld(at) || at.waiting.length > 0 || this.#goBack(at, offset)) return;
    const bounds = { start: 0, end: 0, baseOffset: offset, lastOffset: offset, magic: MAGIC };
    const error = new UnreadableBatchError(bounds, "its length is wrong, it is damaged");
    at.seek(offset + 1);
    this.#handOverPart(at, highWatermark, unreadablePart(bounds, offset, error));
  }

  #isHeld(at: FetchedPartition): boolean {
    return at.isPaused || this.#context.isFrozen();
  }

  #keep(at: FetchedPartition, waiting: WaitingData): void {
    at.waiting.unshift(waiting);
    at.takenMs = performance.now();
  }

  /** @returns whether to go on with the next batch */
  #handOverBatch(at: FetchedPartition, waiting: WaitingData, batch: BatchBounds): boolean {
    const { data, from, aborted, highWatermark } = waiting;
    const { version } = at;
    try {
      if (batch.magic === MAGIC && aborted.skips(data, batch)) {
        this.#handOverPart(at, highWatermark, { records: [], next: batch.lastOffset + 1 });
        return this.#isCurrent(at, version);
      }
      const open = openBatch(data, batch, from, MAX_AT_ONCE_BYTES);
      return this.#readOn(at, { ...waiting, data: data.subarray(batch.end) }, open);
    } catch (error) {
      if (error instanceof TooLargeError) {
        void this.#handOverInParts(at, waiting, batch);
        return false;
      }
      if (!(error instanceof UnreadableBatchError)) {
        this.#context.handler.failed(error);
        return false;
      }
      if (error.isDamaged && this.#goBack(at, Math.max(from, batch.baseOffset))) return false;
      this.#handOverPart(at, highWatermark, unreadablePart(batch, from, error));
      return this.#isCurrent(at, version);
    }
  }

  /** Hands over the records of an open batch, some at a time. @returns whether to go on with the batches behind it */
  #readOn(at: FetchedPartition, waiting: WaitingData, open: OpenBatch): boolean {
    const { version } = at;
    const { bounds } = open.header;
    let part: BatchPart;
    do {
      if (this.#isHeld(at)) {
        this.#keep(at, { ...waiting, open, from: Math.max(open.from, open.before + 1) });
        return false;
      }
      part = readPart(open, MAX_PART_RECORDS);
      this.#handOverPart(at, waiting.highWatermark, part);
      if (!this.#isCurrent(at, version)) return false;
    } while (part.next <= bounds.lastOffset);
    return true;
  }

  #isCurrent(at: FetchedPartition, version: number): boolean {
    return at.version === version && this.#context.isFetched(at);
  }

  /** Hands over a large batch as fast as the partition takes it, then what waits behind it. */
  async #handOverInParts(at: FetchedPartition, waiting: WaitingData, batch: BatchBounds): Promise<void> {
    const { version } = at;
    const isCurrent = () => this.#isCurrent(at, version);
    at.waiting.unshift({ ...waiting, open: null, data: waiting.data.subarray(batch.end) });
    at.parts = Promise.withResolvers();
    for await (const part of batchParts(waiting.data, batch, waiting.from, this.#context.maxRecordBytes)) {
      while (isCurrent() && this.#isHeld(at)) {
        await at.parts.promise;
        if (isCurrent()) at.parts = Promise.withResolvers();
      }
      if (!isCurrent()) return;
      this.#handOverPart(at, waiting.highWatermark, part);
    }
    if (!isCurrent()) return;
    at.parts = null;
    this.run(at);
    this.#context.fetchAgain(at);
  }

  #handOverPart(at: FetchedPartition, highWatermark: number, part: BatchPart): void {
    const { handler } = this.#context;
    try {
      // A broker reads its high watermark before the records: one that was written between lies beyond it.
      handler.records(at, { ...part, highWatermark: Math.max(highWatermark, part.next) });
    } catch (error) {
      handler.failed(error);
    }
  }

  /** Goes back to damaged data, to fetch it once more. @returns whether it does: not the second time */
  #goBack(at: FetchedPartition, offset: number): boolean {
    if (at.damagedAt === offset) return false;
    const { handler } = this.#context;
    handler.log(`Cannot read ${formatPosition({ ...at, offset })}: it is damaged, and fetched once more`);
    at.seek(offset);
    at.damagedAt = offset;
    at.notBeforeMs = performance.now() + RETRY_MS;
    this.#context.fetchAgain(at);
    return true;
  }
}
