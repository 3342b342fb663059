/**
 * A batch of one partition on its way, with the calls whose records it carries. Its bytes are decided when it is first sent;
 * from then on the identical batch is sent again, so that the broker can tell a repetition.
 */
import type { Buffer } from "node:buffer";
import type { NewRecord } from "../../broker.ts";
import { BatchBuilder } from "../batch/batch_builder.ts";
import type { AppendCall } from "./append_call.ts";

/** A record of a call. */
export interface PlacedRecord {
  readonly call: AppendCall;
  /** Its index in the call. */
  readonly index: number;
}

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;

/** See the module. */
export class OutgoingBatch {
  readonly bytes: BatchBuilder;
  readonly records: PlacedRecord[] = [];
  /** The earliest end of its calls, without those that have expired. */
  endMs = Infinity;
  /** Whether it has records that were given up while it could not be changed. */
  hasExpired = false;
  /** Number of its records that have no key and may go to any partition. */
  movable = 0;
  /** Whether it may be in the log. */
  isMaybeWritten = false;
  /** Whether it has its id, epoch and sequence: only identical bytes may follow. */
  isStamped = false;
  /** The last problem, for the error of giving up. */
  problem = "";
  #timestampMs = 0;
  #retryMs = FIRST_RETRY_MS;

  constructor(spare?: Buffer) {
    this.bytes = new BatchBuilder(spare);
  }

  /** Adds a record. @returns `false` if it does not fit */
  add(placed: PlacedRecord, timestampMs: number, maxBytes: number): boolean {
    const record = recordOf(placed);
    if (this.bytes.isSealed || !this.bytes.add(record, timestampMs, maxBytes)) return false;
    this.records.push(placed);
    this.#timestampMs ||= timestampMs;
    this.endMs = Math.min(this.endMs, placed.call.endMs);
    if (isMovable(record)) this.movable++;
    return true;
  }

  /** The wait before it is sent again: doubling, with a fifth of jitter, in milliseconds. */
  nextRetryMs(): number {
    const waitMs = this.#retryMs * (0.8 + Math.random() * 0.4);
    this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    return waitMs;
  }

  /** The next wait is a short one again. */
  resetRetry(): void {
    this.#retryMs = FIRST_RETRY_MS;
  }

  /** Splits it in two, to find the record that is to blame. */
  halves(): [OutgoingBatch, OutgoingBatch] {
    const middle = this.records.length >> 1;
    return [this.#withRecords(this.records.slice(0, middle)), this.#withRecords(this.records.slice(middle))];
  }

  /** Takes the movable records out. @returns what is left, and what was taken */
  splitMovable(): [left: OutgoingBatch | null, movable: readonly PlacedRecord[]] {
    return this.#split((placed) => isMovable(recordOf(placed)));
  }

  /** Takes the records out whose time is over. @returns what is left, and what was taken */
  splitExpired(nowMs: number): [left: OutgoingBatch | null, expired: readonly PlacedRecord[]] {
    return this.#split(({ call }) => nowMs >= call.endMs);
  }

  /** Records were given up, and stay in it. @param endMs the earliest end of the others */
  keepExpired(endMs: number): void {
    this.hasExpired = true;
    this.endMs = endMs;
  }

  #split(isTaken: (placed: PlacedRecord) => boolean): [left: OutgoingBatch | null, taken: readonly PlacedRecord[]] {
    const left = this.records.filter((placed) => !isTaken(placed));
    return [left.length === 0 ? null : this.#withRecords(left), this.records.filter(isTaken)];
  }

  #withRecords(records: readonly PlacedRecord[]): OutgoingBatch {
    const batch = new OutgoingBatch();
    for (const placed of records) batch.add(placed, this.#timestampMs, Infinity);
    batch.problem = this.problem;
    batch.#retryMs = this.#retryMs;
    return batch;
  }
}

/** Whether a record may go to any partition. */
export function isMovable({ partition, key }: NewRecord): boolean {
  return partition === undefined && (key === undefined || key === null);
}

function recordOf({ call, index }: PlacedRecord): NewRecord {
  return call.records[index]!;
}
